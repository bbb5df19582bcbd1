import type { Json } from '../std/json.ts'
import type { MfaAnswers } from './ports/mfa.ts'
import type { Tx } from './records.ts'

/** What a handler answers. `undefined` is "nothing": 204 for writes and deletes, 404 for reads and lists. */
export type Result =
  | DataResult
  | ListResult
  | LoginResult
  | SecondFactorResult
  | AuthResult
  | RawResult
  | StreamResult
  | WrappedResult
  | undefined

/** An enveloped answer; `data: null` is an empty envelope (200). */
export interface DataResult {
  readonly kind: 'data'
  readonly data: Readonly<Record<string, unknown>> | null
  /** Another status with a full envelope (KV v2 404, tidy 202): then no newline ends the body. */
  readonly status?: number
  /** Demands wrapping with at most this TTL, as sys/wrapping/wrap does not but some endpoints do. */
  readonly wrapTtlSeconds?: number
  /** The accessor named in `wrap_info.wrapped_accessor` when this answer is wrapped. */
  readonly wrappedAccessor?: string
  /** Seconds, for engines that advise one without a lease (KV v1: lease_duration). */
  readonly leaseDurationSeconds?: number
  /** What the audit entry shows in place of `data`: counts and a digest of what is too much for it (identity/import). */
  readonly audited?: Readonly<Record<string, Json>>
  /** Without a warning, `warnings` is `[]` instead of null (sys/loggers). */
  readonly emptyWarnings?: boolean
}

/** A list as pages (settled.md 17): nothing holds all of it but the renderer. */
export interface ListResult {
  readonly kind: 'list'
  readonly pages: AsyncIterable<ListPage>
  /** Only so many keys are answered, with `page: {next}`: where to go on, null at the end. Absent: all of them, without it. */
  readonly limit?: number
}

export interface ListPage {
  readonly keys: readonly string[]
  /** Present on lists with `key_info`; members for (some of) the page's keys. */
  readonly keyInfo?: Readonly<Record<string, unknown>>
  /** What `page.next` says after each key, where that is not the key itself. */
  readonly cursors?: readonly string[]
}

/** A login: `decide` runs inside the transaction that makes entity, alias, memberships and token. */
export interface LoginResult {
  readonly kind: 'login'
  readonly decide: (tx: Tx) => Promise<Login>
  /** Told, once the transaction is over, what it was refused with: a wrong guess is counted in a commit of its own. */
  readonly refused?: (error: unknown) => Promise<void>
  /**
   * All of the request that `decide` looks at, as one text: then a login of the same text for which all records are as they were may
   * be taken to come to the same, without `decide`. For methods that ask nobody else, and say what they say in their Login alone.
   */
  readonly presented?: string
  /** True: `data` is `{}` instead of null (ldap). */
  readonly emptyData?: boolean
}

/** The second half of a login: what answers the second factor that it waits for (sys/mfa/validate). */
export interface SecondFactorResult {
  readonly kind: 'second-factor'
  readonly requestId: string
  readonly answers: MfaAnswers
}

/** Token parameters of spec/auth.md section 5, as a role, user or config holds them. Durations in seconds, 0 = unset. */
export interface TokenParameters {
  readonly ttl: number
  readonly maxTtl: number
  readonly explicitMaxTtl: number
  readonly period: number
  readonly policies: readonly string[]
  readonly noDefaultPolicy: boolean
  readonly numUses: number
  readonly boundCidrs: readonly string[]
  readonly type: 'default' | 'service' | 'batch' | 'default-service' | 'default-batch'
  readonly strictlyBindIp: boolean
}

