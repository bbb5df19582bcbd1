import { recordKind } from '../../../engine/records.ts'
import type { AlgorithmName } from './algorithms.ts'

/**
 * Everything identity tokens and the OIDC provider store. `H` = names.hash(kind, name): names here are compared with their
 * case (identity.md 5.2). Durations are seconds, times ms. What is referred to counts its referrers, so that a refusal
 * to delete rests on one record; the names in such a refusal come from a scan.
 */

/** `oc/<ns>`: the issuer of identity tokens; '' = the server's own address. */
export interface OidcConfig {
  readonly issuer: string
}
export const oidcConfigs = recordKind<OidcConfig>('oc')

/** A public key as a JWKS shows it, without `use`, `kid` and `alg`. */
export type PublicJwk = Readonly<Record<string, string>>

/** One public key of a named key. */
export interface RingKey {
  readonly kid: string
  readonly algorithm: AlgorithmName
  readonly jwk: PublicJwk
}

/** A key that signs no more, published until the last token it may have signed has ended. */
export interface RetiredKey extends RingKey {
  readonly until: number
}

/** `ok/<ns>H('oidc-key', name)`: a named key, its public half; private keys stand apart so that publishing never reads them. */
export interface KeyRecord {
  readonly name: string
  readonly algorithm: AlgorithmName
  readonly rotationPeriod: number
  readonly verificationTtl: number
  readonly allowedClientIds: readonly string[]
  /** Absent only on the default key that nothing has used yet. */
  readonly current: RingKey | undefined
  /** Published already, signs after the next rotation. */
  readonly next: RingKey | undefined
  /** Oldest first. */
  readonly retired: readonly RetiredKey[]
  /** Undefined only on the default key that nobody has stored yet. */
  readonly nextRotationAt: number | undefined
  /** The current key may have signed tokens that live so long, under a longer verification_ttl than there is now; 0 = no. */
  readonly verifyUntil: number
  readonly roles: number
  readonly clients: number
  /** Moves with every write of a role or client of this key: who decided on their TTLs checks it. */
  readonly references: number
}
export const oidcKeys = recordKind<KeyRecord>('ok')

/** `okp/<ns>H('oidc-key', name)`: the private halves (PKCS8, base64), sealed by the barrier as every value is. */
export interface PrivateKeys {
  readonly current: PrivateKey
  readonly next: PrivateKey
}
export interface PrivateKey {
  readonly kid: string
  readonly pkcs8: string
}
export const oidcPrivateKeys = recordKind<PrivateKeys>('okp')

/** `or/<ns>H('oidc-role', name)` */
export interface RoleRecord {
  readonly name: string
  readonly key: string
  readonly template: string
  readonly ttl: number
  readonly clientId: string
  /** Audiences that a request may ask for instead of the client id; sorted. */
  readonly allowedAudiences: readonly string[]
}
export const oidcRoles = recordKind<RoleRecord>('or')

/** `oa/<ns>H('oidc-assignment', name)` */
export interface AssignmentRecord {
  readonly name: string
  readonly entityIds: readonly string[]
  readonly groupIds: readonly string[]
  readonly clients: number
}
export const oidcAssignments = recordKind<AssignmentRecord>('oa')

/** `os/<ns>H('oidc-scope', name)` */
export interface ScopeRecord {
  readonly name: string
  readonly template: string
  readonly description: string
  readonly providers: number
}
export const oidcScopes = recordKind<ScopeRecord>('os')

/** `ol/<ns>H('oidc-client', name)` */
export interface ClientRecord {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly assignments: readonly string[]
  readonly key: string
  readonly idTokenTtl: number
  readonly accessTokenTtl: number
  readonly type: 'confidential' | 'public'
  readonly authorizationCode: boolean
  readonly clientCredentials: boolean
  readonly clientId: string
  /** '' for public clients. */
  readonly clientSecret: string
  /** May be given refresh tokens, and for how long: seconds without use, and in all. */
  readonly allowRefresh: boolean
  readonly refreshIdleTtl: number
  readonly refreshMaxTtl: number
  readonly deviceCode: boolean
  /** Where browsers may be sent after a logout; sorted. */
  readonly postLogoutRedirectUris: readonly string[]
}
export const oidcClients = recordKind<ClientRecord>('ol')

