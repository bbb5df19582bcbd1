import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import type { LiveToken, NewToken, TokenPort, TokenScope } from '../../engine/ports/tokens.ts'
import type { Tx } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import type { AuthResult } from '../../engine/result.ts'
import { decideTtl } from '../../engine/ttl.ts'
import { DurationError, parseVaultDuration } from '../../std/go-duration.ts'
import { goLower } from '../../std/go-lower.ts'
import { compareBytes } from '../../std/json.ts'
import type { createFields } from './fields.ts'

export type CreateCall = Call<InputOf<typeof createFields>>

const CUSTOM_ID_WARNING =
  'Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure lookups.'

/** Where and when a call's token operations take place. */
export const scopeOf = (call: Pick<Call, 'namespace' | 'names' | 'now'>): TokenScope => ({
  namespace: call.namespace,
  names: call.names,
  now: call.now,
})

/** Names of policies: trimmed, lower case, once each, sorted; `root` alone when it is among them. */
const cleanNames = (names: readonly string[]): string[] => {
  const clean = [...new Set(names.map((name) => goLower(name.trim())))].filter(
    (name) => name !== '',
  )
  return clean.includes('root') ? ['root'] : clean.sort(compareBytes)
}

/** The policies of a new token (spec/auth.md 2.4, 9). Throws the recorded Refusals. */
const decidePolicies = (call: CreateCall, parent: LiveToken): string[] => {
  const { input } = call
  const own = parent.record.policies
  const asked = cleanNames(input.policies ?? [])
  const sudo = call.caller!.sudo
  let policies: string[]
  if (asked.length === 0) policies = [...own]
  else if (sudo) {
    policies = asked
    if (!asked.includes('root')) policies = cleanNames([...asked, 'default'])
  } else {
    if (!own.includes('root') && asked.some((name) => !own.includes(name))) {
      throw invalid('child policies must be subset of parent')
    }
    policies = own.includes('default') ? cleanNames([...asked, 'default']) : asked
  }
  if (input.no_default_policy) policies = policies.filter((name) => name !== 'default')
  if (policies.includes('response-wrapping')) {
    throw invalid('cannot assign policy "response-wrapping"')
  }
  if (policies.includes('root') && !own.includes('root')) {
    throw invalid('root tokens may not be created without parent token being root')
  }
  return policies
}

const duration = (text: string, positive: string): number => {
  if (text === '') return 0
  let seconds: number
  try {
    seconds = parseVaultDuration(text, { signed: true })
  } catch (error) {
    if (error instanceof DurationError) throw invalid(error.message)
    throw error
  }
  if (seconds < 0) throw invalid(positive)
  return seconds
}

const displayName = (name: string): string =>
  name === '' ? 'token' : `token-${name.replace(/[^a-zA-Z0-9-]/g, '-')}`.replace(/-$/, '')

const checkId = (call: CreateCall): void => {
  const { id } = call.input
  if (id === '') return
  if (!call.caller!.sudo) throw invalid('root or sudo privileges required to specify token id')
  for (const prefix of ['hvs.', 's.']) {
    if (id.startsWith(prefix)) throw invalid(`custom token ID cannot have the '${prefix}' prefix`)
  }
  if (id.includes('.')) throw invalid("custom token ID cannot have a '.' in the value")
}

/** Creates a token from the caller's (spec/auth.md 2.4). `orphanPath`: by `create-orphan`, plain ACL makes orphans. */
export const createToken = async (
  call: CreateCall,
  tokens: TokenPort,
  orphanPath: boolean,
): Promise<AuthResult> => {
  const drawn = tokens.draw()
  if (call.input.id !== '') await tokens.bury(scopeOf(call), call.input.id)
  const { auth, warnings } = await call.records.transact((tx) =>
    createIn(tx, call, tokens, orphanPath, drawn),
  )
  for (const text of warnings) call.warn(text)
  return { kind: 'auth', auth }
}

