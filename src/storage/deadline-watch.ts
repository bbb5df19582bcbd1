import type { Deadline } from './store.ts'

interface Watched {
  readonly deadline: Deadline
  readonly expire: () => void
}

const INTERVAL_MS = 50

/** Ends waits at their deadlines with one timer for all of them; fires up to 50 ms late. */
export class DeadlineWatch {
  readonly #watched = new Set<Watched>()
  #timer: NodeJS.Timeout | undefined

  /** The promise's own end, or a rejection with `late()` once the deadline has passed. */
  within<T>(promise: Promise<T>, deadline: Deadline, late: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const watched: Watched = { deadline, expire: () => reject(late()) }
      this.#watched.add(watched)
      this.#timer ??= setInterval(() => this.#sweep(), INTERVAL_MS)
      promise.then(
        (value) => {
          this.#forget(watched)
          resolve(value)
        },
        (error: unknown) => {
          this.#forget(watched)
          reject(error)
        },
      )
    })
  }

  #sweep(): void {
    const now = performance.now()
    for (const watched of this.#watched) {
      if (now < watched.deadline) continue
      this.#forget(watched)
      watched.expire()
    }
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched)
    if (this.#watched.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
