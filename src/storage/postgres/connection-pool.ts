import type { Connection } from './connection.ts'
import { messageOf } from './failure.ts'

/** What the pool needs of those who use it. */
export interface PoolPorts {
  /** Opens a connection that has been checked. */
  readonly open: () => Promise<Connection>
  /** A connection is free: those who wait can be served. */
  readonly onFree: () => void
  /** Whether anybody waits: without it nothing is opened by itself. */
  readonly wanted: () => boolean
  /** Takes a line when the database stops or begins to be reachable. */
  readonly log: (text: string) => void
  /** How long a caller waits, in ms: pauses stay below half of it, so that each caller sees a try. */
  readonly waitMs: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000
/** Sessions cost the server a process each: a burst does not start all of them at once. */
const OPENING_AT_ONCE = 2

/** At most `size` connections, opened when they are wanted, with growing pauses while that fails. */
export class ConnectionPool {
  readonly #size: number
  readonly #ports: PoolPorts
  readonly #idle: Connection[] = []
  readonly #all = new Set<Connection>()
  #opening = 0
  #failures = 0
  #pausedUntil = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #failure: string | undefined

  constructor(size: number, ports: PoolPorts) {
    this.#size = size
    this.#ports = ports
  }

  /** Why there is no connection; undefined while the last try succeeded. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Takes in a connection that was opened elsewhere. */
  add(connection: Connection): void {
    this.#all.add(connection)
    connection.onLost = () => this.#forget(connection)
    this.give(connection)
  }

  /** A connection of one's own until it is given back; undefined when all are taken: `onFree` tells when to ask again. */
  take(): Connection | undefined {
    const connection = this.#idle.pop()
    if (connection === undefined) this.#open()
    return connection
  }

  /** Gives a connection back; a lost one is forgotten. */
  give(connection: Connection): void {
    if (this.#closed) void connection.close()
    else if (!connection.lost) this.#idle.push(connection)
    this.#ports.onFree()
  }

  /** Closes what is idle and cuts the rest: nobody waits for an answer any more. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const idle = this.#idle.splice(0)
    for (const connection of this.#all) if (!idle.includes(connection)) connection.destroy()
    await Promise.all(idle.map((connection) => connection.close()))
  }

  #open(): void {
    if (this.#closed || this.#opening >= OPENING_AT_ONCE) return
    if (this.#all.size + this.#opening >= this.#size) return
    const pause = this.#pausedUntil - performance.now()
    if (pause > 0) return this.#openLater(pause)
    this.#opening += 1
    void this.#tryOpening()
  }

  async #tryOpening(): Promise<void> {
    try {
      const connection = await this.#ports.open()
      this.#opening -= 1
      if (this.#failure !== undefined) this.#ports.log('PostgreSQL can be reached again')
      this.#failure = undefined
      this.#failures = 0
      this.#pausedUntil = 0
      this.add(connection)
    } catch (error) {
      this.#opening -= 1
      this.#failed(messageOf(error))
    }
  }

  #failed(reason: string): void {
    if (this.#failure !== reason && !this.#closed) this.#ports.log(reason)
    this.#failure = reason
    const longest = Math.min(LONGEST_PAUSE_MS, this.#ports.waitMs / 2)
    const pause = Math.min(longest, FIRST_PAUSE_MS * 2 ** this.#failures)
    this.#failures += 1
    // Nodes that lost the server together do not come back in step.
    this.#pausedUntil = performance.now() + pause * (0.5 + Math.random() / 2)
    if (this.#ports.wanted()) this.#open()
  }

  #openLater(pause: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#ports.wanted()) this.#open()
    }, Math.ceil(pause))
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#ports.wanted()) this.#open()
  }
}
