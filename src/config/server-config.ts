import type { LogLevel } from '../std/log-level.ts'
/** `tls_min_version` and `tls_max_version` in Node's words. */
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

/** TLS of a listener. Paths, not contents: a reload reads the files again (spec/sys.md 9.7). */
export type ListenerTls = {
  readonly certFile: string
  readonly keyFile: string
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** OpenSSL names separated by colons; absent: Node's default. */
  readonly ciphers?: string
  /** CAs for client certificates; absent: the system's. */
  readonly clientCaFile?: string
  /** Refuse clients without a verified certificate. */
  readonly requireClientCert: boolean
  /** Do not even ask for one. */
  readonly disableClientCerts: boolean
}

/** Bounds of a listener; absent ones are the server's defaults. */
export type ListenerLimits = {
  readonly readMs?: number
  readonly readHeaderMs?: number
  readonly writeMs?: number
  readonly idleMs?: number
  /** Negative: unlimited. */
  readonly requestBytes?: number
  readonly requestMs?: number
  readonly jsonMemoryBytes?: number
  readonly jsonStrings?: number
}

/** `X-Forwarded-For` is believed only from these addresses (CIDR or single); empty: never looked at. */
export type ForwardedFor = {
  readonly authorized: readonly string[]
  readonly hopSkips: number
  readonly rejectNotPresent: boolean
  readonly rejectNotAuthorized: boolean
}

/** Cross-origin rules of a listener. */
export type ListenerCors = {
  readonly origins: readonly string[]
  readonly headers: readonly string[]
  readonly credentials: boolean
}

/** Header values by header name, by `default`, status class (`2xx`) or status (`200`). */
export type ResponseHeaders = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/** What all listeners have. */
type ListenerCommon = {
  readonly limits: ListenerLimits
  readonly forwardedFor: ForwardedFor
  readonly cors: ListenerCors | undefined
  readonly responseHeaders: ResponseHeaders
  /** `sys/metrics` needs no token here. */
  readonly unauthenticatedMetrics: boolean
}

/** `listener "tcp"`. */
export type TcpListenerConfig = ListenerCommon & {
  readonly kind: 'tcp'
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Absent: plain HTTP. */
  readonly tls: ListenerTls | undefined
}

/** `listener "unix"`: plain HTTP over a socket file. */
export type UnixListenerConfig = ListenerCommon & {
  readonly kind: 'unix'
  readonly path: string
  /** Permission bits of the socket file. */
  readonly mode?: number
  /** Owner by name or number. */
  readonly user?: string
  readonly group?: string
}

export type ListenerConfig = TcpListenerConfig | UnixListenerConfig

/** `storage "postgresql"`; absent ones are the defaults of storage/postgres. */
export type PostgresStorageConfig = {
  readonly kind: 'postgresql'
  /** `postgres://user:password@host:5432/database?sslmode=verify-full`: holds a password, so it is never shown. */
  readonly connectionUrl: string
  /** The schema of the tables. */
  readonly schema?: string
  /** Connections of each process. */
  readonly poolSize?: number
  /** Processes of Signet on the database, all nodes together: for the check of its lock table. */
  readonly processes?: number
  /** How long a request waits for a connection. */
  readonly waitMs?: number
  readonly connectMs?: number
  readonly statementMs?: number
}

/** Where the data lies: memory, LMDB in a folder (`storage "lmdb"`; `file` means the same), or PostgreSQL. */
export type StorageConfig =
  | { readonly kind: 'inmem' }
  | {
      readonly kind: 'lmdb'
      readonly path: string
      /** Stands in for memory, which processes do not share: gone with the server. */
      readonly temporary?: boolean
    }
  | PostgresStorageConfig

export type StorageKind = StorageConfig['kind']

/** How the root key is guarded. Only Shamir shares are built. */
export type SealConfig = { readonly kind: 'shamir' }

/** `audit "<type>" "<path>"`: the path ends in a slash. Options are texts, as `sys/audit` has them. */
export type AuditConfig = {
  readonly type: string
  readonly path: string
  readonly description: string
  readonly local: boolean
  readonly options: ReadonlyMap<string, string>
}

/** Which auth methods a `user_lockout` stanza is for. */
export type LockoutMethod = 'all' | 'userpass' | 'ldap' | 'approle'

/** `user_lockout "<method>"`; what a stanza leaves out comes from `all`, then from the defaults. */
export type UserLockout = {
  /** 0: as `disabled`. */
  readonly threshold: number
  readonly durationSeconds: number
  readonly counterResetSeconds: number
  readonly disabled: boolean
}

/** What development mode adds: the server initialises and unseals itself, checks Host headers, mounts `secret/` (kv v2). */
export type DevConfig = {
  /** The root token's text; absent: random. */
  readonly rootTokenId?: string
  /** `host:port`, as it stands in `listeners` too. */
  readonly listenAddress: string
  /**
   * A folder that keeps the server between starts. `startServer` keeps unseal key and root token there in `keys.json`
   * (`{"unseal_key","root_token"}`, mode 0600, written before it listens), and `storage` names an LMDB folder within.
   * Absent: memory only, nothing on disk.
   */
  readonly dataFolder?: string
}

/** Everything that `startServer` needs to know, checked. */
export type ServerConfig = {
  /** At least one. */
  readonly listeners: readonly ListenerConfig[]
  readonly storage: StorageConfig
  readonly seal: SealConfig
  /** Devices of the configuration: present from unsealing on, and the API cannot disable them. */
  readonly audit: readonly AuditConfig[]
  /** How clients reach this server; absent: derived from the first listener. */
  readonly apiAddress: string | undefined
  readonly clusterAddress: string | undefined
  /** Absent: generated at initialisation. */
  readonly clusterName: string | undefined
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  readonly defaultMaxRequestSeconds: number
  readonly logLevel: LogLevel
  readonly logFormat: 'standard' | 'json'
  readonly logFile: string | undefined
  readonly pidFile: string | undefined
  readonly ui: boolean
  /** How long a sign-in in a browser lasts without use, and in all. */
  readonly uiSessionIdleSeconds: number
  readonly uiSessionMaxSeconds: number
  /** By method, `all` and defaults already applied. */
  readonly userLockout: ReadonlyMap<Exclude<LockoutMethod, 'all'>, UserLockout>
  readonly rawStorageEndpoint: boolean
  readonly introspectionEndpoint: boolean
  readonly disablePrintableCheck: boolean
  /** Whether `POST sys/audit/:path` may create devices: true unless the configuration says otherwise. */
  readonly allowApiAuditCreation: boolean
  readonly allowAuditLogPrefixing: boolean
  /** Processes that serve; 1: no supervisor. */
  readonly workers: number
  /** Present in development mode. */
  readonly dev: DevConfig | undefined
  /** What was read and means nothing here (`disable_mlock`, unknown keys): one text a line, for the log. */
  readonly notes: readonly string[]
}
