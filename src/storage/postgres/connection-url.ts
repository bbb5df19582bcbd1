/** How the connection is protected, in the words of `sslmode`. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/** TLS towards the database. Files are read at each connect, so that replaced ones count. */
export interface PostgresTls {
  /**
   * `prefer` (the default) takes TLS where the server offers it and proves nothing; `require` insists, and verifies as
   * `verify-ca` does when there is a CA file; `verify-ca` proves the certificate's chain, `verify-full` its name as well.
   */
  readonly mode?: TlsMode
  /** PEM of the authorities; absent: those that Node knows. */
  readonly caFile?: string
  /** PEM of the client's certificate and key. */
  readonly certFile?: string
  readonly keyFile?: string
}

/** One server of a connection URL; a host that begins with a slash is the folder of a Unix socket. */
export interface PostgresHost {
  readonly host: string
  readonly port: number
}

/** What a connection URL says. */
export interface PostgresTarget {
  /** At least one: they are tried in turn until one may be written to. */
  readonly hosts: readonly PostgresHost[]
  /** Absent ones come from PGUSER, PGPASSWORD and PGDATABASE, as everywhere with PostgreSQL. */
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly applicationName: string
  readonly tls: PostgresTls
}

const DEFAULT_PORT = 5432
const FORM = 'postgres://user:password@host:5432/database?sslmode=verify-full'
const MODES: ReadonlySet<string> = new Set([
  'disable',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
] satisfies TlsMode[])
/** A node writes: the only kinds of server that make sense say so. */
const SESSIONS: ReadonlySet<string> = new Set(['any', 'primary', 'read-write'])
const PARAMETERS: ReadonlySet<string> = new Set([
  'application_name',
  'dbname',
  'host',
  'password',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
  'target_session_attrs',
  'user',
])

const wrong = (why: string): Error => new Error(`connection_url: ${why}; its form is ${FORM}`)

const decode = (text: string | undefined): string | undefined => {
  if (text === undefined || text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a % must be followed by two hex digits (%25 is a % itself)')
  }
}

const portOf = (text: string | undefined): number => {
  if (text === undefined || text === '') return DEFAULT_PORT
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port === 0 || port > 65_535) {
    throw wrong(`a port is a number from 1 to 65535, not ${JSON.stringify(text)}`)
  }
  return port
}

const hostOf = (text: string): PostgresHost => {
  const [, six, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? []
  if (six === undefined && name === '' && text !== '') {
    throw wrong(`${JSON.stringify(text)} is no host`)
  }
  return { host: six ?? decode(name) ?? 'localhost', port: portOf(port) }
}

const parametersOf = (query: string | undefined): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>()
  for (const pair of (query ?? '').split('&')) {
    if (pair === '') continue
    const [name = '', ...value] = pair.split('=')
    if (!PARAMETERS.has(name)) {
      throw wrong(
        `unknown parameter ${JSON.stringify(name)} (there are ${[...PARAMETERS].join(', ')})`,
      )
    }
    const decoded = decode(value.join('='))
    if (decoded !== undefined) parameters.set(name, decoded)
  }
  return parameters
}

const tlsOf = (parameters: ReadonlyMap<string, string>): PostgresTls => {
  const mode = parameters.get('sslmode') === 'allow' ? 'prefer' : parameters.get('sslmode')
  if (mode !== undefined && !MODES.has(mode)) {
    throw wrong(`unknown sslmode ${JSON.stringify(mode)} (there are ${[...MODES].join(', ')})`)
  }
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => parameters.get(name))
  return {
    ...(mode !== undefined && { mode: mode as TlsMode }),
    // libpq's word for the authorities that the machine trusts.
    ...(ca !== undefined && ca !== 'system' && { caFile: ca }),
    ...(cert !== undefined && { certFile: cert }),
    ...(key !== undefined && { keyFile: key }),
  }
}

/**
 * Reads a connection URL as libpq does, several hosts included (`postgres://a:5432,b:5432/signet`). Throws an Error that
 * says what is wrong and never repeats the password.
 */
export const parseConnectionUrl = (url: string): PostgresTarget => {
  const [, userinfo, hosts = '', path, query] =
    /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? []
  if (!/^postgres(?:ql)?:\/\//.test(url)) throw wrong('it must begin with postgres://')
  if (userinfo === undefined && url.includes('@'))
    throw wrong('a / or ? before the @ is %2F or %3F')
  const parameters = parametersOf(query)
  const session = parameters.get('target_session_attrs')
  if (session !== undefined && !SESSIONS.has(session)) {
    throw wrong(`target_session_attrs=${session} would choose a server that nobody can write to`)
  }
  const colon = userinfo?.indexOf(':') ?? -1
  const user = colon < 0 ? userinfo : userinfo?.slice(0, colon)
  const password = colon < 0 ? undefined : userinfo?.slice(colon + 1)
  const named = parameters.get('host')
  return {
    hosts:
      named === undefined
        ? hosts.split(',').map(hostOf)
        : named.split(',').map((host) => ({ host, port: portOf(parameters.get('port')) })),
    user: parameters.get('user') ?? decode(user),
    password: parameters.get('password') ?? decode(password),
    database: parameters.get('dbname') ?? decode(path),
    applicationName: parameters.get('application_name') ?? 'signet',
    tls: tlsOf(parameters),
  }
}
