const BLOCK = 1024

/** A sorted set of strings in blocks, so that an insertion moves at most a block even with a million keys. */
export class SortedKeys {
  readonly #blocks: string[][] = []

  /** The index of the last block whose first key is <= the key, 0 if there is none. */
  #blockOf(key: string): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#blocks[middle]![0]! <= key) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  static #position(block: readonly string[], key: string): number {
    let low = 0
    let high = block.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (block[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Adds a key; one that is there already stays once. */
  add(key: string): void {
    if (this.#blocks.length === 0) {
      this.#blocks.push([key])
      return
    }
    const index = this.#blockOf(key)
    const block = this.#blocks[index]!
    const at = SortedKeys.#position(block, key)
    if (block[at] === key) return
    block.splice(at, 0, key)
    if (block.length > 2 * BLOCK) this.#blocks.splice(index + 1, 0, block.splice(BLOCK))
  }

  /** Removes a key, if it is there. */
  delete(key: string): void {
    const index = this.#blockOf(key)
    const block = this.#blocks[index]
    if (block === undefined) return
    const at = SortedKeys.#position(block, key)
    if (block[at] !== key) return
    block.splice(at, 1)
    if (block.length === 0) this.#blocks.splice(index, 1)
  }

  /** The keys from <= key < to, in order. */
  *range(from: string, to: string): Generator<string> {
    for (let index = this.#blockOf(from); index < this.#blocks.length; index++) {
      const block = this.#blocks[index]!
      for (let at = SortedKeys.#position(block, from); at < block.length; at++) {
        const key = block[at]!
        if (key >= to) return
        yield key
      }
    }
  }
}
