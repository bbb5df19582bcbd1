import type { Mount } from '../engine/call.ts'
import type { IdentityLoginOutcome, IdentityPort } from '../engine/identity-port.ts'
import type { LiveToken, NewBatchToken, TokenScope } from '../engine/ports/tokens.ts'
import type { Tx } from '../engine/records.ts'
import { denied, invalid } from '../engine/refusal.ts'
import type { AuthBlock, Login, LoginResult } from '../engine/result.ts'
import { decideTtl } from '../engine/ttl.ts'
import type { BatchTokens } from './batch-tokens.ts'
import { unstoredRecord } from './batch-tokens.ts'
import { mountRef } from './mounts.ts'
import { cleanPolicies } from './policy-names.ts'
import type { Remembered } from './remembered.ts'
import type { RequestCall } from './request-call.ts'
import { birthBelow, drawToken, issueToken, tokenKey } from './tokens.ts'

/** A login that made a token. */
export interface LoggedIn {
  readonly auth: AuthBlock
  readonly token: LiveToken
  readonly entityName: string | undefined
  readonly warnings: readonly string[]
}

/** The token type a login gets (spec/auth.md 5, 5). */
const tokenTypeOf = (mount: string, wish: Login['token']['type']): 'service' | 'batch' => {
  if (mount === 'service' || mount === 'batch') return mount
  if (wish === 'service' || wish === 'batch') return wish
  if (wish === 'default-batch') return 'batch'
  return mount === 'default-batch' ? 'batch' : 'service'
}

/** Where a login came from, and what its method says of it. */
export interface LoginSource {
  readonly mount: Mount
  /** Of the login's own request. */
  readonly path: string
  readonly remoteAddress: string
  readonly decide: LoginResult['decide']
  readonly presented: LoginResult['presented']
  /** Whether the token is for one request alone, with which the login came along: then it is stored nowhere. */
  readonly passing: boolean
}

/** What logins need. */
export interface LoginParts {
  readonly identity: IdentityPort
  readonly batch: BatchTokens
  /** Logins that came to a token. */
  readonly logins: Remembered<DecidedLogin>
}

/**
 * Stands between knowing who logs in and making the token, in the same transaction: gives what is to be done instead, or
 * warnings for the answer. `entityId`: '' for none.
 */
export type LoginGate<Instead> = (
  tx: Tx,
  login: Login,
  entityId: string,
) => Promise<{ readonly instead: Instead } | { readonly warnings: readonly string[] }>

/**
 * Turns a login into a token: entity, alias, memberships and token in one commit that rests on the mount and on all that
 * `decide` and `gate` read (spec/auth.md 5, identity.md 7.1). Throws the recorded Refusals.
 */
export const logIn = async <Instead>(
  call: RequestCall,
  source: LoginSource,
  parts: LoginParts,
  gate: LoginGate<Instead>,
): Promise<LoggedIn | { readonly instead: Instead }> => {
  const drawn = drawToken()
  const made = await call.records.transact((tx) => loginIn(tx, call, source, parts, drawn, gate))
  if ('instead' in made || made.token.type === 'service') return made
  // Sealing draws randomness, which a transaction that may run again must not.
  const clientToken = parts.batch.seal(made.token.record)
  return {
    ...made,
    token: { ...made.token, key: tokenKey(call.names, clientToken) },
    auth: { ...made.auth, clientToken },
  }
}

/** What a login comes to before its token is made: the same as long as all that was read for it is the same. */
export interface DecidedLogin {
  readonly login: Login
  readonly person: IdentityLoginOutcome | undefined
  readonly entityName: string | undefined
  readonly policies: readonly string[]
  readonly identityPolicies: readonly string[]
  /** Of the gate. */
  readonly warnings: readonly string[]
}

const loginIn = async <Instead>(
  tx: Tx,
  call: RequestCall,
  source: LoginSource,
  parts: LoginParts,
  drawn: { readonly text: string; readonly accessor: string },
  gate: LoginGate<Instead>,
): Promise<LoggedIn | { readonly instead: Instead }> => {
  const { logins } = parts
  const { mount, presented } = source
  // On one mount, and for good: its uuid is never another one's.
  const question = presented === undefined ? undefined : `${mount.uuid} ${presented}`
  const recalled = question === undefined ? undefined : await logins.recall(tx, question, call.now)
  const decided = recalled ?? (await decideIn(tx, call, source, parts, gate, question))
  if ('instead' in decided) return decided
  return tokenOf(tx, call, source, parts.batch, drawn, decided)
}

