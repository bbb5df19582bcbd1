import { invalid } from '../../engine/refusal.ts'
import { normalCidr } from '../../std/cidr.ts'
import { goQuote } from '../../std/go-quote.ts'
import type { RoleInput } from './role-fields.ts'
import type { RoleTokenType, RoleTwin, TokenRole } from './role-record.ts'
import { lowerNames, policyNames } from './token-policies.ts'

/** What was sent of a role, and whether `token_type` was: as null, it is refused. */
export interface RoleChange {
  readonly input: RoleInput
  readonly typeSent: boolean
  /** Of the mount, in seconds. */
  readonly maxTtl: number
}

export interface ChangedRole {
  readonly role: TokenRole
  readonly warnings: readonly string[]
}

const TYPES: ReadonlySet<string> = new Set<RoleTokenType>([
  'service',
  'batch',
  'default-service',
  'default-batch',
])

/** The role after a write: what was sent over what was there. Throws the recorded Refusals (spec/auth.md 2.10). */
export const changeRole = (
  before: TokenRole,
  { input, typeSent, maxTtl }: RoleChange,
): ChangedRole => {
  const twins = new Map(before.twins.map((twin) => [twin, true]))
  const warnings: string[] = []
  const take = <T>(twin: RoleTwin, sent: T | undefined, old: T | undefined, present: T): T => {
    if (sent !== undefined && old !== undefined) {
      warnings.push(
        `Both 'token_${twin}' and deprecated '${twin}' value supplied, ignoring the deprecated value`,
      )
    }
    if (sent !== undefined) twins.delete(twin)
    else if (old !== undefined) twins.set(twin, true)
    return sent ?? old ?? present
  }
  const pathSuffix = suffixOf(input.path_suffix ?? before.pathSuffix)
  const boundCidrs = cidrsOf(input.token_bound_cidrs, 'error parsing role fields')
  checkFields(input, before)
  const type = typeSent ? typeOf(input.token_type) : before.type
  const explicitMaxTtl = take(
    'explicit_max_ttl',
    input.token_explicit_max_ttl,
    input.explicit_max_ttl,
    before.explicitMaxTtl,
  )
  const role: TokenRole = {
    name: before.name,
    allowedPolicies: policiesOf(input.allowed_policies) ?? before.allowedPolicies,
    allowedPoliciesGlob: policiesOf(input.allowed_policies_glob) ?? before.allowedPoliciesGlob,
    disallowedPolicies: namesOf(input.disallowed_policies) ?? before.disallowedPolicies,
    disallowedPoliciesGlob:
      namesOf(input.disallowed_policies_glob) ?? before.disallowedPoliciesGlob,
    orphan: input.orphan ?? before.orphan,
    renewable: input.renewable ?? before.renewable,
    pathSuffix,
    allowedEntityAliases: namesOf(input.allowed_entity_aliases) ?? before.allowedEntityAliases,
    explicitMaxTtl,
    period: take('period', input.token_period, input.period, before.period),
    boundCidrs: take(
      'bound_cidrs',
      boundCidrs,
      cidrsOf(input.bound_cidrs, 'error parsing bound_cidrs'),
      before.boundCidrs,
    ),
    noDefaultPolicy: input.token_no_default_policy ?? before.noDefaultPolicy,
    numUses: input.token_num_uses ?? before.numUses,
    type,
    twins: [...twins.keys()],
  }
  checkBatch(role)
  if (explicitMaxTtl > maxTtl) {
    warnings.push(
      `Given explicit max TTL of ${explicitMaxTtl} is greater than system/mount allowed value of ${maxTtl} seconds; ` +
        'until this is fixed attempting to create tokens against this role will result in an error',
    )
  }
  return { role, warnings }
}

const namesOf = (names: readonly string[] | undefined): readonly string[] | undefined =>
  names === undefined ? undefined : lowerNames(names)

const policiesOf = (names: readonly string[] | undefined): readonly string[] | undefined =>
  names === undefined ? undefined : policyNames(names, false)

const suffixOf = (suffix: string): string => {
  // Anything may stand around the match (recorded).
  if (suffix !== '' && !/\w[\w.-]+\w/.test(suffix)) {
    throw invalid(
      String.raw`given role path suffix contains invalid characters; must match \w[\w-.]+\w`,
    )
  }
  if (suffix.includes('..')) {
    throw invalid('error registering path suffix: path cannot contain parent references')
  }
  return suffix
}

const cidrsOf = (
  texts: readonly string[] | undefined,
  prefix: string,
): readonly string[] | undefined =>
  texts?.map((text) => {
    const cidr = normalCidr(text)
    if (cidr !== undefined) return cidr
    throw invalid(
      `${prefix}: error parsing address "${text}": Unable to convert "${text}" to an IPv4 or IPv6 address, or a UNIX Socket`,
    )
  })

/** With the type from before and without the old names, as in the reference; `checkBatch` looks at what the role ends up with. */
const checkFields = (input: RoleInput, { type, period, numUses }: TokenRole): void => {
  const refuse = (text: string): never => {
    throw invalid(`error parsing role fields: ${text}`)
  }
  const makes = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
  const batch = type === 'batch' || type === 'default-batch'
  if ((input.token_num_uses ?? 0) < 0) refuse("'token_num_uses' cannot be negative")
  if (batch && (input.token_period ?? period) > 0) refuse(`${makes} periodic tokens`)
  if (batch && (input.token_num_uses ?? numUses) > 0) {
    refuse(`${makes} tokens with limited use count`)
  }
}

const typeOf = (text: string | undefined): RoleTokenType => {
  if (text === undefined) throw invalid("Invalid 'token_type' value: null")
  if (!TYPES.has(text)) throw invalid(`invalid 'token_type' value ${goQuote(text)}`)
  return text as RoleTokenType
}

const checkBatch = (role: TokenRole): void => {
  if (role.type !== 'batch') return
  const refuse = (kind: string): never => {
    throw invalid(`'token_type' cannot be 'batch' when role is set to generate ${kind}`)
  }
  if (!role.orphan) refuse('non-orphan tokens')
  if (role.period > 0) refuse('periodic tokens')
  if (role.renewable) refuse('renewable tokens')
  if (role.explicitMaxTtl > 0) refuse('tokens with an explicit max TTL')
  // Not recorded: the reference forgets the limit.
  if (role.numUses > 0) refuse('tokens with limited use count')
}
