import type { Reader, Ref, Tx } from '../../engine/records.ts'
import { groupKey } from './group-record.ts'
import type { GroupCounter, GroupRecord } from './records.ts'
import { groupCounters } from './records.ts'

/** Shards of a group's counter: that many logins join one group at once with hardly a conflict (architecture.md E3). */
const SHARDS = 8

const shardRef = (namespace: number, groupId: string, shard: number): Ref<GroupCounter> =>
  groupCounters.at(namespace, groupKey(groupId), Uint8Array.of(shard))

/** All counters of a group, to delete with it. */
export const shardRefs = (namespace: number, groupId: string): Ref<GroupCounter>[] =>
  Array.from({ length: SHARDS }, (_, shard) => shardRef(namespace, groupId, shard))

const NOTHING: GroupCounter = { writes: 0, members: 0, under: 0 }

/**
 * Counts a change of an external group's members in a random shard. The group record is only read (the caller holds it
 * from `tx`): joins of one group conflict with its deletion, hardly ever with each other.
 */
export const countLoginWrite = async (
  tx: Tx,
  namespace: number,
  group: GroupRecord,
  change: { readonly writes: number; readonly members: number },
  randomBytes: (length: number) => Buffer,
): Promise<void> => {
  const ref = shardRef(namespace, group.id, randomBytes(1)[0]! % SHARDS)
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

/** The sums of the counters of groups, in their order; one batch of reads. */
export const readCounts = async (
  reader: Reader,
  namespace: number,
  groups: readonly GroupRecord[],
): Promise<GroupCount[]> => {
  const refs = groups.flatMap((group) => shardRefs(namespace, group.id))
  const counters = await reader.getMany(refs)
  return groups.map((group, index) => {
    let modifyIndex = group.modifyIndex
    let members = 0
    let loginWroteLast = false
    for (let shard = 0; shard < SHARDS; shard++) {
      const counter = counters[index * SHARDS + shard]
      if (counter === undefined) continue
      modifyIndex += counter.writes
      members += counter.members
      if (counter.under === group.modifyIndex) loginWroteLast = true
    }
    return { modifyIndex, members, loginWroteLast }
  })
}
