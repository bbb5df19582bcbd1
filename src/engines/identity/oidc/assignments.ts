import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Reader } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { goLower } from '../../../std/go-lower.ts'
import { groupsOf } from '../memberships.ts'
import { ALLOW_ALL, withDefault } from './defaults.ts'
import type { AssignmentRecord, ClientRecord } from './records.ts'
import { oidcAssignments, oidcClients } from './records.ts'
import type { Place } from './refs.ts'
import { allByName, assignmentRef, putObject, sortedSet } from './refs.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the assignment' }),
  entity_ids: field.commaList({ description: 'Ids of entities that may log in' }),
  group_ids: field.commaList({ description: 'Ids of groups whose members may log in' }),
}

type AssignmentCall = Call<InputOf<typeof fields>>

/** The assignment of a name; the one that lets everybody in always exists. */
export const findAssignment = async (
  reader: Reader,
  place: Place,
  name: string,
): Promise<AssignmentRecord | undefined> =>
  (await reader.get(assignmentRef(place, name))) ??
  (name === ALLOW_ALL.name ? ALLOW_ALL : undefined)

/** Ids as they are kept: the id in lower case, what follows its first `.` (a namespace) as it is. */
const keptIds = (ids: readonly string[]): string[] =>
  sortedSet(
    ids.map((id) => {
      const dot = id.indexOf('.')
      return dot === -1 ? goLower(id) : goLower(id.slice(0, dot)) + id.slice(dot)
    }),
  )

const writeAssignment = async (call: AssignmentCall): Promise<void> => {
  const { name, entity_ids: entityIds, group_ids: groupIds } = call.input
  if (name === ALLOW_ALL.name) {
    throw invalid(`modification of assignment "${name}" not allowed`)
  }
  const ref = assignmentRef(call, name)
  await call.records.transact(async (tx) => {
    const present = await tx.get(ref)
    putObject(tx, ref, {
      name,
      entityIds: entityIds === undefined ? (present?.entityIds ?? []) : keptIds(entityIds),
      groupIds: groupIds === undefined ? (present?.groupIds ?? []) : keptIds(groupIds),
      clients: present?.clients ?? 0,
    })
  })
}

const deleteAssignment = async (call: AssignmentCall): Promise<void> => {
  const { name } = call.input
  if (name === ALLOW_ALL.name) throw invalid(`deletion of assignment "${name}" not allowed`)
  const ref = assignmentRef(call, name)
  const used = await call.records.transact(async (tx) => {
    const present = await tx.get(ref)
    if (present === undefined) return false
    if (present.clients > 0) return true
    tx.delete(ref)
    return false
  })
  if (!used) return
  const clients = await allByName(
    call.records,
    oidcClients.under(call.namespace.number),
    ({ assignments }) => assignments.includes(name),
  )
  throw invalid(
    `unable to delete assignment "${name}" because it is currently referenced by these clients: ${clients.map((client) => client.name).join(', ')}`,
  )
}

/** The assignment of a client that is not there (any more). */
export interface MissingAssignment {
  readonly missing: string
}

/**
 * Whether an entity may log in to a client (identity.md 5.10): by `allow_all`, or because one of the client's assignments names
 * it or a group it is in, directly or not. The entity is known to be enabled.
 */
export const isAssigned = async (
  reader: Reader,
  place: Place & Pick<Call, 'namespace' | 'now'>,
  client: ClientRecord,
  entityId: string,
): Promise<boolean | MissingAssignment> => {
  if (client.assignments.includes(ALLOW_ALL.name)) return true
  const names = client.assignments
  const found = await reader.getMany(names.map((name) => assignmentRef(place, name)))
  const missing = found.indexOf(undefined)
  if (missing !== -1) return { missing: names[missing]! }
  const assignments = found as readonly AssignmentRecord[]
  if (assignments.some(({ entityIds }) => entityIds.includes(entityId))) return true
  const wanted = new Set(assignments.flatMap(({ groupIds }) => groupIds))
  if (wanted.size === 0) return false
  const groups = await groupsOf(reader, place.namespace.number, entityId, place.now)
  return groups.some(({ id }) => wanted.has(id))
}

/** The routes of assignments. */
export const assignmentRoutes: readonly Route[] = [
  route({
    path: 'oidc/assignment',
    summary: 'List the assignments',
    fields: {},
    verbs: {
      list: async ({ records, namespace }) => {
        const all = await allByName(records, oidcAssignments.under(namespace.number))
        return listOf(withDefault(all, ALLOW_ALL).map(({ name }) => name))
      },
    },
  }),
  route({
    path: 'oidc/assignment/:name',
    summary: 'Create, read, update or delete an assignment: who may log in to a client',
    fields,
    exists: (call) => assignmentRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const found = await findAssignment(call.records, call, call.input.name)
        if (found === undefined) return undefined
        return data({ entity_ids: found.entityIds, group_ids: found.groupIds })
      },
      update: async (call) => {
        await writeAssignment(call)
        return undefined
      },
      delete: async (call) => {
        await deleteAssignment(call)
        return undefined
      },
    },
  }),
]
