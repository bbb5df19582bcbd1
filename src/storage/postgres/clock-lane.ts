import type { Connection } from './connection.ts'
import { isUnfitSession, messageOf, Refused, sqlState, Unfit } from './failure.ts'
import type { LanePorts } from './lane.ts'

/** How old the floor of the clock gets, but for what moving it takes. */
const STEP_MS = 1_000
/** A floor that another process has moved since is left alone. */
const NEW_MS = STEP_MS / 2
/** Another may be at it. */
const AGAIN_MS = 100

/**
 * Keeps what the time was where it outlives all nodes, so that none that starts is behind it (architecture.md A10): about once a second,
 * by whichever process comes first, and by none while nobody asks for anything. No request waits for it.
 */
export class ClockLane {
  readonly #ports: LanePorts
  readonly #log: (text: string) => void
  #floor = 0
  /** When to look again at the earliest, by the monotonic clock. */
  #next = 0
  #busy = false
  #closed = false
  #failure: string | undefined

  /** `log` takes a line when the floor cannot be moved. */
  constructor(ports: LanePorts, log: (text: string) => void) {
    this.#ports = ports
    this.#log = log
  }

  /** As the first `start`, before any time is told. Throws Unfit, with what to do, for a role that may not. */
  async begin(connection: Connection): Promise<void> {
    try {
      await this.#move(connection)
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== sqlState.noRight) throw error
      throw new Unfit(
        `${error.message}: the role needs the rights to select and update the sequence "clock" of the schema`,
      )
    }
  }

  close(): void {
    this.#closed = true
  }

  /** Whether `start` has something for a connection. */
  ready(): boolean {
    if (this.#closed || this.#busy || this.#ports.now() < this.#floor + STEP_MS) return false
    return performance.now() >= this.#next
  }

  /** Moves the floor on, unless another process has; never throws. */
  async start(connection: Connection): Promise<void> {
    this.#busy = true
    try {
      await this.#move(connection)
      this.#failure = undefined
      this.#next = performance.now() + AGAIN_MS
    } catch (error) {
      this.#next = performance.now() + STEP_MS
      if (error instanceof Refused) this.#refused(connection, error)
    } finally {
      this.#busy = false
    }
  }

  async #move(connection: Connection): Promise<void> {
    const { statements, now, observe } = this.#ports
    const [row] = await connection.query(statements.clock, [now(), NEW_MS])
    observe(Number(row![0]))
    this.#floor = Number(row![1])
  }

  #refused(connection: Connection, error: Refused): void {
    if (isUnfitSession(error)) return connection.destroy()
    const text = messageOf(error)
    if (text !== this.#failure) {
      this.#log(`PostgreSQL does not keep the time, which a restart could set back: ${text}`)
    }
    this.#failure = text
  }
}
