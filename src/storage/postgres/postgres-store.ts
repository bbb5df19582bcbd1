import { setTimeout } from 'node:timers/promises'
import { CarriedClock } from '../clock.ts'
import { DeadlineWatch } from '../deadline-watch.ts'
import { checkCommit, checkKeys, pageLimit } from '../limits.ts'
import type {
  Answer,
  Commit,
  Deadline,
  Entry,
  Key,
  ListRange,
  Outcome,
  Page,
  Store,
  Stored,
  Version,
} from '../store.ts'
import { ensureBefore, Unavailable } from '../store.ts'
import type { WaitPorts } from './call.ts'
import { Call, within } from './call.ts'
import { ClockLane } from './clock-lane.ts'
import { CommitLane } from './commit-lane.ts'
import type { CommitCall } from './commit-lane.ts'
import type { Connection } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { PostgresTls } from './connection-url.ts'
import { parseConnectionUrl } from './connection-url.ts'
import { Unfit } from './failure.ts'
import type { LanePorts } from './lane.ts'
import { PruneLane } from './prune-lane.ts'
import type { KeysQuestion, PageCall } from './read-lane.ts'
import { ReadLane } from './read-lane.ts'
import type { Replacement } from './replacement.ts'
import { prepareReplacement } from './replacement.ts'
import { quoteSchema, statements } from './schema-sql.ts'
import { ensureSchema } from './schema.ts'
import { Sessions } from './sessions.ts'
import { snapshotEntries } from './snapshot-entries.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`, several hosts separated by commas. */
  readonly connectionUrl: string
  /** Overrides what the URL says of TLS. */
  readonly tls?: PostgresTls
  /** The schema of the tables, made if absent; `signet` if not said. */
  readonly schema?: string
  /** Connections of this process, at least 4; 6 if not said. */
  readonly poolSize?: number
  /** Processes of Signet on this database, all nodes together, for the check of its lock table; 4 if not said. */
  readonly processes?: number
  /** How long a call waits for a connection before it is Unavailable, in ms; 10 s if not said. */
  readonly waitMs?: number
  /** How long the opening of a connection may take, in ms; 5 s if not said. */
  readonly connectMs?: number
  /** How long a statement may take before it and its connection are given up, in ms; 5 s if not said. */
  readonly statementMs?: number
  /** Takes a line when the database stops or begins to be reachable, and warnings about its settings. */
  readonly log?: (text: string) => void
}

/** What `openPostgresStore` gives: a Store, and what its keeper may want to know. */
export interface PostgresStoreHandle extends Store {
  /** Why the database cannot be reached; undefined when it could be at the last try. */
  readonly unreachable: string | undefined
  /** Takes in other data for everything, from a connection of its own; nothing changes until it is put in place. */
  prepareReplacement(entries: AsyncIterable<Entry>, stamps: readonly Key[]): Promise<Replacement>
}

/** Two batches of commits, one that waits alone, and one for reads. */
const LEAST_POOL = 4
const DEFAULT_POOL = 6
const COMMIT_CONNECTIONS = 3
const START_PAUSE_MS = 200

interface Parts {
  /** As it stands in SQL. */
  readonly schema: string
  readonly statements: ReturnType<typeof statements>
  readonly sessions: Sessions
  readonly watch: DeadlineWatch
  readonly poolSize: number
  readonly waitMs: number
  readonly log: (text: string) => void
}

