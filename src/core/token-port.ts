import type { CallerView } from '../engine/call.ts'
import type { IdentityPort, Subject } from '../engine/identity-port.ts'
import type {
  AliasOwner,
  LiveToken,
  NewBatchToken,
  NewToken,
  Renewed,
  TokenPort,
  TokenRecord,
  TokenScope,
} from '../engine/ports/tokens.ts'
import type { Reader, Records, Tx } from '../engine/records.ts'
import { failed, invalid } from '../engine/refusal.ts'
import type { Renewal } from '../engine/result.ts'
import { decideTtl } from '../engine/ttl.ts'
import type { BatchTokens } from './batch-tokens.ts'
import { isBatchToken } from './batch-tokens.ts'
import { callerOf, textOf } from './callers.ts'
import type { MountTable } from './mounts.ts'
import { cleanPolicies } from './policy-names.ts'
import type { PolicyStore } from './policies.ts'
import {
  drawToken,
  issueToken,
  judgeToken,
  listAccessors,
  listLeased,
  liveByAccessor,
  liveToken,
  revokeToken,
  tokenKey,
  tokenRef,
} from './tokens.ts'

export interface TokenPortOptions {
  readonly identity: IdentityPort
  readonly mounts: MountTable
  readonly policies: PolicyStore
  readonly batch: BatchTokens
  /** Starts a round of background work. */
  readonly tidy: () => void
  /** Cleans up behind the token of a key unless it lives. */
  readonly bury: (key: Uint8Array) => Promise<void>
}

/** Entity policies and group policies are lists of their own: what is in both shows twice (identity.md 7.5). */
const policiesOf = (subject: Subject | undefined): readonly string[] => {
  if (subject === undefined) return []
  const groups = cleanPolicies(
    subject.groups.flatMap(({ policies }) => policies),
    false,
  )
  return [...subject.policies, ...groups]
}

/** The token store as engines use it. */
export class Tokens implements TokenPort {
  readonly #options: TokenPortOptions

  constructor(options: TokenPortOptions) {
    this.#options = options
  }

  draw(): { readonly text: string; readonly accessor: string } {
    return drawToken()
  }

  ofCaller(caller: CallerView): LiveToken {
    return callerOf(caller).token
  }

  textOfCaller(caller: CallerView): string {
    return textOf(caller)
  }

  tidy(): void {
    this.#options.tidy()
  }

  async find(reader: Reader, scope: TokenScope, text: string): Promise<LiveToken | undefined> {
    const key = tokenKey(scope.names, text)
    if (!isBatchToken(text)) return liveToken(reader, scope.namespace, key, scope.now)
    const record = this.#options.batch.open(text)
    if (record === undefined) return undefined
    return judgeToken(reader, scope.namespace, { type: 'batch', key, record }, scope.now)
  }

  findByAccessor(
    reader: Reader,
    scope: TokenScope,
    accessor: string,
  ): Promise<LiveToken | undefined> {
    return liveByAccessor(reader, scope, accessor)
  }

  bury(scope: TokenScope, text: string): Promise<void> {
    return this.#options.bury(tokenKey(scope.names, text))
  }

  async taken(reader: Reader, scope: TokenScope, text: string): Promise<boolean> {
    const ref = tokenRef(scope.namespace, tokenKey(scope.names, text))
    return (await reader.get(ref)) !== undefined
  }

  issue(tx: Tx, scope: TokenScope, token: NewToken): LiveToken {
    return issueToken(tx, scope, token)
  }

  composeBatch(tx: Tx, scope: TokenScope, token: NewBatchToken): Promise<LiveToken> {
    return this.#options.batch.compose(tx, scope, token)
  }

  sealBatch(token: LiveToken): string {
    return this.#options.batch.seal(token.record)
  }

  aliasEntity(
    tx: Tx,
    { namespace, names, now }: TokenScope,
    owner: AliasOwner,
  ): Promise<{ readonly entityId: string; readonly disabled: boolean }> {
    return this.#options.identity.aliasEntity(tx, { ...owner, namespace, names, now })
  }

  revoke(tx: Tx, scope: TokenScope, token: LiveToken): void {
    refuseBatch(token, 'revoked')
    revokeToken(tx, scope.namespace, token)
  }

  revokeOrphan(tx: Tx, scope: TokenScope, token: LiveToken): void {
    refuseBatch(token, 'revoked')
    revokeToken(tx, scope.namespace, token, 'orphaned')
  }

  findByKey(reader: Reader, scope: TokenScope, key: Uint8Array): Promise<LiveToken | undefined> {
    return liveToken(reader, scope.namespace, key, scope.now)
  }

  async revokeKeys(tx: Tx, scope: TokenScope, keys: readonly Uint8Array[]): Promise<void> {
    const records = await tx.getMany(keys.map((key) => tokenRef(scope.namespace, key)))
    for (const [index, record] of records.entries()) {
      if (record?.state === 'live') revokeToken(tx, scope.namespace, { key: keys[index]!, record })
    }
  }

