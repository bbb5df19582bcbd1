import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import type { LiveToken, TokenPort, TokenScope } from '../../engine/ports/tokens.ts'
import type { Tx } from '../../engine/records.ts'
import { denied, invalid } from '../../engine/refusal.ts'
import type { AuthResult } from '../../engine/result.ts'
import { matchesGlob } from '../../std/glob.ts'
import { goLower } from '../../std/go-lower.ts'
import { decideTimes } from './create-times.ts'
import { decideType } from './create-type.ts'
import { decidePolicies } from './decide-policies.ts'
import type { createFields } from './fields.ts'
import type { TokenRole } from './role-record.ts'
import { roleRef } from './role-record.ts'
import { policyNames } from './token-policies.ts'

export type CreateCall = Call<InputOf<typeof createFields>>

/** Which of the paths that create tokens was called. */
export interface CreatePath {
  /** `create-orphan`: plain ACL makes orphans. */
  readonly orphan: boolean
  /** `create/:role_name`; undefined on the others. */
  readonly roleName: string | undefined
}

/** A token that was decided on; a batch token has no text yet. */
interface Created {
  readonly token: LiveToken
  readonly auth: Omit<AuthResult['auth'], 'clientToken'>
  readonly warnings: readonly string[]
  /** Whether a limit of the role has no effect on a batch token. */
  readonly unlimited: boolean
}

const CUSTOM_ID_WARNING =
  'Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure lookups.'

/** Where and when a call's token operations take place. */
export const scopeOf = (call: Pick<Call, 'namespace' | 'names' | 'now'>): TokenScope => ({
  namespace: call.namespace,
  names: call.names,
  now: call.now,
})

/** Creates a token from the caller's (spec/auth.md 2.4). Throws the recorded Refusals. */
export const createToken = async (
  call: CreateCall,
  tokens: TokenPort,
  path: CreatePath,
): Promise<AuthResult> => {
  const drawn = tokens.draw()
  const text = call.input.id === '' ? drawn.text : call.input.id
  // Who may not choose an id learns nothing of the tokens that had it.
  if (call.input.id !== '' && call.caller!.sudo) await tokens.bury(scopeOf(call), text)
  const created = await call.records.transact((tx) =>
    createIn(tx, call, tokens, path, { text, accessor: drawn.accessor }),
  )
  for (const warning of created.warnings) call.warn(warning)
  if (created.unlimited) {
    call.hint(
      'batch-token-limits',
      'the role makes batch tokens, which can be neither limited in uses nor periodic: token_num_uses and token_period had no effect',
    )
  }
  const { token } = created
  const clientToken = token.type === 'batch' ? tokens.sealBatch(token) : text
  return { kind: 'auth', auth: { ...created.auth, clientToken } }
}

