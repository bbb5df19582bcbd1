import type { Reader, Tx } from '../../engine/records.ts'
import { countLoginWrite, countMembers } from './group-counters.ts'
import { refuseBusy } from './group-busy.ts'
import { knownGroupRef, memberRef, rewritten } from './group-record.ts'
import { inPolicyOrder, withAncestors } from './hierarchy.ts'
import { firstEnd, isListed, isMember, laterEnd, parentEnd, unmarked } from './membership-end.ts'
import { putDue } from './membership-due.ts'
import type { Membership } from './membership-record.ts'
import { directMemberships, liveMemberships, putMemberships } from './membership-record.ts'
import type { GroupRecord } from './records.ts'

/** A group that an entity is in. */
export type GroupOf = GroupRecord & { readonly direct: boolean }

/**
 * The groups an entity is in at `now` (ms): direct ones in join order, then inherited ones in the order of identity.md 7.4,
 * each once, deleted ones and ended memberships left out. Throws a Refusal above 2,000 groups.
 */
export const groupsOf = async (
  reader: Reader,
  namespace: number,
  entityId: string,
  now: number,
): Promise<readonly GroupOf[]> => (await groupsUntil(reader, namespace, entityId, now)).groups

/** The same, and until when it stays so by itself (ms): the first end among the memberships it rests on. */
export const groupsUntil = async (
  reader: Reader,
  namespace: number,
  entityId: string,
  now: number,
): Promise<{ readonly groups: readonly GroupOf[]; readonly until: number | undefined }> => {
  const memberships = await liveMemberships(reader, namespace, entityId, now)
  if (memberships.length === 0) return { groups: [], until: undefined }
  const stored = memberships.map(({ id }) => id)
  const known = await withAncestors(reader, namespace, stored, now)
  const direct = memberships.flatMap((membership) => {
    const group = known.get(membership.id)
    return group !== undefined && isListed(membership, group) ? [membership.id] : []
  })
  const inherited = [...known.values()].flatMap((group) =>
    group.parentEnds === undefined
      ? []
      : group.parentGroupIds.map((parent) => ({ until: parentEnd(group, parent) })),
  )
  return {
    groups: inPolicyOrder(direct, known),
    until: firstEnd([...memberships, ...inherited]),
  }
}

/**
 * Counts `writes` on a group whose members were changed by something other than a write of the group itself.
 *
 * An internal group is put: its whole-list writes read the member range outside the reach of checks and rest on the
 * group's record alone, so everything that touches its members must put that record (see group-members.ts). An external
 * group is only read: its members change by logins, which must not conflict, and nobody decides on its range.
 */
const countWrite = async (
  tx: Tx,
  namespace: number,
  group: GroupRecord,
  entityId: string,
  change: { readonly writes: number; readonly members: number; readonly left: number },
): Promise<void> => {
  if (group.type === 'external') {
    await countLoginWrite(tx, namespace, group, entityId, change)
    return
  }
  refuseBusy(group)
  // `left` is only known to be zero by the counter; the list is shown as [] when it is found empty.
  tx.put(
    knownGroupRef(namespace, group.id),
    rewritten(group, { emptied: change.left > 0 ? undefined : 'members' }, change.writes),
  )
  await countMembers(tx, namespace, group.id, change.members)
}

/** The live groups of some memberships, by id; all of them become checks of the commit. */
const liveGroups = async (
  tx: Tx,
  namespace: number,
  memberships: readonly Membership[],
): Promise<ReadonlyMap<string, GroupRecord>> => {
  const records = await tx.getMany(memberships.map(({ id }) => knownGroupRef(namespace, id)))
  return new Map(records.flatMap((record) => (record === undefined ? [] : [[record.id, record]])))
}

/** Records that leaving one group writes: the edge, the group, its counter. */
export const WRITES_PER_GROUP = 3

/**
 * Takes an entity out of its groups, wholly where it is listed more than once, as part of its deletion; each group counts
 * one write (identity.md 1.8). At most `most` groups are left; how many that were is the answer, and the memberships that
 * remain stay in the entity's record of them.
 */
export const leaveGroups = async (
  tx: Tx,
  namespace: number,
  entityId: string,
  most: number,
): Promise<{ readonly left: number; readonly remaining: number }> => {
  const memberships = await directMemberships(tx, namespace, entityId)
  if (memberships.length === 0) return { left: 0, remaining: 0 }
  const leaving = memberships.slice(0, most)
  const live = await liveGroups(tx, namespace, leaving)
  for (const membership of leaving) {
    const { id, n } = membership
    tx.delete(memberRef(namespace, id, entityId))
    const group = live.get(id)
    if (group === undefined) continue
    const members = isListed(membership, group) ? -n : 0
    await countWrite(tx, namespace, group, entityId, { writes: 1, members, left: 0 })
  }
  const remaining = memberships.slice(leaving.length)
  putMemberships(tx, namespace, entityId, remaining)
  return { left: leaving.length, remaining: remaining.length }
}

/**
 * A merge: every group that lists `from` lists `to` instead, once more than before where it did already (G1), at the end
 * of the list; each group counts two writes (identity.md 1.7). A membership keeps its end; of two, the later one.
 */
export const repointMemberships = async (
  tx: Tx,
  namespace: number,
  fromEntityId: string,
  toEntityId: string,
  now: number,
): Promise<void> => {
  const leaving = await directMemberships(tx, namespace, fromEntityId)
  if (leaving.length === 0) return
  const live = await liveGroups(tx, namespace, leaving)
  const left = await tx.getMany(leaving.map(({ id }) => memberRef(namespace, id, fromEntityId)))
  const edges = await tx.getMany(leaving.map(({ id }) => memberRef(namespace, id, toEntityId)))
  const kept = [...(await directMemberships(tx, namespace, toEntityId))]
  for (const [index, membership] of leaving.entries()) {
    const { id, n } = membership
    tx.delete(memberRef(namespace, id, fromEntityId))
    const group = live.get(id)
    if (group === undefined) continue
    const listed = isListed(membership, group)
    if (!isMember(membership, group, now)) {
      const members = listed ? -n : 0
      await countWrite(tx, namespace, group, fromEntityId, { writes: 0, members, left: 1 })
      continue
    }
    const stored = edges[index]
    const present = stored !== undefined && isListed(stored, group) ? unmarked(stored) : undefined
    const edge = present !== undefined && isMember(present, group, now) ? present : undefined
    const until = edge === undefined ? membership.until : laterEnd(edge, membership)
    tx.put(memberRef(namespace, id, toEntityId), {
      ...(edge ?? unmarked({ ...left[index], source: 'merge', addedAt: now })),
      n: (edge?.n ?? 0) + 1,
      seq: edge?.seq ?? now,
      until,
    })
    if (until !== edge?.until) {
      putDue(tx, namespace, { kind: 'entity', groupId: id, memberId: toEntityId }, until)
    }
    const at = kept.findIndex((one) => one.id === id)
    if (at < 0) kept.push({ id, n: 1, seq: now, until })
    else if (edge === undefined) kept[at] = { id, n: 1, seq: now, until }
    else kept[at] = { ...unmarked(kept[at]!), n: kept[at]!.n + 1, until }
    const dropped = present !== undefined && edge === undefined ? present.n : 0
    const members = 1 - n - dropped
    await countWrite(tx, namespace, group, toEntityId, { writes: 2, members, left: 1 })
  }
  putMemberships(tx, namespace, toEntityId, kept)
  putMemberships(tx, namespace, fromEntityId, [])
}
