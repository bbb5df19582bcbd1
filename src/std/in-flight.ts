/** Counts what is under way, so that others can wait for its end. */
export class InFlight {
  #running = 0
  readonly #waiting = new Set<() => void>()

  get isEmpty(): boolean {
    return this.#running === 0
  }

  begin(): void {
    this.#running++
  }

  end(): void {
    if (--this.#running > 0) return
    for (const resume of this.#waiting) resume()
  }

  /** Resolves once nothing is under way, and at the latest after so long. */
  async idle(withinMs: number): Promise<void> {
    if (this.isEmpty) return
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        clearTimeout(late)
        this.#waiting.delete(resume)
        resolve()
      }
      const late = setTimeout(resume, withinMs)
      this.#waiting.add(resume)
    })
  }
}
