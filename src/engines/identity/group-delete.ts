import type { Call } from '../../engine/call.ts'
import type { Records, Tx } from '../../engine/records.ts'
import { idText } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { deletingDamaged } from './delete-damaged.ts'
import { dropCounters } from './group-counters.ts'
import type { GroupFinder } from './group-read.ts'
import {
  childRef,
  groupAliasNameRef,
  groupKey,
  groupNameRef,
  groupRef,
  knownGroupAliasRef,
  knownGroupRef,
  memberRef,
  membershipsRef,
} from './group-record.ts'
import { putMemberships } from './membership-record.ts'
import type { GroupRecord } from './records.ts'
import { groupMembers } from './records.ts'

/** Memberships tidied up with the group, two writes each; more are left behind, where nobody looks (see below). */
const TIDIED_MEMBERS = 60

/** The group's record, name, alias, the alias's name and the stamp. */
const OWN_WRITES = 5

/**
 * Deletes a group with its name and alias; nothing happens when there is none (identity.md 3.3).
 *
 * The group's record is the truth: every reader of a membership or of a parent leaves groups out that do not exist, and
 * ids are never given twice. So a group of any size is deleted by one small commit; what is left of a large one costs
 * nothing but space. Children keep the id among their parents, as recorded (G4).
 */
export const deleteGroup = async (
  call: Pick<Call, 'names' | 'namespace' | 'records'>,
  find: GroupFinder,
): Promise<void> => {
  const id = await call.records.transact(async (tx) => {
    const group = await find(tx)
    if (group === undefined) return undefined
    const namespace = call.namespace.number
    tx.delete(knownGroupRef(namespace, group.id))
    tx.delete(groupNameRef(call.names, namespace, group.name))
    if (group.aliasId !== undefined) {
      const ref = knownGroupAliasRef(namespace, group.aliasId)
      const alias = await tx.get(ref)
      if (alias !== undefined) {
        tx.delete(groupAliasNameRef(call.names, namespace, alias.mountAccessor, alias.name))
      }
      tx.delete(ref)
    }
    for (const parent of group.parentGroupIds) tx.delete(childRef(namespace, parent, group.id))
    if (group.parentGroupIds.length > 0) tx.stamp('tree', namespace)
    await tidyMembers(call.records, tx, namespace, group)
    return group.id
  })
  if (id !== undefined) await dropCounters(call.records, call.namespace.number, id)
}

/** As `deleteGroup`, by id; also one whose record is damaged. */
export const deleteGroupById = async (
  call: Pick<Call, 'names' | 'namespace' | 'records'>,
  id: string,
): Promise<void> => {
  const namespace = call.namespace.number
  const ref = groupRef(namespace, id)
  if (ref === undefined) return
  await deletingDamaged(
    call.records,
    ref,
    () => deleteGroup(call, (tx) => tx.get(ref)),
    (tx) => tx.stamp('tree', namespace),
  )
}

/** The listing needs no guard: whatever it misses is left behind harmlessly; what it finds is read again and checked. */
const tidyMembers = async (
  records: Records,
  tx: Tx,
  namespace: number,
  group: GroupRecord,
): Promise<void> => {
  const range = groupMembers.under(namespace, groupKey(group.id))
  const room = limits.commitWrites - OWN_WRITES - group.parentGroupIds.length
  const pageSize = Math.min(TIDIED_MEMBERS, Math.floor(room / 2))
  if (pageSize < 1) return
  for await (const page of records.scan(range, { pageSize })) {
    const members = page.map(({ tail }) => idText(tail))
    const memberships = await tx.getMany(members.map((id) => membershipsRef(namespace, id)))
    for (const [index, entityId] of members.entries()) {
      tx.delete(memberRef(namespace, group.id, entityId))
      const present = memberships[index]?.groups ?? []
      const others = present.filter(({ id }) => id !== group.id)
      if (others.length < present.length) putMemberships(tx, namespace, entityId, others)
    }
    return
  }
}
