/** Places of what was seen; a power of two: 32 KiB of memory. */
const PLACES = 8_192

/**
 * Tells whether a text was seen before, not long ago: what is asked for once is not worth a place in a cache. May forget, when others came
 * to the same place since, and takes one text for another once in some billions: for what only costs time.
 */
export class SeenLately {
  readonly #places = new Int32Array(PLACES)

  /** Whether it was seen; from now on it was. */
  again(text: string): boolean {
    // FNV-1a.
    let hash = 0x811c9dc5
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    }
    const place = hash & (PLACES - 1)
    if (this.#places[place] === hash) return true
    this.#places[place] = hash
    return false
  }
}