  leased(
    records: Records,
    scope: TokenScope,
  ): AsyncIterable<readonly { readonly key: Uint8Array; readonly path: string }[]> {
    return listLeased(records, scope)
  }

  accessors(records: Records, scope: TokenScope): AsyncIterable<readonly string[]> {
    return listAccessors(records, scope.namespace)
  }

  async identityPolicies(
    reader: Reader,
    { names, namespace, now }: TokenScope,
    entityId: string,
  ): Promise<readonly string[]> {
    if (entityId === '') return []
    return policiesOf(await this.#options.identity.subject(reader, names, namespace, entityId, now))
  }

  identityPoliciesOfCaller(caller: CallerView): readonly string[] {
    return policiesOf(callerOf(caller).subject)
  }

  missingPolicies(
    reader: Reader,
    scope: TokenScope,
    names: readonly string[],
  ): Promise<readonly string[]> {
    return this.#options.policies.missing(reader, scope, names)
  }

  async renew(
    tx: Tx,
    scope: TokenScope,
    token: LiveToken,
    incrementSeconds: number,
  ): Promise<Renewed | undefined> {
    refuseBatch(token, 'renewed')
    const { namespace, names, now } = scope
    // Read here, so that a token that is revoked at the same time stays revoked.
    const record = await tx.get(tokenRef(namespace, token.key))
    if (record?.state !== 'live') throw invalid('token not found')
    if (!record.leased) throw invalid('invalid lease ID')
    if (!record.renewable || record.expiresAt === undefined) throw invalid('lease is not renewable')
    const set = await this.#options.mounts.current()
    const mount = set.byUuid(record.mountUuid)?.view
    if (mount === undefined) throw invalid('lease not found')
    const asked = await this.#ask(tx, scope, record)
    if (asked === undefined) return undefined
    const { ttl, warnings } = decideTtl({
      increment: incrementSeconds,
      proposed: asked.ttl,
      period: asked.period,
      maxTtl: asked.maxTtl,
      explicitMaxTtl: asked.explicitMaxTtl ?? record.explicitMaxTtl,
      issuedAt: record.createdAt,
      now,
      mountDefault: mount.defaultLeaseTtlSeconds,
      mountMax: mount.maxLeaseTtlSeconds,
    })
    const matched = await this.#refreshGroups(tx, scope, record, asked)
    tx.put(tokenRef(namespace, token.key), {
      ...record,
      expiresAt: now + ttl * 1000,
      renewedAt: now,
      ...(record.login === undefined
        ? {}
        : { login: { ...record.login, groupAliases: matched ?? record.login.groupAliases } }),
    })
    const identityPolicies = cleanPolicies(
      await this.identityPolicies(tx, { namespace, names, now }, record.entityId),
      false,
    )
    return {
      warnings,
      hints: [],
      auth: {
        accessor: record.accessor,
        tokenPolicies: record.policies,
        identityPolicies,
        metadata: record.meta,
        leaseDurationSeconds: ttl,
        renewable: true,
        entityId: record.entityId,
        tokenType: 'service',
        orphan: token.orphan,
        numUses: record.numUses,
      },
    }
  }

  /**
   * What the issuer says now (spec/auth.md 4.3). Tokens made by tokens keep their own TTL, and the rest unless a role made
   * them.
   */
  async #ask(tx: Tx, scope: TokenScope, record: TokenRecord): Promise<Renewal | undefined> {
    const { login } = record
    const set = await this.#options.mounts.current()
    const mounted = set.byUuid(record.mountUuid)
    const kept: Renewal = {
      ttl: login?.ttl ?? record.creationTtl,
      maxTtl: login?.maxTtl ?? 0,
      period: record.period,
    }
    const internal = login?.internal ?? (record.role === '' ? undefined : { role: record.role })
    if (mounted?.engine.renew === undefined || internal === undefined) return kept
    try {
      const asked = await mounted.engine.renew(
        {
          namespace: scope.namespace,
          mount: mounted.view,
          names: scope.names,
          now: scope.now,
          internal,
          tokenPolicies: record.policies,
        },
        tx,
      )
      return asked !== undefined && login === undefined ? { ...asked, ttl: kept.ttl } : asked
    } catch (error) {
      if (error instanceof Error && error.name === 'Refusal') {
        throw failed(`failed to renew entry: ${error.message}`)
      }
      throw error
    }
  }

  async #refreshGroups(
    tx: Tx,
    { names, namespace, now }: TokenScope,
    record: TokenRecord,
    asked: Renewal,
  ): Promise<readonly string[] | undefined> {
    if (record.entityId === '' || record.login === undefined) return undefined
    const set = await this.#options.mounts.current()
    const refreshed = await this.#options.identity.refreshGroups(tx, {
      namespace,
      names,
      entityId: record.entityId,
      mount: set.byUuid(record.mountUuid)?.view,
      groupAliases: asked.groupAliases ?? record.login.groupAliases,
      now,
    })
    return refreshed.matched
  }
}

const refuseBatch = ({ type }: LiveToken, done: 'renewed' | 'revoked'): void => {
  if (type === 'batch') throw invalid(`batch tokens cannot be ${done}`)
}