class PostgresStore implements PostgresStoreHandle {
  // What the database told last: its own clock may be set back, or be another machine's after a failover.
  readonly #clock = new CarriedClock()
  readonly #pool: ConnectionPool
  readonly #commits: CommitLane
  readonly #reads: ReadLane
  readonly #prune: PruneLane
  readonly #floor: ClockLane
  readonly #wait: Omit<WaitPorts, 'changes'>
  readonly #sessions: Sessions
  readonly #schema: string
  /** Calls that somebody waits for. */
  readonly #calls = new Set<Promise<unknown>>()
  #woken = false
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#sessions = parts.sessions
    this.#schema = parts.schema
    const ports: LanePorts = {
      statements: parts.statements,
      now: () => this.#clock.now(),
      observe: (milliseconds) => {
        this.#clock.learn(milliseconds)
        return this.#clock.now()
      },
      wake: () => this.#wake(),
    }
    this.#commits = new CommitLane(ports)
    this.#reads = new ReadLane(ports, parts.poolSize - COMMIT_CONNECTIONS)
    this.#prune = new PruneLane(ports)
    this.#floor = new ClockLane(ports, parts.log)
    this.#pool = new ConnectionPool(parts.poolSize, {
      open: () => parts.sessions.open(),
      onFree: () => this.#dispatch(),
      // Nobody waits for the floor of the clock.
      wanted: () => this.#waitedFor().some((lane) => lane.ready()),
      log: parts.log,
      waitMs: parts.waitMs,
    })
    this.#wait = {
      watch: parts.watch,
      waitMs: parts.waitMs,
      reason: () => this.#pool.failure ?? 'the connections are busy',
    }
  }

  /** Takes in the database's clock, and the connection that the schema was checked with. */
  async begin(connection: Connection): Promise<void> {
    // No time is told before there is a floor for it.
    await this.#floor.begin(connection)
    this.#pool.add(connection)
  }

  async read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>> {
    checkKeys(keys)
    return this.#ask({ keys, values: true }, deadline)
  }

  async versions(keys: readonly Key[], deadline: Deadline): Promise<Answer<Version>> {
    checkKeys(keys)
    const { now, items } = await this.#ask({ keys, values: false }, deadline)
    return { now, items: items.map(({ version }) => version) }
  }

  async list(range: ListRange, deadline: Deadline): Promise<Page> {
    const limit = pageLimit(range)
    this.#ensureOpen(deadline)
    const call: PageCall = new Call({ range, limit }, deadline)
    this.#reads.addPage(call)
    return this.#end(call, false, () => this.#reads.forget(call))
  }

  async commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    checkCommit(commit)
    if (commit.writes.length === 0) return this.#validate(commit, deadline)
    this.#ensureOpen(deadline)
    const call: CommitCall = new Call(commit, deadline)
    this.#commits.add(call)
    return this.#end(call, true, () => this.#commits.forget(call))
  }

  /**
   * From a connection of its own, in one transaction that reads: writers do not wait, but what they replace is not cleaned up
   * until it is over, so it should not take hours.
   */
  async *snapshot(signal: AbortSignal): AsyncIterable<Entry> {
    if (this.#closing !== undefined) throw new Unavailable('the store is closed')
    yield* snapshotEntries(this.#sessions, this.#schema, signal)
  }

  async prepareReplacement(
    entries: AsyncIterable<Entry>,
    stamps: readonly Key[],
  ): Promise<Replacement> {
    if (this.#closing !== undefined) throw new Unavailable('the store is closed')
    return prepareReplacement(this.#sessions, this.#schema, entries, stamps)
  }

  epoch(): undefined {
    return undefined
  }

  get unreachable(): string | undefined {
    return this.#pool.failure
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#floor.close()
    this.#prune.close()
    this.#reads.close()
    this.#commits.close()
    await Promise.allSettled(this.#calls)
    await this.#pool.close()
  }

  /** Checks without writes need no transaction: a snapshot taken now has every acknowledged commit. */
  async #validate({ checks }: Commit, deadline: Deadline): Promise<Outcome> {
    const keys = checks.map(({ key }) => key)
    const { now, items } = await this.versions(keys, deadline)
    const stale = checks.filter(({ version }, at) => items[at] !== version)
    return stale.length > 0
      ? { kind: 'conflict', stale: stale.map(({ key }) => key) }
      : { kind: 'committed', now }
  }

  async #ask(question: KeysQuestion, deadline: Deadline): Promise<Answer<Stored>> {
    this.#ensureOpen(deadline)
    const call = new Call<KeysQuestion, Answer<Stored>>(question, deadline)
    this.#reads.addKeys(call)
    return this.#end(call, false, () => this.#reads.forget(call))
  }

  async #end<Q, R>(call: Call<Q, R>, changes: boolean, forget: () => void): Promise<R> {
    this.#wake()
    const end = within(call, { ...this.#wait, changes })
    this.#calls.add(end)
    try {
      return await end
    } finally {
      this.#calls.delete(end)
      forget()
    }
  }

  #waitedFor(): readonly (CommitLane | ReadLane | PruneLane)[] {
    return [this.#commits, this.#reads, this.#prune]
  }

  /** In the order in which they get what is free: that of the clock takes a moment once a second, however busy the others are. */
  #lanes(): readonly (ClockLane | CommitLane | ReadLane | PruneLane)[] {
    return [this.#floor, ...this.#waitedFor()]
  }

  /** At the end of this turn of the event loop, so that all its calls travel together. */
  #wake(): void {
    if (this.#woken) return
    this.#woken = true
    setImmediate(() => {
      this.#woken = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    for (const lane of this.#lanes()) {
      while (lane.ready()) {
        const connection = this.#pool.take()
        if (connection === undefined) return
        void lane.start(connection).finally(() => this.#pool.give(connection))
      }
    }
  }

  #ensureOpen(deadline: Deadline): void {
    if (this.#closing !== undefined) throw new Unavailable('the store is closed')
    ensureBefore(deadline)
  }
}

/** Waits for a server that is starting; what cannot pass by itself ends it at once. */
const firstSession = async (
  sessions: Sessions,
  waitMs: number,
  log: (text: string) => void,
): Promise<Connection> => {
  const end = performance.now() + waitMs
  let told: string | undefined
  for (;;) {
    try {
      return await sessions.open()
    } catch (error) {
      if (error instanceof Unfit || performance.now() + START_PAUSE_MS > end) throw error
      const { message } = error as Error
      if (message !== told) log(`${message}; trying for ${Math.ceil(waitMs / 1000)} s`)
      told = message
      await setTimeout(START_PAUSE_MS)
    }
  }
}

/**
 * The store in a PostgreSQL database, shared by all nodes that open it. Makes or migrates its schema. Throws an Error
 * that says what is wrong: with the URL, the server, its settings or the schema's version; nothing is changed then.
 */
export const openPostgresStore = async (options: PostgresOptions): Promise<PostgresStoreHandle> => {
  const { schema = 'signet', poolSize = DEFAULT_POOL, waitMs = 10_000, log = () => {} } = options
  if (!Number.isSafeInteger(poolSize) || poolSize < LEAST_POOL) {
    throw new Error(`a node needs at least ${LEAST_POOL} connections, not ${poolSize}`)
  }
  const quoted = quoteSchema(schema)
  const target = parseConnectionUrl(options.connectionUrl)
  const watch = new DeadlineWatch()
  const sessions = new Sessions({
    target: { ...target, tls: { ...target.tls, ...options.tls } },
    times: { connectMs: options.connectMs ?? 5_000, statementMs: options.statementMs ?? 5_000 },
    watch,
    processes: options.processes ?? 4,
    log,
  })
  const connection = await firstSession(sessions, waitMs, log)
  const store = new PostgresStore({
    schema: quoted,
    statements: statements(quoted),
    sessions,
    watch,
    poolSize,
    waitMs,
    log,
  })
  try {
    await ensureSchema(connection, schema)
    await store.begin(connection)
    return store
  } catch (error) {
    await connection.close()
    await store.close()
    throw error
  }
}
