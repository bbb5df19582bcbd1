import type { Records, Ref, Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { groupKey } from './group-record.ts'
import type { GroupCounter, GroupRecord } from './records.ts'
import { groupCounters } from './records.ts'

/**
 * A counter has up to 256 shards, the last byte of an entity's id choosing one: that many people join one group at once with
 * hardly a conflict (architecture.md E3), and the shards of a group are one page of a scan.
 */
const shardRef = (namespace: number, groupId: string, shard: number): Ref<GroupCounter> =>
  groupCounters.at(namespace, groupKey(groupId), Uint8Array.of(shard))

/** Deletes the counters of a group that is gone; ids are never given twice, so what is left behind by a crash misleads nobody. */
export const dropCounters = async (
  records: Records,
  namespace: number,
  groupId: string,
): Promise<void> => {
  const range = groupCounters.under(namespace, groupKey(groupId))
  for await (const page of records.scan(range, { pageSize: limits.commitWrites })) {
    await records.transact(async (tx) => {
      for (const { tail } of page) tx.delete(shardRef(namespace, groupId, tail[0]!))
    })
  }
}

const NOTHING: GroupCounter = { writes: 0, members: 0, under: 0 }

/**
 * Counts a change of an external group's members in the shard of the entity that joins or leaves (ids are random, so the
 * shards fill evenly). The group record is only read (the caller holds it from `tx`): joins of one group conflict with its
 * deletion, hardly ever with each other.
 */
export const countLoginWrite = async (
  tx: Tx,
  namespace: number,
  group: GroupRecord,
  entityId: string,
  change: { readonly writes: number; readonly members: number },
): Promise<void> => {
  const ref = shardRef(namespace, group.id, idBytes(entityId)?.[15] ?? 0)
  const before = (await tx.get(ref)) ?? NOTHING
  tx.put(ref, {
    writes: before.writes + change.writes,
    members: before.members + change.members,
    under: group.modifyIndex,
  })
}

/**
 * Counts members of an internal group. Its writers put the group record anyway (that is what guards its member list), so
 * one shard is enough and `modify_index` stays in the record.
 */
export const countMembers = async (
  tx: Tx,
  namespace: number,
  groupId: string,
  change: number,
): Promise<void> => {
  if (change === 0) return
  const ref = shardRef(namespace, groupId, 0)
  const before = (await tx.get(ref)) ?? NOTHING
  tx.put(ref, { ...before, members: before.members + change, under: 0 })
}

/** What the counters add to a group record when it is shown. */
export interface GroupCount {
  readonly modifyIndex: number
  readonly members: number
  /** A login changed the members after the last write of the record itself. */
  readonly loginWroteLast: boolean
}

/** The sums of the counters of groups, in their order. */
export const readCounts = (
  records: Records,
  namespace: number,
  groups: readonly GroupRecord[],
): Promise<GroupCount[]> => Promise.all(groups.map((group) => readCount(records, namespace, group)))

const readCount = async (
  records: Records,
  namespace: number,
  group: GroupRecord,
): Promise<GroupCount> => {
  let modifyIndex = group.modifyIndex
  let members = 0
  let loginWroteLast = false
  for await (const page of records.scan(groupCounters.under(namespace, groupKey(group.id)))) {
    for (const { value: counter } of page) {
      modifyIndex += counter.writes
      members += counter.members
      if (counter.under === group.modifyIndex) loginWroteLast = true
    }
  }
  return { modifyIndex, members, loginWroteLast }
}
