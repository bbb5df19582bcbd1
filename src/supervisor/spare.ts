import type { Log } from '../process/log.ts'
import { RestartDelay } from './restart-delay.ts'

/** What is asked of the process (`WorkerProcess` has it). */
export interface SpareProcess {
  readonly pid: number | undefined
  /** When it had loaded its code, in `performance.now()`. */
  readonly spokeAt: number | undefined
  readonly isGone: boolean
  /** Resolves to the signal or exit code it ended with. */
  readonly gone: Promise<string>
  kill(): void
}

export interface SpareOptions<Process extends SpareProcess> {
  readonly fork: () => Process
  /** Whether there should be a spare now: where workers are missing, loading its code would only hold them up. */
  readonly wanted: () => boolean
  readonly log: Log
}

/**
 * A process that has loaded all code and was told nothing: no configuration, no key. On busy cores loading takes a second or two;
 * with it the place of a worker that ends is taken before.
 */
export class Spare<Process extends SpareProcess> {
  readonly #options: SpareOptions<Process>
  readonly #delay = new RestartDelay()
  #process: Process | undefined
  #next: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: SpareOptions<Process>) {
    this.#options = options
  }

  /** What there is now; it may still be loading. */
  get process(): Process | undefined {
    return this.#process
  }

  /** Forks one if it is wanted and there is none, nor one to come. */
  keep(): void {
    const here = this.#process !== undefined || this.#next !== undefined
    if (here || this.#stopped || !this.#options.wanted()) return
    const forked = this.#options.fork()
    this.#process = forked
    void forked.gone.then((how) => {
      if (this.#process === forked) this.#ended(forked, how)
    })
  }

  /** Gives the process away, to be told to begin; undefined when there is none. Another is forked by `keep` alone. */
  take(): Process | undefined {
    const taken = this.#process
    this.#process = undefined
    return taken?.isGone === false ? taken : undefined
  }

  /** Ends it: it has nothing to finish. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#next)
    const last = this.take()
    last?.kill()
    await last?.gone
  }

  #ended({ pid, spokeAt }: SpareProcess, how: string): void {
    this.#process = undefined
    if (this.#stopped) return
    this.#options.log(`the spare process ${pid} ended with ${how}; another is kept`)
    const lived = spokeAt === undefined ? undefined : performance.now() - spokeAt
    this.#next = setTimeout(() => {
      this.#next = undefined
      this.keep()
    }, this.#delay.after(lived))
  }
}
