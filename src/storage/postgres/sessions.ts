import type { DeadlineWatch } from '../deadline-watch.ts'
import type { ConnectionTimes, SessionForm } from './connection.ts'
import { Connection } from './connection.ts'
import type { PostgresHost, PostgresTarget } from './connection-url.ts'
import { Lost, messageOf, Refused, sqlState, Unfit } from './failure.ts'
import { checkServer } from './server-check.ts'

/** What `Sessions` needs to know. */
export interface SessionsOptions {
  readonly target: PostgresTarget
  readonly times: ConnectionTimes
  readonly watch: DeadlineWatch
  /** How many processes of Signet share the database, for the check of its lock table. */
  readonly processes: number
  readonly log: (text: string) => void
}

/** pg's words when the server speaks no TLS. */
const NO_TLS = 'The server does not support SSL connections'
/** Password, user, database, rights: nothing that passes by itself. */
const permanentCodes = /^(?:28...|3D000|42501)$/

/** Opens sessions with the first of the hosts that may be written to, each checked (architecture.md A11). */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #forms = new Map<PostgresHost, SessionForm>()
  readonly #warned = new Set<string>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** A checked session. Throws Unfit if no host can be used until somebody changes something, else Lost; the text names the hosts. */
  async open(): Promise<Connection> {
    const reasons: string[] = []
    let permanent = true
    for (const host of this.#options.target.hosts) {
      try {
        return await this.#openChecked(host)
      } catch (error) {
        permanent &&= isPermanent(error)
        reasons.push(`${placeOf(host)}: ${messageOf(error)}`)
      }
    }
    const text = `PostgreSQL cannot be used: ${reasons.join('; ')}`
    throw permanent ? new Unfit(text) : new Lost(text)
  }

  async #openChecked(host: PostgresHost): Promise<Connection> {
    const connection = await this.#openAny(host)
    try {
      const { warnings } = await checkServer(connection, this.#options.processes)
      for (const warning of warnings) this.#warn(`PostgreSQL at ${placeOf(host)}: ${warning}`)
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /** In the fullest form that the server takes. */
  async #openAny(host: PostgresHost): Promise<Connection> {
    const { target, times, watch } = this.#options
    const mode = target.tls.mode ?? 'prefer'
    const first = {
      tls: mode !== 'disable' && !host.host.startsWith('/'),
      startupTimeouts: true,
    }
    let form = this.#forms.get(host) ?? first
    for (;;) {
      try {
        const connection = await Connection.open(target, host, form, times, watch)
        this.#forms.set(host, form)
        return connection
      } catch (error) {
        const lesser = lesserForm(form, error, mode === 'prefer')
        if (lesser === undefined) throw error
        form = lesser
      }
    }
  }

  #warn(text: string): void {
    if (this.#warned.has(text)) return
    this.#warned.add(text)
    this.#options.log(text)
  }
}

const lesserForm = (
  form: SessionForm,
  error: unknown,
  plainAllowed: boolean,
): SessionForm | undefined => {
  if (form.tls && plainAllowed && messageOf(error) === NO_TLS) return { ...form, tls: false }
  const refused = error instanceof Refused && error.code === sqlState.protocolViolation
  return form.startupTimeouts && refused ? { ...form, startupTimeouts: false } : undefined
}

const isPermanent = (error: unknown): boolean =>
  error instanceof Unfit || (error instanceof Refused && permanentCodes.test(error.code))

const placeOf = ({ host, port }: PostgresHost): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
