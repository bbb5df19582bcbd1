import type { Call, Mount } from '../../engine/call.ts'
import type { RecordRange, Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'

/** What type the tokens of a role have: that one, or that one unless the request names another. */
export type RoleTokenType = 'service' | 'batch' | 'default-service' | 'default-batch'

/** Names of fields from before they began with `token_`. */
export type RoleTwin = 'bound_cidrs' | 'explicit_max_ttl' | 'period'

/** `tr/<ns><mount>H('token-role', name)`: how tokens are made by a role (spec/auth.md 2.10). Durations in seconds, 0 = unset. */
export interface TokenRole {
  readonly name: string
  /** Policies as tokens carry them; globs in lower case. */
  readonly allowedPolicies: readonly string[]
  readonly allowedPoliciesGlob: readonly string[]
  readonly disallowedPolicies: readonly string[]
  readonly disallowedPoliciesGlob: readonly string[]
  readonly orphan: boolean
  readonly renewable: boolean
  /** '' for none. */
  readonly pathSuffix: string
  /** Names and globs in lower case; null until they are written. */
  readonly allowedEntityAliases: readonly string[] | null
  readonly boundCidrs: readonly string[]
  readonly explicitMaxTtl: number
  readonly period: number
  readonly noDefaultPolicy: boolean
  readonly numUses: number
  readonly type: RoleTokenType
  /** Under which old names the values were last written: reads show them there too. */
  readonly twins: readonly RoleTwin[]
}

const roles = recordKind<TokenRole>('tr')

type Place = Pick<Call, 'namespace' | 'names'> & { readonly mount: Pick<Mount, 'key'> }

/** Where the role of this name is kept; names differ in case. */
export const roleRef = ({ namespace, mount, names }: Place, name: string): Ref<TokenRole> =>
  roles.at(namespace.number, mount.key, names.hash('token-role', name))

/** All roles, in no order of names. */
export const allRoles = ({
  namespace,
  mount,
}: Pick<Place, 'namespace' | 'mount'>): RecordRange<TokenRole> =>
  roles.under(namespace.number, mount.key)

/** A role before anything was written. */
export const newRole = (name: string): TokenRole => ({
  name,
  allowedPolicies: [],
  allowedPoliciesGlob: [],
  disallowedPolicies: [],
  disallowedPoliciesGlob: [],
  orphan: false,
  renewable: true,
  pathSuffix: '',
  allowedEntityAliases: null,
  boundCidrs: [],
  explicitMaxTtl: 0,
  period: 0,
  noDefaultPolicy: false,
  numUses: 0,
  type: 'default-service',
  twins: [],
})
