/**
 * Tells whether a text was seen before, not long ago: what is asked for once is not worth a place in a cache. May forget, when others came
 * to the same place since, and takes one text for another once in some billions: for what only costs time.
 */
export class SeenLately {
  readonly #places: Int32Array

  /** `places`: a power of two, some times as many as the cache has entries; four bytes each. */
  constructor(places: number) {
    this.#places = new Int32Array(places)
  }

  /** Whether it was seen; from now on it was. */
  again(text: string): boolean {
    // FNV-1a.
    let hash = 0x811c9dc5
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    }
    const place = hash & (this.#places.length - 1)
    if (this.#places[place] === hash) return true
    this.#places[place] = hash
    return false
  }
}
