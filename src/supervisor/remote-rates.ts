import type { RateCounter, RateWindow, Taken } from '../core/rate-counter.ts'

/** A request to be counted. */
export interface Asked {
  readonly key: string
  readonly window: RateWindow
}

/** Counts as a worker has them: its supervisor counts for all. What is asked in one turn goes in one message. */
export class RemoteRates implements RateCounter {
  readonly #ask: (number: number, asked: readonly Asked[]) => void
  readonly #waiting = new Map<number, readonly ((taken: Taken) => void)[]>()
  #asked: Asked[] = []
  #resolves: ((taken: Taken) => void)[] = []
  #next = 1

  /** `ask` sends the question of a number, which `answered` gets back. */
  constructor(ask: (number: number, asked: readonly Asked[]) => void) {
    this.#ask = ask
  }

  take(key: string, window: RateWindow): Promise<Taken> {
    if (this.#asked.length === 0) setImmediate(() => this.#send())
    this.#asked.push({ key, window })
    return new Promise((resolve) => this.#resolves.push(resolve))
  }

  answered(number: number, taken: readonly Taken[]): void {
    const resolves = this.#waiting.get(number) ?? []
    this.#waiting.delete(number)
    for (const [index, resolve] of resolves.entries()) resolve(taken[index]!)
  }

  #send(): void {
    const number = this.#next++
    this.#waiting.set(number, this.#resolves)
    this.#ask(number, this.#asked)
    this.#asked = []
    this.#resolves = []
  }
}
