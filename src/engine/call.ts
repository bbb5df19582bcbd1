import type { Json } from '../std/json.ts'
import type { LockoutTuning } from './ports/mounts.ts'
import type { Names, Records } from './records.ts'
import type { Verb } from './route.ts'

/** A namespace; only root exists yet, but every key carries its number. */
export interface Namespace {
  /** `root` for root. */
  readonly id: string
  readonly number: number
  /** '' for root, else ending in '/'. */
  readonly path: string
}

/** A mount as engines see it. */
export interface Mount {
  readonly uuid: string
  /** The uuid's 16 bytes: the first part of the keys of its data. */
  readonly key: Uint8Array
  /** `auth_userpass_4f3c1a2b` */
  readonly accessor: string
  /** `userpass` */
  readonly type: string
  /** `auth/userpass/` or `secret/`, with the trailing slash. */
  readonly path: string
  readonly description: string
  readonly local: boolean
  readonly options: Readonly<Record<string, string>> | null
  /** Effective, in seconds: the mount's tuning falling back to the system's. */
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  /** `default-service` unless tuned. */
  readonly tokenType: string
  /** When failed logins lock users out, where it is tuned. */
  readonly lockout?: LockoutTuning
}

/** Who is calling, as far as an engine may know. */
export interface CallerView {
  readonly tokenAccessor: string
  /** '' when the token has no entity. */
  readonly entityId: string
  readonly displayName: string
  /** Token and identity policies, sorted, once each. */
  readonly policies: readonly string[]
  readonly root: boolean
  /** Whether the caller's policies grant `sudo` on this request's path. */
  readonly sudo: boolean
  /** 16 bytes, the HMAC of the token: where its cubbyhole lives. Empty for a batch token, which has none, and where `passing`. */
  readonly tokenKey: Uint8Array
  /** Whether the token ends with this request, and nothing of it is stored: what it would keep nobody could ask for. */
  readonly passing: boolean
}

/** One request as a handler sees it: typed input, and only what an engine may use. Immutable. */
export interface Call<I = Readonly<Record<string, unknown>>> {
  readonly input: I
  /** Whether the field was sent (body, query or path), whatever its value. */
  readonly has: (field: keyof I & string) => boolean
  /** The body's members on writes of routes with `free`; {} otherwise. */
  readonly free: Readonly<Record<string, Json>>
  /** The body as it came, on routes with `rawBody`; undefined when it was sent as something else. */
  readonly rawBody?: Uint8Array | undefined
  /** The body as it comes, on routes with `streamedBody`. Reading it throws BrokenBody when it does not come whole. */
  readonly bodyStream?: AsyncIterable<Uint8Array> | undefined
  /** Whether the request had a body or parameters at all. */
  readonly hasBody: boolean
  readonly verb: Verb
  /** The whole request path without `/v1/`, e.g. `auth/userpass/login/bob`. */
  readonly path: string
  readonly namespace: Namespace
  readonly mount: Mount
  readonly caller: CallerView | undefined
  /** The store's time in ms; fixed for the request. */
  readonly now: number
  readonly requestId: string
  readonly remoteAddress: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Seconds asked for by X-Vault-Wrap-TTL (or a smaller demand of the endpoint); undefined = none. */
  readonly wrapTtlSeconds: number | undefined
  /**
   * The mount's records. `transact` adds the caller's own authority (token, lineage, entity, groups, policies), the
   * mount and the existence check to the commit (A7, A8): if one of them changed, the request is decided anew.
   */
  readonly records: Records
  readonly names: Names
  /** A fresh random id, 8-4-4-4-12. */
  readonly newId: () => string
  readonly randomBytes: (length: number) => Buffer
  /** Adds a warning to the answer (dropped on a 204, as in the reference). */
  warn(text: string): void
  /** Adds a hint: advice Vault never gives (settled.md 10). Also arrives on a 204, as a header. */
  hint(code: string, text: string): void
  /** Adds to the audit entry of the response. */
  audited(field: 'entity_created', value: boolean): void
}
