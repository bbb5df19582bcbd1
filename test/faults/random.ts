/** Numbers that a seed fixes (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 ≤ x < 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number, 0 ≤ x < count. */
  below(count: number): number {
    return Math.floor(this.fraction() * count)
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** Each of 0 … count - 1 with an even chance, at least one. */
  some(count: number): readonly number[] {
    const chosen = Array.from({ length: count }, (_, index) => index).filter(() => this.chance(0.5))
    return chosen.length > 0 ? chosen : [this.below(count)]
  }
}
