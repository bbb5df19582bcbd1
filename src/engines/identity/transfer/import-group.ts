import type { Tx } from '../../../engine/records.ts'
import { goLower } from '../../../std/go-lower.ts'
import { freeGroupName, groupNameRef, knownGroupRef, rewritten } from '../group-record.ts'
import { checkMetadata, sameMetadata } from '../metadata.ts'
import type { GroupRecord } from '../records.ts'
import { policyNames, sortedOnce } from '../string-set.ts'
import { writtenTime } from '../written-time.ts'
import { same } from './import-entity.ts'
import type { GroupLine } from './line.ts'
import type { Outcome } from './outcome.ts'
import { created, differing, refused, unchanged, updated } from './outcome.ts'
import type { LineScope } from './scope.ts'

/** Takes a group in, without what is in it. Throws Refusals for what no group can have; nothing is put before. */
export const importGroup = async (tx: Tx, scope: LineScope, line: GroupLine): Promise<Outcome> => {
  const { names, namespace } = scope.call
  const policies = line.policies ? policyNames(line.policies) : line.policies
  if (policies?.includes('root') === true) return refused('policies cannot contain root')
  if (line.metadata) checkMetadata(line.metadata, 'group')
  const byId =
    line.id === undefined ? undefined : await tx.get(knownGroupRef(namespace.number, line.id))
  const owner =
    line.name === undefined
      ? undefined
      : await tx.get(groupNameRef(names, namespace.number, line.name))
  if (byId !== undefined && owner !== undefined && owner.id !== byId.id) {
    return differing(
      scope.conflict,
      `the name ${JSON.stringify(line.name)} belongs to the group ${owner.id}`,
    )
  }
  const known =
    byId ??
    (owner === undefined ? undefined : await tx.get(knownGroupRef(namespace.number, owner.id)))
  return known === undefined
    ? create(tx, scope, line, policies ?? null)
    : change(tx, scope, line, known, policies)
}

const create = async (
  tx: Tx,
  { call, newId }: LineScope,
  line: GroupLine,
  policies: readonly string[] | null,
): Promise<Outcome> => {
  const { names, namespace } = call
  const id = line.id ?? newId
  const name =
    line.name ?? (await freeGroupName(tx, names, namespace, (length) => call.randomBytes(length)))
  const creationTime = line.creation_time ?? writtenTime(call.now)
  const group: GroupRecord = {
    id,
    name,
    type: line.group_type ?? 'internal',
    metadata: line.metadata ?? null,
    policies,
    parentGroupIds: [],
    aliasId: undefined,
    creationTime,
    lastUpdateTime: line.last_update_time ?? creationTime,
    modifyIndex: 1,
    emptied: undefined,
  }
  tx.put(knownGroupRef(namespace.number, id), group)
  tx.put(groupNameRef(names, namespace.number, name), { id })
  return created
}

const change = (
  tx: Tx,
  scope: LineScope,
  line: GroupLine,
  known: GroupRecord,
  policies: readonly string[] | null | undefined,
): Outcome => {
  const { names, namespace, now } = scope.call
  if (line.group_type !== undefined && line.group_type !== known.type) {
    return differing(
      scope.conflict,
      `the group ${known.id} (${known.name}) is here and is ${known.type}, which cannot be changed`,
    )
  }
  const before = known.policies ?? []
  const differs = [
    ...(line.id === undefined || line.id === known.id ? [] : [`the id (${known.id} here)`]),
    ...(line.name === undefined || line.name === known.name ? [] : ['name']),
    ...(policies === undefined || same(policies ?? [], before) ? [] : ['policies']),
    ...(line.metadata === undefined || sameMetadata(line.metadata, known.metadata)
      ? []
      : ['metadata']),
  ]
  if (differs.length === 0) return unchanged
  if (scope.conflict !== 'merge') {
    return differing(
      scope.conflict,
      `the group ${known.id} (${known.name}) is here and differs in ${differs.join(', ')}`,
    )
  }
  const metadata =
    line.metadata === undefined ? known.metadata : { ...known.metadata, ...line.metadata }
  if (metadata !== null) checkMetadata(metadata, 'group')
  const union = policies ? sortedOnce([...before, ...policies]) : before
  const name = line.id === known.id ? (line.name ?? known.name) : known.name
  if (name === known.name && same(union, before) && sameMetadata(metadata, known.metadata)) {
    return unchanged
  }
  if (goLower(name) !== goLower(known.name)) {
    tx.delete(groupNameRef(names, namespace.number, known.name))
    tx.put(groupNameRef(names, namespace.number, name), { id: known.id })
  }
  const changes = { name, policies: union, metadata, lastUpdateTime: writtenTime(now) }
  tx.put(knownGroupRef(namespace.number, known.id), rewritten(known, changes))
  return updated
}
