import type { Call } from '../../engine/call.ts'
import { invalid } from '../../engine/refusal.ts'
import type { DataResult, Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { pageFields, sortedNames } from '../../engine/sorted-names.ts'
import { limits } from '../../limits.ts'
import { changeRole } from './role-change.ts'
import type { RoleInput } from './role-fields.ts'
import { roleFields } from './role-fields.ts'
import type { RoleTwin, TokenRole } from './role-record.ts'
import { allRoles, newRole, roleRef } from './role-record.ts'

type RoleCall = Call<RoleInput>

const read = async (call: RoleCall): Promise<DataResult | undefined> => {
  const role = await call.records.get(roleRef(call, call.input.role_name))
  return role && data(shown(role))
}

const shown = (role: TokenRole): Readonly<Record<string, unknown>> => {
  const asTwin = <T>(twin: RoleTwin, value: T, unset: T): T =>
    role.twins.includes(twin) ? value : unset
  const twinCidrs = asTwin('bound_cidrs', role.boundCidrs, [])
  return {
    name: role.name,
    allowed_policies: role.allowedPolicies,
    allowed_policies_glob: role.allowedPoliciesGlob,
    disallowed_policies: role.disallowedPolicies,
    disallowed_policies_glob: role.disallowedPoliciesGlob,
    orphan: role.orphan,
    renewable: role.renewable,
    path_suffix: role.pathSuffix,
    allowed_entity_aliases: role.allowedEntityAliases,
    token_type: role.type,
    token_no_default_policy: role.noDefaultPolicy,
    token_period: role.period,
    period: asTwin('period', role.period, 0),
    token_explicit_max_ttl: role.explicitMaxTtl,
    explicit_max_ttl: asTwin('explicit_max_ttl', role.explicitMaxTtl, 0),
    ...(role.boundCidrs.length > 0 ? { token_bound_cidrs: role.boundCidrs } : {}),
    ...(twinCidrs.length > 0 ? { bound_cidrs: twinCidrs } : {}),
    ...(role.numUses > 0 ? { token_num_uses: role.numUses } : {}),
  }
}

const write = async (call: RoleCall): Promise<Result> => {
  const name = call.input.role_name
  const ref = roleRef(call, name)
  const change = {
    input: call.input,
    typeSent: call.has('token_type'),
    maxTtl: call.mount.maxLeaseTtlSeconds,
  }
  const warnings = await call.records.transact(async (tx) => {
    const changed = changeRole((await tx.get(ref)) ?? newRole(name), change)
    checkSize(changed.role)
    tx.put(ref, changed.role)
    return changed.warnings
  })
  if (warnings.length === 0) return undefined
  for (const text of warnings) call.warn(text)
  return data(null)
}

const checkSize = (role: TokenRole): void => {
  const size = Buffer.byteLength(JSON.stringify(role))
  if (size > limits.tokenRoleBytes) {
    throw invalid(
      `the role would take ${size} bytes, and at most ${limits.tokenRoleBytes} are kept: shorten its lists`,
    )
  }
}

const remove = async (call: RoleCall): Promise<undefined> => {
  const ref = roleRef(call, call.input.role_name)
  await call.records.transact(async (tx) => {
    if ((await tx.get(ref)) !== undefined) tx.delete(ref)
  })
}

/** `auth/token/roles` (spec/auth.md 2.10). */
export const roleRoutes = (): readonly Route[] => [
  route({
    path: 'roles',
    summary: 'List the token roles',
    fields: pageFields,
    verbs: {
      list: (call) => sortedNames(call.records, allRoles(call), ({ name }) => name, call.input),
    },
  }),
  route({
    path: 'roles/:role_name',
    summary: 'Read, create, update or delete a token role',
    fields: roleFields,
    exists: (call) => roleRef(call, call.input.role_name),
    verbs: { read, create: write, update: write, delete: remove },
  }),
]