const createIn = async (
  tx: Tx,
  call: CreateCall,
  tokens: TokenPort,
  path: CreatePath,
  drawn: { readonly text: string; readonly accessor: string },
): Promise<Created> => {
  const { input } = call
  const scope = scopeOf(call)
  const role = path.roleName === undefined ? undefined : await findRole(tx, call, path.roleName)
  const parent = tokens.ofCaller(call.caller!)
  checkParent(parent)
  const type = decideType(call, role)
  if (input.num_uses < 0) throw invalid('number of uses cannot be negative')
  const owner = await findOwner(tx, call, tokens, role)
  checkId(call, type)
  const policies = decidePolicies({
    asked: input.policies === undefined || input.policies.length === 0 ? undefined : input.policies,
    noDefault: input.no_default_policy,
    own: parent.record.policies,
    sudo: call.caller!.sudo,
    role,
  })
  const root = policies.includes('root')
  if (root && type === 'batch') throw invalid('batch tokens cannot be root tokens')
  const orphan = isOrphan(call, path, role)
  const parentExpires = parent.record.expiresAt !== undefined
  const times = decideTimes(call, { type, role, root, parentExpires })
  if (input.id !== '' && type === 'service' && (await tokens.taken(tx, scope, drawn.text))) {
    throw invalid('cannot create a token with a duplicate ID')
  }
  const endless = times.ttl === 0
  const inheritedCidrs = orphan ? [] : parent.record.boundCidrs
  const carried = {
    policies,
    path:
      role === undefined || role.pathSuffix === '' ? call.path : `${call.path}/${role.pathSuffix}`,
    meta: input.meta ?? null,
    displayName: displayName(input.display_name),
    creationTtl: times.ttl,
    role: role?.name ?? '',
    entityId: owner ?? (orphan ? '' : parent.record.entityId),
    boundCidrs: endless ? [] : (role?.boundCidrs ?? inheritedCidrs),
    mountUuid: call.mount.uuid,
  }
  const token =
    type === 'batch'
      ? await tokens.composeBatch(tx, scope, { creator: parent, orphan, record: carried })
      : tokens.issue(tx, scope, {
          ...drawn,
          parent: orphan ? undefined : parent,
          record: {
            ...carried,
            numUses: lesser(input.num_uses, role?.numUses ?? 0),
            explicitMaxTtl: times.explicitMaxTtl,
            period: times.period,
            renewable: input.renewable && role?.renewable !== false && !endless,
            leased: true,
          },
        })
  const { record } = token
  const missing = await tokens.missingPolicies(tx, scope, policies)
  const identityPolicies = await tokens.identityPolicies(tx, scope, record.entityId)
  return {
    token,
    unlimited: type === 'batch' && role !== undefined && (role.numUses > 0 || role.period > 0),
    warnings: [
      ...(input.id === '' ? [] : [CUSTOM_ID_WARNING]),
      ...times.warnings,
      ...missing.map((name) => `Policy "${name}" does not exist`),
    ],
    auth: {
      accessor: record.accessor,
      tokenPolicies: policies,
      identityPolicies: policyNames(identityPolicies, false),
      metadata: record.meta,
      leaseDurationSeconds: times.ttl,
      renewable: record.renewable,
      entityId: record.entityId,
      tokenType: type,
      orphan: token.orphan,
      numUses: record.numUses,
    },
  }
}

const findRole = async (tx: Tx, call: CreateCall, name: string): Promise<TokenRole> => {
  const role = await tx.get(roleRef(call, name))
  if (role === undefined) throw invalid(`unknown role ${name}`)
  return role
}

const checkParent = ({ type, record, passing }: LiveToken): void => {
  if (passing === true) throw invalid('parent token lookup failed: no parent found')
  if (type === 'batch') throw invalid('batch tokens cannot create more tokens')
  if (record.numUses > 0) throw invalid('restricted use token cannot generate child tokens')
}

/** The entity of the alias asked for, found or made; undefined when none was (identity.md 7.7). */
const findOwner = async (
  tx: Tx,
  call: CreateCall,
  tokens: TokenPort,
  role: TokenRole | undefined,
): Promise<string | undefined> => {
  const name = call.input.entity_alias
  if (name === '') return undefined
  if (role === undefined) {
    throw invalid("'entity_alias' is only allowed in combination with token role")
  }
  const lower = goLower(name)
  if (!(role.allowedEntityAliases ?? []).some((allowed) => matchesGlob(allowed, lower))) {
    throw invalid("invalid 'entity_alias' value")
  }
  const { mount, newId, randomBytes } = call
  const owner = await tokens.aliasEntity(tx, scopeOf(call), { mount, name, newId, randomBytes })
  if (owner.disabled) throw denied('entity from given entity alias is disabled')
  return owner.entityId
}

const checkId = (call: CreateCall, type: 'service' | 'batch'): void => {
  const { id } = call.input
  if (id === '') return
  if (!call.caller!.sudo) throw invalid('root or sudo privileges required to specify token id')
  // A batch token is its own id: the one that was sent has no effect (recorded).
  if (type === 'batch') return
  for (const prefix of ['hvs.', 's.']) {
    if (id.startsWith(prefix)) throw invalid(`custom token ID cannot have the '${prefix}' prefix`)
  }
  if (id.includes('.')) throw invalid("custom token ID cannot have a '.' in the value")
}

const isOrphan = (call: CreateCall, path: CreatePath, role: TokenRole | undefined): boolean => {
  if (role !== undefined) return role.orphan
  if (call.input.no_parent && !call.caller!.sudo) {
    throw invalid('root or sudo privileges required to create orphan token')
  }
  return call.input.no_parent || path.orphan
}

const displayName = (name: string): string =>
  name === '' ? 'token' : `token-${name.replace(/[^a-zA-Z0-9-]/g, '-')}`.replace(/-$/, '')

/** The smaller of two limits, 0 being none. */
const lesser = (one: number, other: number): number =>
  one === 0 || other === 0 ? one || other : Math.min(one, other)
