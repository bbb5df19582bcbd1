import { InFlight } from '../std/in-flight.ts'

/** How long requests under way have to end, and those that come have to wait. */
export interface GateTimes {
  readonly endMs: number
  readonly waitMs: number
}

/** What became of something that wanted through. */
export type Passed<T> =
  | { readonly kind: 'through'; readonly value: T }
  | { readonly kind: 'refused' }

/**
 * Where requests pass, so that the data can be exchanged beneath them: once it is closed those under way end, and those that come wait.
 * What has not ended by then is not told what it did: it did it to data that is gone.
 */
export class RequestGate {
  readonly #times: GateTimes
  readonly #inside = new InFlight()
  #opened: PromiseWithResolvers<void> | undefined
  /** How often the data may have been exchanged. */
  #exchanges = 0

  constructor(times: GateTimes) {
    this.#times = times
  }

  /** Runs it once the gate is open. `refused`: the gate did not open in time, or closed and did not wait for the end. */
  async pass<T>(run: () => Promise<T>): Promise<Passed<T>> {
    if (this.#opened !== undefined && !(await this.#opens())) return { kind: 'refused' }
    const before = this.#exchanges
    this.#inside.begin()
    try {
      const value = await run()
      return before === this.#exchanges ? { kind: 'through', value } : { kind: 'refused' }
    } finally {
      this.#inside.end()
    }
  }

  /** Lets nothing more through, and resolves when what is inside has ended or had its time. */
  async close(): Promise<void> {
    this.#opened ??= Promise.withResolvers<void>()
    await this.#inside.idle(this.#times.endMs)
    this.#exchanges++
  }

  open(): void {
    this.#opened?.resolve()
    this.#opened = undefined
  }

  async #opens(): Promise<boolean> {
    const end = performance.now() + this.#times.waitMs
    while (this.#opened !== undefined) {
      const left = end - performance.now()
      if (left <= 0) return false
      let late: NodeJS.Timeout | undefined
      await Promise.race([
        this.#opened.promise,
        new Promise<void>((resolve) => (late = setTimeout(resolve, left))),
      ])
      clearTimeout(late)
    }
    return true
  }
}
