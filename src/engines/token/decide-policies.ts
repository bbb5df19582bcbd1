import { invalid } from '../../engine/refusal.ts'
import { matchesGlob } from '../../std/glob.ts'
import { goQuote } from '../../std/go-quote.ts'
import type { TokenRole } from './role-record.ts'
import { policyNames } from './token-policies.ts'

/** What decides on the policies of a new token. */
export interface PolicyWish {
  /** As sent; undefined when nothing was. */
  readonly asked: readonly string[] | undefined
  readonly noDefault: boolean
  /** The token policies of the parent; those of its entity never count. */
  readonly own: readonly string[]
  readonly sudo: boolean
  readonly role: TokenRole | undefined
}

/** The policies of a new token (spec/auth.md 2.4, 9 and 10). Throws the recorded Refusals. */
export const decidePolicies = (wish: PolicyWish): readonly string[] => {
  const { role, own } = wish
  const decided = role !== undefined && rules(role) ? byRole(wish, role) : byParent(wish)
  const policies = wish.noDefault ? decided.filter((name) => name !== 'default') : decided
  if (policies.includes('response-wrapping')) {
    throw invalid('cannot assign policy "response-wrapping"')
  }
  if (policies.includes('root') && !own.includes('root')) {
    throw invalid('root tokens may not be created without parent token being root')
  }
  return policies
}

const byParent = ({ asked, noDefault, own, sudo }: PolicyWish): readonly string[] => {
  if (asked === undefined) return own
  if (sudo) return policyNames(asked, !noDefault)
  const policies = policyNames(asked, own.includes('default') && !noDefault)
  if (!own.includes('root') && policies.some((name) => !own.includes(name))) {
    throw invalid('child policies must be subset of parent')
  }
  return policies
}

/** Whether a role says anything about policies: then the parent's are no bound. */
const rules = (role: TokenRole): boolean =>
  [
    role.allowedPolicies,
    role.allowedPoliciesGlob,
    role.disallowedPolicies,
    role.disallowedPoliciesGlob,
  ].some((list) => list.length > 0)

const byRole = ({ asked, noDefault, own }: PolicyWish, role: TokenRole): readonly string[] => {
  const addDefault = !noDefault && !role.noDefaultPolicy && !isDisallowed(role, 'default')
  const { allowedPolicies, allowedPoliciesGlob } = role
  const bounded = allowedPolicies.length > 0 || allowedPoliciesGlob.length > 0
  const allowed = policyNames(allowedPolicies, addDefault)
  const wanted = asked === undefined ? [] : policyNames(asked, addDefault)
  if (bounded && !wanted.every((name) => isIn(name, allowed, allowedPoliciesGlob))) {
    throw invalid(
      `token policies (${quoted(wanted)}) must be subset of the role's allowed policies (${quoted(allowed)}) ` +
        `or glob policies (${quoted(allowedPoliciesGlob)})`,
    )
  }
  const unasked = bounded ? allowed : policyNames(own, addDefault)
  const policies = wanted.length > 0 ? wanted : unasked
  const refused = policies.find((name) => isDisallowed(role, name))
  if (refused !== undefined) {
    throw invalid(`token policy ${goQuote(refused)} is disallowed by this role`)
  }
  return policies
}

const isIn = (name: string, names: readonly string[], globs: readonly string[]): boolean =>
  names.includes(name) || globs.some((glob) => matchesGlob(glob, name))

const isDisallowed = (role: TokenRole, name: string): boolean =>
  isIn(name, role.disallowedPolicies, role.disallowedPoliciesGlob)

/** A list of texts as Go's `%q` writes it. */
const quoted = (texts: readonly string[]): string => `[${texts.map(goQuote).join(' ')}]`