/** `oli/<ns>H('oidc-client-id', id)`: whose client id it is. */
export const oidcClientIds = recordKind<{ readonly name: string }>('oli')

/** `op/<ns>H('oidc-provider', name)` */
export interface ProviderRecord {
  readonly name: string
  readonly issuer: string
  readonly allowedClientIds: readonly string[]
  readonly scopes: readonly string[]
}
export const oidcProviders = recordKind<ProviderRecord>('op')

/** `oq/<ns>H('oidc-code', code)`: an authorization code that nobody has used yet; its text is not kept. */
export interface CodeRecord {
  readonly provider: string
  readonly clientId: string
  readonly entityId: string
  readonly redirectUri: string
  /** '' for none. */
  readonly nonce: string
  /** Sorted, without `openid`. */
  readonly scopes: readonly string[]
  readonly challenge: { readonly method: 'plain' | 'S256'; readonly value: string } | undefined
  /** Seconds; only when max_age was asked for. */
  readonly authTime: number | undefined
  /** The sign-in session in which it was asked for. */
  readonly sid: string
  readonly expiresAt: number
  /** The offline session that it was exchanged for: whoever brings the code again ends that. */
  readonly spentFor?: string
}
export const oidcCodes = recordKind<CodeRecord>('oq')

/**
 * `of/<ns><id>`: what a client was granted beyond the life of an access token. One refresh token is current at any time;
 * each use of it makes another current. Texts of tokens are not kept, only their hashes (hex).
 */
export interface OfflineSession {
  readonly id: string
  readonly provider: string
  readonly clientId: string
  readonly entityId: string
  /** Sorted, without `openid`. */
  readonly scopes: readonly string[]
  readonly authTime: number | undefined
  readonly sid: string
  readonly createdAt: number
  readonly usedAt: number
  readonly current: string
  /** The token before; '' before the first use. */
  readonly previous: string
}
export const oidcSessions = recordKind<OfflineSession>('of')

/** `ofe/<ns><entity id><id>`: an entity's offline sessions, by the id it had when they began. */
export const oidcEntitySessions = recordKind<{ readonly of: 'entity' }>('ofe')

/** `ofs/<ns>H('oidc-sid', sid)<id>`: the offline sessions of a sign-in session. */
export const oidcSignInSessions = recordKind<{ readonly of: 'sign-in' }>('ofs')

/** `ov/<ns><token id>`: an access token that was revoked before its time; kept until that. */
export const oidcRevoked = recordKind<{ readonly until: number }>('ov')

/** `odv/<ns>H('oidc-device-code', code)`: a device that waits for somebody to let it in. */
export interface DeviceRecord {
  readonly provider: string
  readonly clientId: string
  /** Sorted, without `openid`. */
  readonly scopes: readonly string[]
  /** Where the device asked from. */
  readonly remoteAddress: string
  readonly createdAt: number
  readonly expiresAt: number
  /** Seconds between two polls at least; grows when they come faster. */
  readonly interval: number
  /** ms; 0 = never. */
  readonly polledAt: number
  readonly decision:
    | { readonly approved: false }
    | { readonly approved: true; readonly entityId: string; readonly sid: string }
    | undefined
}
export const oidcDevices = recordKind<DeviceRecord>('odv')

/** `odu/<ns>H('oidc-user-code', code)`: the device of a user code, by the hash (hex) of its device code. */
export const oidcUserCodes = recordKind<{ readonly device: string; readonly until: number }>('odu')

/** `odg/<ns><entity id>`: wrong user codes that an entity has tried since the first of them. */
export const oidcGuesses = recordKind<{ readonly wrong: number; readonly until: number }>('odg')

/**
 * `od/<ns><time 6 bytes><kind byte>H`: when to look at a key (to rotate it) or at what ends by time (to drop it); H is 16
 * bytes, a hash or an id. A hint: the record at H is the truth.
 */
export const oidcDue = recordKind<{ readonly due: true }>('od')