/** Who logs in, and what their token may do. `question`: under what this is to be remembered. */
const decideIn = async <Instead>(
  tx: Tx,
  call: RequestCall,
  source: LoginSource,
  { identity, logins }: LoginParts,
  gate: LoginGate<Instead>,
  question: string | undefined,
): Promise<DecidedLogin | { readonly instead: Instead }> => {
  const { namespace, names, now } = call
  const { mount } = source
  if ((await tx.get(mountRef(namespace, mount.uuid))) === undefined) throw denied()
  const login = await source.decide(tx)
  const person =
    login.alias === undefined
      ? undefined
      : await identity.login(tx, {
          namespace,
          names,
          mount,
          alias: login.alias,
          groupAliases: login.groupAliases ?? [],
          now,
          newId: call.newId,
          randomBytes: call.randomBytes,
        })
  call.audited('entity_created', person?.created ?? false)
  const gated = await gate(tx, login, person?.entityId ?? '')
  if ('instead' in gated) return gated
  // The answer shows these policies, and each request asks for them anew: the login rests on the person, not on every group.
  const subject =
    person === undefined
      ? undefined
      : await identity.subject(tx.unchecked, names, namespace, person.entityId, now)
  const identityPolicies =
    subject === undefined
      ? []
      : cleanPolicies(
          [...subject.policies, ...subject.groups.flatMap((group) => group.policies)],
          false,
        )
  const policies = cleanPolicies(login.token.policies, !login.token.noDefaultPolicy)
  for (const list of [policies, identityPolicies]) {
    if (list.includes('root')) throw invalid('auth methods cannot create root tokens')
    if (list.includes('response-wrapping')) {
      throw invalid('cannot assign policy "response-wrapping"')
    }
  }
  const { warnings } = gated
  const entityName = subject?.name
  const decided: DecidedLogin = { login, person, entityName, policies, identityPolicies, warnings }
  if (question !== undefined) {
    const ends = [login.until, person?.until, subject?.until]
    logins.keep(tx, question, decided, Math.min(...ends.map((end) => end ?? Infinity)))
  }
  return decided
}

/** A token as a service token is, that is stored nowhere. */
const passingToken = (
  { names, now }: TokenScope,
  drawn: { readonly text: string; readonly accessor: string },
  carried: NewBatchToken['record'],
): LiveToken => {
  const record = unstoredRecord({ ...carried, createdAt: birthBelow(undefined, now), lineage: [] })
  const key = tokenKey(names, drawn.text)
  return {
    type: 'service',
    key,
    record: { ...record, accessor: drawn.accessor },
    usesLeft: 0,
    orphan: true,
    passing: true,
  }
}

const tokenOf = async (
  tx: Tx,
  call: RequestCall,
  source: LoginSource,
  batch: BatchTokens,
  drawn: { readonly text: string; readonly accessor: string },
  decided: DecidedLogin,
): Promise<LoggedIn> => {
  const { namespace, names, now } = call
  const { mount } = source
  const { login, person, policies, identityPolicies } = decided
  const { token } = login
  const { ttl, warnings } = decideTtl({
    increment: 0,
    proposed: token.ttl,
    period: token.period,
    maxTtl: token.maxTtl,
    explicitMaxTtl: token.explicitMaxTtl,
    issuedAt: now,
    now,
    mountDefault: mount.defaultLeaseTtlSeconds,
    mountMax: mount.maxLeaseTtlSeconds,
  })
  const prefix = mount.path.replace(/^auth\//, '').replaceAll('/', '-')
  const scope = { namespace, names, now }
  const type = source.passing ? 'service' : tokenTypeOf(mount.tokenType, token.type)
  const carried = {
    policies,
    path: source.path,
    meta: login.metadata,
    displayName: `${prefix}${login.displayName}`.replace(/-$/, ''),
    creationTtl: ttl,
    role: '',
    entityId: person?.entityId ?? '',
    boundCidrs: token.strictlyBindIp ? [source.remoteAddress] : token.boundCidrs,
    mountUuid: mount.uuid,
  }
  const issued = source.passing
    ? passingToken(scope, drawn, carried)
    : type === 'batch'
      ? await batch.compose(tx, scope, { creator: undefined, orphan: true, record: carried })
      : issueToken(tx, scope, {
          text: drawn.text,
          accessor: drawn.accessor,
          parent: undefined,
          record: {
            ...carried,
            numUses: token.numUses,
            explicitMaxTtl: token.explicitMaxTtl,
            period: token.period,
            renewable: true,
            leased: true,
            login: {
              internal: login.internal,
              groupAliases: person?.matched ?? [],
              ttl: token.ttl,
              maxTtl: token.maxTtl,
            },
          },
        })
  const { record } = issued
  call.hints.length = 0
  if (type === 'batch' && (token.numUses > 0 || token.period > 0)) {
    call.hint(
      'batch-token-limits',
      'the mount is tuned to batch tokens, which can be neither limited in uses nor periodic: token_num_uses and token_period had no effect',
    )
  }
  for (const { code, text } of person?.hints ?? []) call.hint(code, text)
  return {
    token: issued,
    entityName: decided.entityName,
    warnings: [...(login.warnings ?? []), ...warnings, ...decided.warnings],
    auth: {
      clientToken: type === 'batch' ? '' : drawn.text,
      accessor: record.accessor,
      tokenPolicies: policies,
      identityPolicies,
      metadata: login.metadata,
      leaseDurationSeconds: ttl,
      renewable: record.renewable,
      entityId: record.entityId,
      tokenType: type,
      orphan: true,
      numUses: record.numUses,
    },
  }
}
