/** A worker that lived shorter than this did not do its work. */
const YOUNG_MS = 1_000
/** So many short lives in a row are bad luck. */
const FREE = 4
const FIRST_MS = 100
const LONGEST_MS = 5_000

/** How long to wait before another worker takes the place of one that ended: not at all, unless they all end soon. */
export class RestartDelay {
  #short = 0

  /** `livedMs`: how long the worker that ended had listened; undefined when it never did. */
  after(livedMs: number | undefined): number {
    if (livedMs !== undefined && livedMs >= YOUNG_MS) {
      this.#short = 0
      return 0
    }
    this.#short++
    if (this.#short <= FREE) return 0
    return Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#short - FREE - 1))
  }
}
