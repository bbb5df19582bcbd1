import { firstIdAt } from './commit-batch.ts'
import type { Connection } from './connection.ts'
import type { LanePorts } from './lane.ts'

/** How long the fate of a transaction can be asked for (architecture.md A5). */
const KEPT_MS = 3_600_000
const EVERY_MS = 60_000
/** Rows deleted by one statement: a few ms. */
const AT_ONCE = 2_000

/**
 * Removes old rows of the table `commits`, when nothing else waits; all nodes do, and skip what another is at. Old is what was so by
 * the time of the round before: where the database's clock leaps ahead by hours, the commits of just now look old at once, and somebody
 * may still ask for their fate.
 */
export class PruneLane {
  readonly #ports: LanePorts
  readonly #timer: NodeJS.Timeout
  /** The time when the last round began and when the one before it did, ms. */
  #began: number | undefined
  #before: number | undefined
  #due = false
  #busy = false

  constructor(ports: LanePorts) {
    this.#ports = ports
    const every = EVERY_MS * (1 + Math.random())
    this.#timer = setInterval(() => this.begin(), every).unref()
  }

  /** A round begins. The first only notes the time. */
  begin(): void {
    this.#before = this.#began
    this.#began = this.#ports.now()
    if (this.#before === undefined) return
    this.#due = true
    this.#ports.wake()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#due = false
  }

  /** Whether `start` has something for a connection. */
  ready(): boolean {
    return this.#due && !this.#busy
  }

  /** Removes some; never throws. */
  async start(connection: Connection): Promise<void> {
    this.#busy = true
    try {
      const before = firstIdAt(this.#before! - KEPT_MS)
      const [row] = await connection.query(this.#ports.statements.prune, [before, AT_ONCE])
      if (Number(row?.[0]) < AT_ONCE) this.#due = false
    } catch {
      // The next minute tries again: nothing depends on it.
      this.#due = false
    } finally {
      this.#busy = false
    }
  }
}
