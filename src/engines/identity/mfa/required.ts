import type { Mount } from '../../../engine/call.ts'
import type { MfaConstraint, MfaMethodView, MfaScope } from '../../../engine/ports/mfa.ts'
import type { Reader } from '../../../engine/records.ts'
import { denied } from '../../../engine/refusal.ts'
import { groupsOf } from '../memberships.ts'
import { findSubject } from '../subject.ts'
import { allEnforcements } from './enforcements.ts'
import type { Enforcement, MethodRecord } from './records.ts'
import { findSecret, methodRef } from './refs.ts'

/** The login that enforcements are compared with. */
interface ComparedLogin {
  readonly mount: Mount
  /** '' for none. */
  readonly entityId: string
}

/** All ids by which an enforcement can mean the one who logs in. */
interface Person {
  readonly entityIds: readonly string[]
  /** Direct and inherited. */
  readonly groupIds: readonly string[]
}

const binds = (
  enforcement: Enforcement,
  { mount }: ComparedLogin,
  { entityIds, groupIds }: Person,
): boolean =>
  enforcement.mountAccessors.includes(mount.accessor) ||
  enforcement.mountTypes.includes(mount.type) ||
  enforcement.entityIds.some((id) => entityIds.includes(id)) ||
  enforcement.groupIds.some((id) => groupIds.includes(id))

/** See MfaPort.required. A merged entity stays bound by what names the ids that became part of it. */
export const required = async (
  reader: Reader,
  scope: MfaScope,
  login: ComparedLogin,
): Promise<readonly MfaConstraint[]> => {
  const all = await allEnforcements(reader, scope)
  if (all.length === 0) return []
  const entity =
    login.entityId === ''
      ? undefined
      : await findSubject(reader, scope.namespace.number, login.entityId)
  const groups =
    entity === undefined || all.every(({ groupIds }) => groupIds.length === 0)
      ? []
      : await groupsOf(reader, scope.namespace.number, entity.id, scope.now)
  const person: Person = {
    entityIds: entity === undefined ? [] : [entity.id, ...entity.mergedEntityIds],
    groupIds: groups.map(({ id }) => id),
  }
  const binding = all.filter((enforcement) => binds(enforcement, login, person))
  if (binding.length === 0) return []
  if (entity === undefined) throw denied()
  const ids = [...new Set(binding.flatMap(({ methodIds }) => methodIds))]
  const methods = await reader.getMany(ids.map((id) => methodRef(scope, id)))
  const views = new Map<string, MfaMethodView>()
  for (const method of methods) {
    if (method !== undefined) views.set(method.id, await viewOf(reader, scope, method, entity.id))
  }
  return binding.map(({ id, name, methodIds }) => ({
    id,
    name,
    methods: methodIds.flatMap((methodId) => views.get(methodId) ?? []),
  }))
}

const viewOf = async (
  reader: Reader,
  scope: MfaScope,
  method: MethodRecord,
  entityId: string,
): Promise<MfaMethodView> => ({
  id: method.id,
  type: method.type,
  name: method.name,
  usesPasscode: method.type === 'totp' || (method.type === 'duo' && method.usePasscode),
  selfEnrollment:
    method.type === 'totp' &&
    method.selfEnrollment &&
    (await findSecret(reader, scope, entityId, method.id)) === undefined,
})