const createIn = async (
  tx: Tx,
  call: CreateCall,
  tokens: TokenPort,
  orphanPath: boolean,
  drawn: { readonly text: string; readonly accessor: string },
): Promise<{ readonly auth: AuthResult['auth']; readonly warnings: readonly string[] }> => {
  const { input, now } = call
  const scope = scopeOf(call)
  const parent = tokens.ofCaller(call.caller!)
  const sudo = call.caller!.sudo
  if (parent.record.numUses > 0) {
    throw invalid('restricted use token cannot generate child tokens')
  }
  checkType(call)
  if (input.num_uses < 0) throw invalid('number of uses cannot be negative')
  if (input.entity_alias !== '') {
    throw invalid("'entity_alias' is only allowed in combination with token role")
  }
  checkId(call)
  const policies = decidePolicies(call, parent)
  if (input.no_parent && !sudo) {
    throw invalid('root or sudo privileges required to create orphan token')
  }
  const orphan = input.no_parent || orphanPath
  const explicitMaxTtl = duration(input.explicit_max_ttl, 'explicit_max_ttl must be positive')
  const period = duration(input.period, 'period must be positive')
  if (period > 0 && !sudo) {
    throw invalid('root or sudo privileges required to create periodic token')
  }
  const asked =
    input.ttl === ''
      ? duration(input.lease, 'lease must be positive')
      : duration(input.ttl, 'ttl must be positive')
  const root = policies.includes('root')
  const proposed = root && asked === 0 && explicitMaxTtl > 0 ? explicitMaxTtl : asked
  const endless = root && proposed === 0 && period === 0
  if (endless && parent.record.expiresAt !== undefined) {
    throw invalid('expiring root tokens cannot create non-expiring root tokens')
  }
  const decided = endless
    ? { ttl: 0, warnings: [] }
    : decideTtl({
        increment: 0,
        proposed,
        period,
        maxTtl: 0,
        explicitMaxTtl,
        issuedAt: now,
        now,
        mountDefault: call.mount.defaultLeaseTtlSeconds,
        mountMax: call.mount.maxLeaseTtlSeconds,
      })
  const text = input.id === '' ? drawn.text : input.id
  if (input.id !== '' && (await tokens.taken(tx, scope, text))) {
    throw invalid('cannot create a token with a duplicate ID')
  }
  const record: NewToken['record'] = {
    policies,
    path: call.path,
    meta: input.meta ?? null,
    displayName: displayName(input.display_name),
    numUses: input.num_uses,
    creationTtl: decided.ttl,
    explicitMaxTtl,
    period,
    role: '',
    entityId: orphan ? '' : parent.record.entityId,
    boundCidrs: orphan || endless ? [] : parent.record.boundCidrs,
    renewable: input.renewable && !endless,
    leased: true,
    mountUuid: call.mount.uuid,
  }
  const issued = tokens.issue(tx, scope, {
    text,
    accessor: drawn.accessor,
    parent: orphan ? undefined : parent,
    record,
  })
  const missing = await tokens.missingPolicies(tx, scope, policies)
  const identityPolicies = cleanNames(await tokens.identityPolicies(tx, scope, record.entityId))
  return {
    warnings: [
      ...(input.id === '' ? [] : [CUSTOM_ID_WARNING]),
      ...decided.warnings,
      ...missing.map((name) => `Policy "${name}" does not exist`),
    ],
    auth: {
      clientToken: text,
      accessor: drawn.accessor,
      tokenPolicies: policies,
      identityPolicies,
      metadata: record.meta,
      leaseDurationSeconds: decided.ttl,
      renewable: record.renewable,
      entityId: record.entityId,
      tokenType: 'service',
      orphan: issued.orphan,
      numUses: record.numUses,
    },
  }
}

const checkType = ({ input, has }: CreateCall): void => {
  if (input.type !== '' && input.type !== 'service' && input.type !== 'batch') {
    throw invalid("invalid 'token_type' value")
  }
  if (input.type !== 'batch') return
  for (const name of ['explicit_max_ttl', 'num_uses', 'period'] as const) {
    if (has(name) && input[name] !== '' && input[name] !== 0) {
      throw invalid(`batch tokens cannot have "${name}" set`)
    }
  }
  throw invalid('batch tokens are not supported by this version; create a service token')
}
