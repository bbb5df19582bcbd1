import type { WorkerServer } from './worker-server.ts'

/** Clients that write a new name each time and remember how it went. */
export class Writers {
  readonly writes: { name: string; began: number; ended: number; status: number }[] = []
  readonly #running: Promise<void>[]
  #over = false

  constructor(server: Pick<WorkerServer, 'ask'>, count: number, prefix = 'w') {
    this.#running = Array.from({ length: count }, async (_, writer) => {
      for (let round = 0; !this.#over; round++) {
        const name = `${prefix}${writer}-${round}`
        const began = performance.now()
        const { status } = await server.ask({ path: `kv/${name}`, body: { is: name } })
        this.writes.push({ name, began, ended: performance.now(), status })
      }
    })
  }

  async end(): Promise<void> {
    this.#over = true
    await Promise.all(this.#running)
  }
}
