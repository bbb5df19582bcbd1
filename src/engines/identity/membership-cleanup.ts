import type { BackgroundScope } from '../../engine/engine.ts'
import type { Tx } from '../../engine/records.ts'
import { countMembers } from './group-counters.ts'
import { childRef, knownGroupRef, memberRef, membershipsRef } from './group-record.ts'
import type { DueMembership } from './membership-due.ts'
import { dueAt, dueOf } from './membership-due.ts'
import { isListed, isLive, parentEndsWith } from './membership-end.ts'
import { directMemberships, putMemberships } from './membership-record.ts'
import type { MemberEdge } from './records.ts'

/** Memberships of one commit: each writes its two records, its entry, and at worst a group with its counter. */
const AT_ONCE = 32

/** Memberships of one round: a thousand that end together must not hold up what else there is to do. */
const PER_ROUND = 1_024

/**
 * Removes what is stored of memberships that have ended, found by the index of ends. Nothing waits for it: they count no more
 * from their end on. Each commit looks again, so it may run in any number of processes at once, and be cut off anywhere.
 */
export const dropEnded = async ({ namespace, now, records }: BackgroundScope): Promise<void> => {
  let done = 0
  const due = dueAt(namespace.number, now)
  for await (const page of records.scan(due, { pageSize: AT_ONCE })) {
    const entries = page.map(({ key, tail }) => ({
      ref: due.kind.atKey(key),
      membership: dueOf(tail),
    }))
    await records.transact(async (tx) => {
      for (const { ref, membership } of entries) {
        const drop = membership.kind === 'entity' ? dropMember : dropChild
        if (await drop(tx, namespace.number, membership, now)) tx.delete(ref)
      }
    })
    done += entries.length
    if (done >= PER_ROUND) return
  }
}

const ended = (edge: MemberEdge | undefined, now: number): edge is MemberEdge =>
  edge !== undefined && !isLive(edge, now)

/**
 * The end of a membership is no write that `modify_index` counts, but whoever decides on the members rests on the group. False:
 * to be looked at again, when a large write of the members is over.
 */
const dropMember = async (
  tx: Tx,
  namespace: number,
  { groupId, memberId }: DueMembership,
  now: number,
): Promise<boolean> => {
  const ref = memberRef(namespace, groupId, memberId)
  const groupRef = knownGroupRef(namespace, groupId)
  await tx.getMany<unknown>([ref, groupRef, membershipsRef(namespace, memberId)])
  const edge = await tx.get(ref)
  if (!ended(edge, now)) return true
  const group = await tx.get(groupRef)
  if (group?.pending !== undefined) return false
  tx.delete(ref)
  const memberships = await directMemberships(tx, namespace, memberId)
  const others = memberships.filter(({ id }) => id !== groupId)
  if (others.length < memberships.length) putMemberships(tx, namespace, memberId, others)
  if (group === undefined) return true
  tx.put(groupRef, group)
  await countMembers(tx, namespace, groupId, isListed(edge, group) ? -edge.n : 0)
  return true
}

const dropChild = async (
  tx: Tx,
  namespace: number,
  { groupId, memberId }: DueMembership,
  now: number,
): Promise<boolean> => {
  const ref = childRef(namespace, groupId, memberId)
  await tx.checkStamp('tree', namespace)
  const edge = await tx.get(ref)
  if (!ended(edge, now)) return true
  tx.delete(ref)
  tx.stamp('tree', namespace)
  const child = await tx.get(knownGroupRef(namespace, memberId))
  if (child === undefined) return true
  tx.put(knownGroupRef(namespace, memberId), {
    ...child,
    parentGroupIds: child.parentGroupIds.filter((id) => id !== groupId),
    parentEnds: parentEndsWith(child, groupId, undefined),
  })
  return true
}
