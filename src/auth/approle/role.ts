import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Reader, Tx } from '../../engine/records.ts'
import { failed, invalid, wrapped } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { isCidrBlock } from '../../std/cidr.ts'
import { goDuration } from '../shared/go-duration-text.ts'
import type { TokenSettings } from '../shared/token-fields.ts'
import {
  readTokenFields,
  shownTokenFields,
  tokenFields,
  twinFields,
  unsetTokenSettings,
} from '../shared/token-fields.ts'
import type { Place, Role } from './approle-records.ts'
import { deadGenerationRef, roleIdRef, roleRef } from './approle-records.ts'
import { sweepDeadRoles } from './sweep.ts'

const MOST_BYTES = 4096

export const roleName = field.lowerString({ default: '', description: 'Name of the role' })

/** The fields of a role that are not about its tokens. */
export const ownFields = {
  role_id: field.string({ description: 'What a client logs in with; made when missing' }),
  bind_secret_id: field.bool({ description: 'Whether a login needs a secret id (the default)' }),
  secret_id_bound_cidrs: field.commaList({
    description: 'Blocks from which a login may come; empty = any',
  }),
  bound_cidr_list: field.commaList({
    description: 'Use secret_id_bound_cidrs',
    deprecated: true,
  }),
  secret_id_num_uses: field.int({ description: 'Logins a secret id is good for; 0 = unlimited' }),
  secret_id_ttl: field.duration({ description: 'Lifetime of a secret id; 0 = for ever' }),
  local_secret_ids: field.bool({ description: 'Kept with the role; only when it is created' }),
}

export const roleFields = {
  role_name: roleName,
  ...ownFields,
  ...tokenFields,
  ...twinFields('policies', 'period'),
}

type RoleCall = Call<InputOf<typeof roleFields>>

export const readRole = async (call: RoleCall) => {
  const role = await call.records.get(roleRef(call, call.input.role_name))
  return role && data(shownRole(role))
}

const shownRole = (role: Role): Readonly<Record<string, unknown>> => ({
  bind_secret_id: role.bindSecretId,
  local_secret_ids: role.localSecretIds,
  secret_id_bound_cidrs: role.secretIdBoundCidrs,
  secret_id_num_uses: role.secretIdNumUses,
  secret_id_ttl: role.secretIdTtlSeconds,
  ...shownTokenFields(role.token),
})

/** Creates a role or changes what was sent; 200 when there is something to warn of. */
export const writeRole = async (call: RoleCall) => {
  const { input } = call
  const name = input.role_name
  checkLength(name, 'role_name')
  const made = { generation: call.newId(), roleId: call.newId() }
  const warnings = await call.records.transact(async (tx) => {
    const before = await tx.get(roleRef(call, name))
    const { role, warnings: about } = changedRole(
      call,
      before ?? newRole(name, made, input.local_secret_ids ?? false),
    )
    await putRole(call, tx, before, role)
    return about
  })
  for (const warning of warnings) call.warn(warning)
  return warnings.length > 0 ? data(null) : undefined
}

const newRole = (
  name: string,
  made: Pick<Role, 'generation' | 'roleId'>,
  localSecretIds: boolean,
): Role => ({
  name,
  ...made,
  bindSecretId: true,
  secretIdBoundCidrs: null,
  secretIdNumUses: 0,
  secretIdTtlSeconds: 0,
  localSecretIds,
  token: unsetTokenSettings,
})

