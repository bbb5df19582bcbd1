/**
 * The machine's time in ms since 1970: follows the wall clock forwards, and goes on at the monotonic
 * pace when the wall clock is set back, so that neither a sleep nor a correction revives a token.
 */
export const createSystemClock = (): (() => number) => {
  let last = Date.now()
  let mark = performance.now()
  return () => {
    const monotonic = performance.now()
    last = Math.max(Date.now(), last + (monotonic - mark))
    mark = monotonic
    return last
  }
}

/** The clock of a store (architecture.md A10): whole ms, never behind an answer given before or a floor it was told of. */
export class StoreClock {
  readonly #source: () => number
  #last = 0

  constructor(source: () => number) {
    this.#source = source
  }

  now(): number {
    this.#last = Math.max(this.#last, Math.floor(this.#source()))
    return this.#last
  }

  /** From now on the clock is not behind this time. */
  notBehind(time: number): void {
    this.#last = Math.max(this.#last, time)
  }
}
