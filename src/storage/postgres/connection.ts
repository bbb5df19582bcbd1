import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Client, DatabaseError } from 'pg'
import { DeadlineWatch } from '../deadline-watch.ts'
import { deadlineIn } from '../store.ts'
import type { PostgresHost, PostgresTarget, PostgresTls } from './connection-url.ts'
import { Lost, messageOf, Refused, Unfit } from './failure.ts'

/** How long things may take, in ms. */
export interface ConnectionTimes {
  /** From the first packet to a session that can be asked. */
  readonly connectMs: number
  /** A statement; the server gives up by itself then, and the connection is given up a second later. */
  readonly statementMs: number
}

/** How to open a session: what some servers do not take is left out on a second try. */
export interface SessionForm {
  readonly tls: boolean
  /** Timeouts as startup parameters, which PgBouncer refuses unless told to ignore them. */
  readonly startupTimeouts: boolean
}

/** The rows of an answer, values in the order of the columns: bytea as Buffer, bigint as text, integer[] as numbers. */
export type Rows = readonly (readonly unknown[])[]

/** What the server says when a standby has not confirmed a commit and somebody cancelled the wait for it. */
const UNCONFIRMED_ROUTINE = 'SyncRepWaitForLSN'
const GRACE_MS = 1_000
const KEEP_ALIVE_MS = 10_000

const tlsOptions = (tls: PostgresTls): ConnectionOptions => {
  const mode = tls.mode ?? 'prefer'
  const proves = mode === 'verify-full' || mode === 'verify-ca'
  return {
    rejectUnauthorized: proves || (mode === 'require' && tls.caFile !== undefined),
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    ...(tls.caFile !== undefined && { ca: readFileSync(tls.caFile) }),
    ...(tls.certFile !== undefined && { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile !== undefined && { key: readFileSync(tls.keyFile) }),
  }
}

/** A session with the server that is asked one thing at a time. */
export class Connection {
  readonly #client: Client
  readonly #times: ConnectionTimes
  readonly #watch: DeadlineWatch
  /** Whether the server has said that it is ready since it was last asked something. */
  #ready = true
  #whenReady: (() => void) | undefined
  #unconfirmed = false
  #lost: Lost | undefined
  /** Called once, when the connection is gone without having been closed. */
  onLost: (reason: Lost) => void = () => {}

  private constructor(client: Client, times: ConnectionTimes, watch: DeadlineWatch) {
    this.#client = client
    this.#times = times
    this.#watch = watch
    client.on('error', (error) => this.#lose(messageOf(error)))
    client.on('end', () => this.#lose('the server closed the connection'))
    client.on('drain', () => {
      this.#ready = true
      this.#whenReady?.()
    })
    client.on('notice', (notice) => {
      if (notice.routine === UNCONFIRMED_ROUTINE) this.#unconfirmed = true
    })
  }

  /** Opens a session. Throws Refused for what the server answers, Lost for what the network does, Unfit for TLS files. */
  static async open(
    target: PostgresTarget,
    { host, port }: PostgresHost,
    form: SessionForm,
    times: ConnectionTimes,
    watch: DeadlineWatch,
  ): Promise<Connection> {
    const client = new Client({
      host,
      port,
      ...(target.user !== undefined && { user: target.user }),
      ...(target.password !== undefined && { password: target.password }),
      ...(target.database !== undefined && { database: target.database }),
      application_name: target.applicationName,
      ssl: form.tls ? readTls(target.tls) : false,
      connectionTimeoutMillis: times.connectMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      ...(form.startupTimeouts && {
        statement_timeout: times.statementMs,
        idle_in_transaction_session_timeout: times.statementMs,
      }),
    })
    const connection = new Connection(client, times, watch)
    try {
      await watch.within(
        client.connect(),
        deadlineIn(times.connectMs),
        () => new Lost(`no session within ${times.connectMs} ms`),
      )
      return connection
    } catch (error) {
      connection.destroy()
      if (error instanceof DatabaseError) throw new Refused(error.code ?? '', error.message)
      throw error instanceof Lost ? error : new Lost(messageOf(error))
    }
  }

  get lost(): boolean {
    return this.#lost !== undefined
  }

  /**
   * One statement in a transaction of its own. Throws Refused when nothing of it happened and the connection lives on,
   * Lost when it may have happened; the connection is destroyed then.
   */
  async query(
    text: string,
    values: readonly unknown[] = [],
    limitMs = this.#times.statementMs,
  ): Promise<Rows> {
    if (this.#lost !== undefined) throw this.#lost
    this.#ready = false
    const deadline = deadlineIn(limitMs + GRACE_MS)
    const late = () => new Lost(`no answer within ${limitMs + GRACE_MS} ms`)
    try {
      const run = this.#client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })
      const { rows } = await this.#watch.within(run, deadline, late)
      if (!this.#unconfirmed) return rows
      throw new Lost('a commit was not confirmed by the synchronous standby')
    } catch (error) {
      // A refusal is one only once the server is ready again: what ends the session may have come after the commit.
      if (error instanceof DatabaseError && (await this.#readyAgain(deadline, late))) {
        throw new Refused(error.code ?? '', error.message)
      }
      throw this.#lose(messageOf(error))
    }
  }

  /** Ends the session in good order. */
  async close(): Promise<void> {
    this.#lost ??= new Lost('the connection is closed')
    this.onLost = () => {}
    try {
      await this.#watch.within(this.#client.end(), deadlineIn(GRACE_MS), () => new Lost('late'))
    } catch {
      // A server that does not say goodbye is left.
      this.destroy()
    }
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#lose('the connection was given up')
  }

  async #readyAgain(deadline: number, late: () => Error): Promise<boolean> {
    try {
      const ready = new Promise<void>((resolve) => {
        this.#whenReady = resolve
        if (this.#ready || this.lost) resolve()
      })
      await this.#watch.within(ready, deadline, late)
      return !this.lost
    } catch {
      return false
    } finally {
      this.#whenReady = undefined
    }
  }

  #lose(reason: string): Lost {
    if (this.#lost === undefined) {
      this.#lost = new Lost(reason)
      // `end` would wait for a server that may be gone.
      this.#client.connection.stream.destroy()
      this.#whenReady?.()
      this.onLost(this.#lost)
    }
    return this.#lost
  }
}

const readTls = (tls: PostgresTls): ConnectionOptions => {
  try {
    return tlsOptions(tls)
  } catch (error) {
    throw new Unfit(`a TLS file cannot be read: ${messageOf(error)}`)
  }
}
