import type { CallerView, Mount, Namespace } from '../call.ts'
import type { Names, Reader, Records, Tx } from '../records.ts'
import type { Hint } from '../refusal.ts'
import type { AuthBlock } from '../result.ts'

/** What is known of a token (spec/auth.md 2.2): stored for a service token, sealed in the text of a batch token. The text of a service token is not kept, only its hash. Times in ms, durations in seconds. */
export interface TokenRecord {
  readonly accessor: string
  /** Hashes (hex) of the ancestors, nearest first; empty for an orphan. A token lives only while all of them do. */
  readonly lineage: readonly string[]
  readonly policies: readonly string[]
  /** Creation path: `auth/token/create`, `auth/userpass/login/bob`. */
  readonly path: string
  readonly meta: Readonly<Record<string, string>> | null
  readonly displayName: string
  /** Uses it was made with; 0 = unlimited. What is left stands in a record of its own. */
  readonly numUses: number
  readonly createdAt: number
  /** TTL at creation; 0 = never expires. */
  readonly creationTtl: number
  readonly explicitMaxTtl: number
  readonly period: number
  /** Role of `auth/token/roles` it was made with; '' for none. */
  readonly role: string
  readonly entityId: string
  readonly boundCidrs: readonly string[]
  readonly renewable: boolean
  /** The initial root token has no lease: it shows no issue time and cannot be renewed. */
  readonly leased: boolean
  readonly expiresAt: number | undefined
  readonly renewedAt: number | undefined
  /** The mount that issued it: the token dies with it (architecture.md B3). */
  readonly mountUuid: string
  /** Of the login, for renewals; absent on tokens made by tokens. */
  readonly login?: {
    readonly internal: Readonly<Record<string, string>>
    readonly groupAliases: readonly string[]
    readonly ttl: number
    readonly maxTtl: number
  }
  /** `revoked`: dead, clean-up under way. `orphaned`: dead, but its children live on (architecture.md B2). */
  readonly state: 'live' | 'revoked' | 'orphaned'
  /** Present on response-wrapping tokens. */
  readonly wrapping?: {
    readonly creationPath: string
    readonly ttl: number
    readonly wrappedAccessor: string
  }
  /** Present on tokens that an engine made for one purpose (access tokens of OIDC providers). */
  readonly only?: TokenPurpose
}

/** The one purpose of a token: it may do what this policy text says and nothing else, whatever its entity may do. */
export interface TokenPurpose {
  readonly policy: string
  /** What the engine that made it keeps with it. Never secrets. */
  readonly internal: Readonly<Record<string, string>>
}

/** A token that is alive at `now`: itself, its lineage and the mount that issued it. */
export interface LiveToken {
  /** A batch token has no records: neither accessor, uses nor cubbyhole. */
  readonly type: 'service' | 'batch'
  /** The hash of the token's text, 16 bytes; empty for a batch token that has no text yet. */
  readonly key: Uint8Array
  readonly record: TokenRecord
  /** Uses left; 0 = unlimited. */
  readonly usesLeft: number
  readonly orphan: boolean
  /** Of a login that came along with a request: it is stored nowhere, and there is nothing else it could be used for. */
  readonly passing?: boolean
}

/** What a new token is; drawn texts come from `draw`, outside the transaction. */
export interface NewToken {
  readonly text: string
  readonly accessor: string
  readonly parent: LiveToken | undefined
  readonly record: Omit<
    TokenRecord,
    'accessor' | 'lineage' | 'createdAt' | 'expiresAt' | 'renewedAt' | 'state'
  >
}

/** What a new batch token is. */
export interface NewBatchToken {
  /** The token that makes it; undefined at logins. */
  readonly creator: LiveToken | undefined
  /** Whether it outlives the creator. */
  readonly orphan: boolean
  readonly record: Pick<
    TokenRecord,
    | 'policies'
    | 'path'
    | 'meta'
    | 'displayName'
    | 'creationTtl'
    | 'role'
    | 'entityId'
    | 'boundCidrs'
    | 'mountUuid'
    | 'only'
  >
}

/** Whose token it shall be, by an alias on the mount (identity.md 7.7). Ids and randomness are drawn outside the transaction. */
export interface AliasOwner {
  readonly mount: Mount
  readonly name: string
  newId(): string
  randomBytes(length: number): Buffer
}