/** What an auth method says of a successful login. */
export interface Login {
  readonly token: TokenParameters
  /** Added to the mount path to make the token's display name; '' for none. */
  readonly displayName: string
  readonly metadata: Readonly<Record<string, string>> | null
  /** Who this is, on this mount; absent = a token without entity. */
  readonly alias?: { readonly name: string; readonly metadata?: Readonly<Record<string, string>> }
  /** Names of groups claimed; matched against group aliases of this mount. */
  readonly groupAliases?: readonly string[]
  /** Kept with the token and given back to `renew` (role name, user name …). Never secrets. */
  readonly internal: Readonly<Record<string, string>>
  readonly warnings?: readonly string[]
  /** ms: from then on the same may be refused, by the end of something. Absent: time changes nothing. */
  readonly until?: number
}

/** What a method says when one of its tokens is renewed; `undefined` = do not renew (204). */
export interface Renewal {
  readonly ttl: number
  readonly maxTtl: number
  readonly period: number
  /** Absent = that of the login stays. */
  readonly explicitMaxTtl?: number
  /** A fresh list of claimed groups (ldap); absent = the remembered ones are applied again. */
  readonly groupAliases?: readonly string[]
}

/** The `auth` block of an answer (token create, renew); member order is the renderer's business. */
export interface AuthBlock {
  readonly clientToken: string
  readonly accessor: string
  readonly tokenPolicies: readonly string[]
  readonly identityPolicies: readonly string[]
  readonly metadata: Readonly<Record<string, string>> | null
  readonly leaseDurationSeconds: number
  readonly renewable: boolean
  readonly entityId: string
  readonly tokenType: 'service' | 'batch'
  readonly orphan: boolean
  readonly numUses: number
  /** Present where a second factor is still to come: there is no token then, and the rest says nothing. */
  readonly mfaRequirement?: Json
}

export interface AuthResult {
  readonly kind: 'auth'
  readonly auth: AuthBlock
}

/** A body that is not enveloped (health, seal-status, OIDC, unwrapped answers). */
export interface RawResult {
  readonly kind: 'raw'
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A body that is sent while it is made: nothing holds all of it. 200, not enveloped, never wrapped. */
export interface StreamResult {
  readonly kind: 'stream'
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Asked for the next piece once the client has taken what was sent. Its `return` is called when the client is gone; what it
   * throws breaks the connection off, so that nobody takes a part for the whole.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** What the audit entry of the answer shows; asked for when the body is made, before its end is sent. */
  readonly summary: () => Readonly<Record<string, Json>>
}

/** The `wrap_info` of an answer that lies behind a wrapping token. `createdAt` in ms. */
export interface WrapInfo {
  readonly token: string
  readonly accessor: string
  readonly ttlSeconds: number
  readonly createdAt: number
  readonly creationPath: string
  /** '' for none. */
  readonly wrappedAccessor: string
}

/** An answer that is wrapped already (sys/wrapping/rewrap). */
export interface WrappedResult {
  readonly kind: 'wrapped'
  readonly wrapInfo: WrapInfo
}

/** 200 with this `data`. */
export const data = (
  value: Readonly<Record<string, unknown>> | null,
  more: Omit<DataResult, 'kind' | 'data'> = {},
): DataResult => ({ kind: 'data', data: value, ...more })

/** A list that is already whole and small. */
export const listOf = (
  keys: readonly string[],
  keyInfo?: Readonly<Record<string, unknown>>,
): ListResult => ({
  kind: 'list',
  pages: (async function* () {
    yield keyInfo === undefined ? { keys } : { keys, keyInfo }
  })(),
})

/** A list whose pages are read as they are needed. */
export const listPages = (pages: AsyncIterable<ListPage>, limit?: number): ListResult => ({
  kind: 'list',
  pages,
  ...(limit === undefined ? {} : { limit }),
})

/** A login decided inside its transaction: read the role or user again there, so that the commit rests on it. */
export const login = (
  decide: (tx: Tx) => Promise<Login>,
  more: Pick<LoginResult, 'refused' | 'presented' | 'emptyData'> = {},
): LoginResult => ({ kind: 'login', decide, ...more })

/** A bare JSON body (already text). */
export const raw = (status: number, body: string, contentType = 'application/json'): RawResult => ({
  kind: 'raw',
  status,
  contentType,
  body,
})