/** The role after a write. Throws the recorded refusals, in their order. */
const changedRole = (
  { input, mount }: RoleCall,
  before: Role,
): { readonly role: Role; readonly warnings: readonly string[] } => {
  const { settings, warnings } = readTokenFields(input, before.token, { adjustTypes: true })
  if ((input.local_secret_ids ?? before.localSecretIds) !== before.localSecretIds) {
    throw invalid('local_secret_ids can only be modified during role creation')
  }
  if (input.role_id === '') {
    throw invalid('invalid role_id supplied, or failed to generate a role_id')
  }
  if (input.role_id !== undefined) checkLength(input.role_id, 'role_id')
  const cidrs = input.secret_id_bound_cidrs ?? input.bound_cidr_list
  if (cidrs !== undefined) checkBlocks(cidrs, 'failed to validate CIDR blocks')
  if ((input.secret_id_num_uses ?? 0) < 0) throw invalid('secret_id_num_uses cannot be negative')
  checkPeriod(settings, mount)
  const role: Role = {
    ...before,
    roleId: input.role_id ?? before.roleId,
    bindSecretId: input.bind_secret_id ?? before.bindSecretId,
    secretIdBoundCidrs: cidrs === undefined ? before.secretIdBoundCidrs : noneIsNull(cidrs),
    secretIdNumUses: input.secret_id_num_uses ?? before.secretIdNumUses,
    secretIdTtlSeconds: input.secret_id_ttl ?? before.secretIdTtlSeconds,
    token: settings,
  }
  if (settings.parameters.maxTtl <= mount.maxLeaseTtlSeconds) return { role, warnings }
  const truncated =
    "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated"
  return { role, warnings: [...warnings, truncated] }
}

/** Refuses (400) texts that are too long to be looked up by. */
export const checkLength = (text: string, name: string): void => {
  if (Buffer.byteLength(text) > MOST_BYTES) {
    throw invalid(`${name} is longer than maximum of ${MOST_BYTES} bytes`)
  }
}

/** Refuses (400) a period longer than the mount allows; only one under the old name is held to it (recorded). */
export const checkPeriod = ({ parameters, twins }: TokenSettings, mount: Call['mount']): void => {
  const { period } = parameters
  const most = mount.maxLeaseTtlSeconds
  if (!twins.includes('period') || period <= most) return
  throw invalid(
    `period of "${goDuration(period)}" is greater than the backend's maximum lease TTL of "${goDuration(most)}"`,
  )
}

export const noneIsNull = (list: readonly string[]): readonly string[] | null =>
  list.length === 0 ? null : list

/** Refuses (a recorded 500) what is no block with a mask. */
export const checkBlocks = (cidrs: readonly string[], what: string): void => {
  const bad = cidrs.find((cidr) => !isCidrBlock(cidr))
  if (bad !== undefined) throw failed(`${what}: invalid CIDR address: ${bad}`)
}

/** Puts a role with its unique role id. Refuses one that anybody could log in with, and a role id of another role. */
export const putRole = async (
  place: Place,
  tx: Tx,
  before: Role | undefined,
  role: Role,
): Promise<void> => {
  const bound = role.secretIdBoundCidrs !== null || role.token.parameters.boundCidrs.length > 0
  if (!role.bindSecretId && !bound) {
    throw failed('at least one constraint should be enabled on the role')
  }
  if (before?.roleId !== role.roleId) {
    if ((await tx.get(roleIdRef(place, role.roleId))) !== undefined) {
      throw failed('role_id already in use')
    }
    if (before !== undefined) tx.delete(roleIdRef(place, before.roleId))
    tx.put(roleIdRef(place, role.roleId), { role: role.name })
  }
  tx.put(roleRef(place, role.name), role)
}

/** Deletes a role; all its secret ids die in the same commit, and their records are swept after it. */
export const deleteRole = async (call: RoleCall) => {
  const deleted = await call.records.transact(async (tx) => {
    const role = await tx.get(roleRef(call, call.input.role_name))
    if (role === undefined) return false
    tx.delete(roleRef(call, role.name))
    tx.delete(roleIdRef(call, role.roleId))
    tx.put(deadGenerationRef(call, role.generation), { generation: role.generation })
    return true
  })
  if (deleted) await sweepDeadRoles(call)
  return undefined
}

/** The role with this role id. */
export const roleOfId = async (
  place: Place,
  reader: Reader,
  roleId: string,
): Promise<Role | undefined> => {
  const owner = await reader.get(roleIdRef(place, roleId))
  const role = owner && (await reader.get(roleRef(place, owner.role)))
  return role?.roleId === roleId ? role : undefined
}

/** The role, or the recorded refusal of writes below a role that does not exist. */
export const knownRole = (role: Role | undefined): Role => {
  if (role === undefined) throw wrapped('missing', 'unsupported path')
  return role
}
