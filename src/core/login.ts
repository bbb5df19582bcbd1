import type { IdentityPort } from '../engine/identity-port.ts'
import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Tx } from '../engine/records.ts'
import { Refusal, denied, invalid } from '../engine/refusal.ts'
import type { AuthBlock, Login, LoginResult } from '../engine/result.ts'
import { decideTtl } from '../engine/ttl.ts'
import { mountRef } from './mounts.ts'
import { cleanPolicies } from './policy-names.ts'
import type { RequestCall } from './request-call.ts'
import { drawToken, issueToken } from './tokens.ts'

/** A login that made a token. */
export interface LoggedIn {
  readonly auth: AuthBlock
  readonly token: LiveToken
  readonly warnings: readonly string[]
}

/** The token type a login gets (spec/auth.md 5, 5). */
const tokenTypeOf = (mount: string, wish: Login['token']['type']): 'service' | 'batch' => {
  if (mount === 'service' || mount === 'batch') return mount
  if (wish === 'service' || wish === 'batch') return wish
  if (wish === 'default-batch') return 'batch'
  return mount === 'default-batch' ? 'batch' : 'service'
}

/**
 * Turns a login into a token: entity, alias, memberships and token in one commit that rests on the mount and on all that
 * `decide` read (spec/auth.md 5, identity.md 7.1). Throws the recorded Refusals.
 */
export const settleLogin = async (
  call: RequestCall,
  result: LoginResult,
  identity: IdentityPort,
): Promise<LoggedIn> => {
  const drawn = drawToken()
  return call.records.transact((tx) => loginIn(tx, call, result, identity, drawn))
}

const loginIn = async (
  tx: Tx,
  call: RequestCall,
  result: LoginResult,
  identity: IdentityPort,
  drawn: { readonly text: string; readonly accessor: string },
): Promise<LoggedIn> => {
  const { mount, namespace, names, now } = call
  if ((await tx.get(mountRef(namespace, mount.uuid))) === undefined) throw denied()
  const login = await result.decide(tx)
  const { token } = login
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
  const subject =
    person === undefined ? undefined : await identity.subject(tx, names, namespace, person.entityId)
  const identityPolicies =
    subject === undefined
      ? []
      : cleanPolicies(
          [...subject.policies, ...subject.groups.flatMap((group) => group.policies)],
          false,
        )
  const policies = cleanPolicies(token.policies, !token.noDefaultPolicy)
  for (const list of [policies, identityPolicies]) {
    if (list.includes('root')) throw invalid('auth methods cannot create root tokens')
    if (list.includes('response-wrapping')) {
      throw invalid('cannot assign policy "response-wrapping"')
    }
  }
  if (tokenTypeOf(mount.tokenType, token.type) === 'batch') {
    throw new Refusal(
      'invalid',
      'batch tokens are not supported by this version; use token_type "service"',
    )
  }
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
  const issued = issueToken(
    tx,
    { namespace, names, now },
    {
      text: drawn.text,
      accessor: drawn.accessor,
      parent: undefined,
      record: {
        policies,
        path: call.path,
        meta: login.metadata,
        displayName: `${prefix}${login.displayName}`.replace(/-$/, ''),
        numUses: token.numUses,
        creationTtl: ttl,
        explicitMaxTtl: token.explicitMaxTtl,
        period: token.period,
        role: '',
        entityId: person?.entityId ?? '',
        boundCidrs: token.strictlyBindIp ? [call.remoteAddress] : token.boundCidrs,
        renewable: true,
        leased: true,
        mountUuid: mount.uuid,
        login: {
          internal: login.internal,
          groupAliases: person?.matched ?? [],
          ttl: token.ttl,
          maxTtl: token.maxTtl,
        },
      },
    },
  )
  call.hints.length = 0
  for (const { code, text } of person?.hints ?? []) call.hint(code, text)
  call.audited('entity_created', person?.created ?? false)
  return {
    token: issued,
    warnings: [...(login.warnings ?? []), ...warnings],
    auth: {
      clientToken: drawn.text,
      accessor: drawn.accessor,
      tokenPolicies: policies,
      identityPolicies,
      metadata: login.metadata,
      leaseDurationSeconds: ttl,
      renewable: true,
      entityId: person?.entityId ?? '',
      tokenType: 'service',
      orphan: true,
      numUses: token.numUses,
    },
  }
}