/** The token store as the token engine and `sys/` use it. */
export interface TokenPort {
  /** A random text (`s.` + 24 base-62 characters) and accessor. */
  draw(): { readonly text: string; readonly accessor: string }
  /** The caller's own token, its use of this request already spent: -1 uses left means it was the last. */
  ofCaller(caller: CallerView): LiveToken
  /** The text of the caller's token, to be given back to the caller alone. */
  textOfCaller(caller: CallerView): string
  /** Starts a round of clean-up. */
  tidy(): void
  /** The live token of a text; undefined for unknown, expired, revoked and used-up ones alike. */
  find(reader: Reader, scope: TokenScope, text: string): Promise<LiveToken | undefined>
  /** The live token of an accessor. */
  findByAccessor(
    reader: Reader,
    scope: TokenScope,
    accessor: string,
  ): Promise<LiveToken | undefined>
  /** Finishes the clean-up of a dead token of this text, so that it can be given again; nothing happens to a live one. */
  bury(scope: TokenScope, text: string): Promise<void>
  /** Whether a text is taken by any token, dead ones awaiting clean-up included. */
  taken(reader: Reader, scope: TokenScope, text: string): Promise<boolean>
  /** Puts token, accessor, edge to the parent and expiry. Throws a Refusal when the lineage is too deep. */
  issue(tx: Tx, scope: TokenScope, token: NewToken): LiveToken
  /**
   * In the transaction, instead of `issue`: a batch token without its text. Reads its creator there, and throws a Refusal when
   * that has ended, when the lineage is too deep or the text would be too long for a header. Writes nothing.
   */
  composeBatch(tx: Tx, scope: TokenScope, token: NewBatchToken): Promise<LiveToken>
  /** After the transaction: the text of what `composeBatch` gave, another one each time. */
  sealBatch(token: LiveToken): string
  /** Finds or makes the entity of an alias, without logging in. */
  aliasEntity(
    tx: Tx,
    scope: TokenScope,
    owner: AliasOwner,
  ): Promise<{ readonly entityId: string; readonly disabled: boolean }>
  /**
   * Ends the token and, through their lineage, all that descends from it; clean-up follows in the background. Throws the
   * recorded Refusal for a batch token.
   */
  revoke(tx: Tx, scope: TokenScope, token: LiveToken): void
  /** Ends only this token; its children become orphans, but its batch children end with it. Throws as `revoke`. */
  revokeOrphan(tx: Tx, scope: TokenScope, token: LiveToken): void
  /**
   * Renews: asks the issuing method, applies spec/auth.md 2.3, refreshes external groups, extends. `undefined` when the
   * method says not to renew. Throws the recorded Refusals.
   */
  renew(
    tx: Tx,
    scope: TokenScope,
    token: LiveToken,
    incrementSeconds: number,
  ): Promise<Renewed | undefined>
  /** The live token of a hash (`LiveToken.key`). */
  findByKey(reader: Reader, scope: TokenScope, key: Uint8Array): Promise<LiveToken | undefined>
  /** Ends those of the tokens that have not ended, with all that descends from them; at most 100 a transaction. */
  revokeKeys(tx: Tx, scope: TokenScope, keys: readonly Uint8Array[]): Promise<void>
  /** Tokens with a lease that have neither ended nor expired by themselves. Reads every token: for administrators only. */
  leased(
    records: Records,
    scope: TokenScope,
  ): AsyncIterable<readonly { readonly key: Uint8Array; readonly path: string }[]>
  /** Accessors of live and dying tokens, page by page. */
  accessors(records: Records, scope: TokenScope): AsyncIterable<readonly string[]>
  /** Identity policies of an entity, in the order of identity.md 7.4, duplicates kept; empty without entity. */
  identityPolicies(reader: Reader, scope: TokenScope, entityId: string): Promise<readonly string[]>
  /** The same of the caller's entity, as it was when the request was let in. */
  identityPoliciesOfCaller(caller: CallerView): readonly string[]
  /** Those of the names that have no policy, in their order. */
  missingPolicies(
    reader: Reader,
    scope: TokenScope,
    names: readonly string[],
  ): Promise<readonly string[]>
}

/** Where and when a token operation takes place. */
export interface TokenScope {
  readonly namespace: Namespace
  readonly names: Names
  readonly now: number
}

/** A renewed token, as the answer shows it but for its text. */
export interface Renewed {
  readonly auth: Omit<AuthBlock, 'clientToken'>
  readonly warnings: readonly string[]
  readonly hints: readonly Hint[]
}
