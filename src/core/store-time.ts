/** The store's clock between answers: the newest `now` it gave, carried on by the monotonic clock; never backwards (architecture.md A10). */
export class StoreTime {
  #last = 0
  #mark = 0

  /** Takes in the `now` of an answer. */
  learn(now: number): void {
    const present = this.now()
    if (now < present) return
    this.#last = now
    this.#mark = performance.now()
  }

  /** ms since 1970. */
  now(): number {
    return Math.floor(this.#last + (performance.now() - this.#mark))
  }
}
