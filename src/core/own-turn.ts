/** The next turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Knows of the transactions under way in this process, so that long work can let them go first. */
export class OwnTurn {
  #running = 0
  readonly #waiting = new Set<() => void>()

  begin(): void {
    this.#running++
  }

  end(): void {
    if (--this.#running > 0) return
    for (const resume of this.#waiting) resume()
  }

  /** Resolves in a turn of its own, once no transaction is under way; after so long in any case. */
  async afterOthers(mostMs: number): Promise<void> {
    await nextTurn()
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(resume)
        resolve()
      }
      const timer = setTimeout(resume, mostMs)
      this.#waiting.add(resume)
    })
    // What the others do with their outcome comes first.
    await nextTurn()
  }
}
