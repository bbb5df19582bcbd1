import type { Measured } from '../metrics/measured.ts'

type AllMeasured = readonly (readonly Measured[])[]

/** What all processes have measured, as a worker gets it: from its supervisor. */
export class RemoteMeasurements {
  readonly #ask: (number: number) => void
  readonly #waiting = new Map<number, (all: AllMeasured) => void>()
  #next = 1

  /** `ask` sends the question of a number, which `answered` gets back. */
  constructor(ask: (number: number) => void) {
    this.#ask = ask
  }

  readonly collect = (): Promise<AllMeasured> =>
    new Promise((resolve) => {
      const number = this.#next++
      this.#waiting.set(number, resolve)
      this.#ask(number)
    })

  answered(number: number, all: AllMeasured): void {
    this.#waiting.get(number)?.(all)
    this.#waiting.delete(number)
  }
}
