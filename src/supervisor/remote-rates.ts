import type { RateCounter, RateWindow, Taken } from '../core/rate-counter.ts'

/** A request to be counted. */
export interface Asked {
  readonly key: string
  readonly window: RateWindow
}

/** Counts as a worker has them: its supervisor counts for all. What is asked in one turn goes in one message. */
export class RemoteRates implements RateCounter {
  readonly #ask: (asked: readonly Asked[]) => Promise<readonly Taken[]>
  #asked: Asked[] = []
  #resolves: ((taken: Taken) => void)[] = []

  /** `ask` has the supervisor count these, and gives what became of each. */
  constructor(ask: (asked: readonly Asked[]) => Promise<readonly Taken[]>) {
    this.#ask = ask
  }

  take(key: string, window: RateWindow): Promise<Taken> {
    if (this.#asked.length === 0) setImmediate(() => void this.#send())
    this.#asked.push({ key, window })
    return new Promise((resolve) => this.#resolves.push(resolve))
  }

  async #send(): Promise<void> {
    const [asked, resolves] = [this.#asked, this.#resolves]
    this.#asked = []
    this.#resolves = []
    const taken = await this.#ask(asked)
    for (const [index, resolve] of resolves.entries()) resolve(taken[index]!)
  }
}
