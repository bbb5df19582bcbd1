/**
 * The machine's time in ms since 1970: follows the wall clock forwards, and goes on at the monotonic
 * pace when the wall clock is set back, so that neither a sleep nor a correction revives a token. `floor`: it begins at this time
 * if the wall clock is behind it.
 */
export const createSystemClock = (floor = 0): (() => number) => {
  let last = Math.max(Date.now(), floor)
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

/** Slower than any machine's clock that still deserves the name: what is carried on is not to outrun what it follows. */
const PACE = 0.999

/**
 * Another's clock, carried on by the monotonic one between its readings, and never backwards. A reading that is behind was long on its
 * way, or its clock was set back: it is passed over, and time goes on from the one before.
 */
export class CarriedClock {
  #last = 0
  #mark = 0

  /** Takes in a reading. */
  learn(reading: number): void {
    if (reading < this.now()) return
    this.#last = reading
    this.#mark = performance.now()
  }

  /** Whole ms since 1970. */
  now(): number {
    return Math.floor(this.#last + (performance.now() - this.#mark) * PACE)
  }
}
