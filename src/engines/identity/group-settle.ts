import { Breather } from '../../std/breather.ts'
import type { BackgroundScope } from '../../engine/engine.ts'
import type { Ref, Scanned, Tx } from '../../engine/records.ts'
import { idText } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { groupOpRef } from './group-large-write.ts'
import { groupKey, knownGroupRef, membershipsRef } from './group-record.ts'
import { isListed } from './membership-end.ts'
import { directMemberships, putMemberships } from './membership-record.ts'
import type { GroupRecord, MemberEdge } from './records.ts'
import { groupMembers, groupOps } from './records.ts'

/** Marked edges of one commit, two writes each. */
const AT_ONCE = limits.longWorkWrites / 2

/** A large write that has not told for so long that it goes on is taken for dead. */
const DEAD_MS = 10_000

/** The same for a group that is being created: nobody waits for it, so there is time. */
const DEAD_CREATION_MS = 60_000

/**
 * Settles what large writes of members have left behind: marks that are in force become plain memberships or are removed, marks
 * of writes that died go without a trace. Costs nothing where there was no such write; may run in several processes at once and
 * be cut off anywhere.
 */
export const settleLargeWrites = async (scope: BackgroundScope): Promise<void> => {
  const { namespace, records } = scope
  for await (const page of records.scan(groupOps.under(namespace.number))) {
    for (const { tail, value } of page) await settleGroup(scope, idText(tail), value.at)
  }
}

const settleGroup = async (scope: BackgroundScope, groupId: string, at: number): Promise<void> => {
  const {
    namespace: { number: namespace },
    now,
    records,
  } = scope
  const ref = knownGroupRef(namespace, groupId)
  const group = await records.get(ref)
  if (group === undefined) {
    if (at + DEAD_CREATION_MS < now) await dropMemberships(scope, groupId, at)
    return
  }
  if (group.pending !== undefined) {
    if (group.pending.at + DEAD_MS >= now) return
    await records.transact(async (tx) => {
      const present = await tx.get(ref)
      if (present?.pending?.op !== group.pending?.op) return
      if (present?.pending?.at === group.pending?.at)
        tx.put(ref, { ...present!, pending: undefined })
    })
  }
  const settled = new Set(group.ops)
  await eachMarked(scope, groupId, settleEdge)
  await records.transact(async (tx) => {
    const present = await tx.get(ref)
    if (present === undefined) return
    const ops = present.ops?.filter((op) => !settled.has(op)) ?? []
    if (ops.length === 0 && present.pending === undefined) tx.delete(groupOpRef(namespace, groupId))
    tx.put(ref, { ...present, ops: ops.length === 0 ? undefined : ops })
  })
}

/** The edges of a group that bear marks, a few a commit. */
const eachMarked = async (
  { namespace: { number: namespace }, records }: BackgroundScope,
  groupId: string,
  settle: (tx: Tx, namespace: number, group: GroupRecord, edge: Placed) => Promise<void>,
): Promise<void> => {
  const groupRef = knownGroupRef(namespace, groupId)
  const range = groupMembers.under(namespace, groupKey(groupId))
  const breather = new Breather()
  let marked: Placed[] = []
  const flush = async (): Promise<void> => {
    if (marked.length === 0) return
    const edges = marked
    marked = []
    await records.transact(async (tx) => {
      const group = await tx.get(groupRef)
      if (group === undefined) return
      await tx.getMany<unknown>(
        edges.flatMap(({ ref, entityId }) => [ref, membershipsRef(namespace, entityId)]),
      )
      for (const edge of edges) await settle(tx, namespace, group, edge)
    })
    await records.afterOthers()
  }
  for await (const page of records.scan(range, { pageSize: 64 })) {
    for (const found of page) {
      if (found.value.in === undefined && found.value.out === undefined) continue
      marked.push(placed(found))
      if (marked.length === AT_ONCE) await flush()
    }
    await breather.due()
  }
  await flush()
}

/** Where an edge is, and whose it is. */
interface Placed {
  readonly ref: Ref<MemberEdge>
  readonly entityId: string
}

const placed = ({ key, tail }: Scanned<MemberEdge>): Placed => ({
  ref: groupMembers.atKey(key),
  entityId: idText(tail),
})

/** What the marks of an edge come to; those of a write that is under way stay. */
const settleEdge = async (
  tx: Tx,
  namespace: number,
  group: GroupRecord,
  { ref, entityId }: Placed,
): Promise<void> => {
  const edge = await tx.get(ref)
  if (edge === undefined) return
  const waits = (op: string | undefined): boolean => op !== undefined && op === group.pending?.op
  const places = await directMemberships(tx, namespace, entityId)
  if (!isListed(edge, group) && !waits(edge.in)) {
    tx.delete(ref)
    const others = places.filter(({ id }) => id !== group.id)
    putMemberships(tx, namespace, entityId, others)
    return
  }
  const marks = {
    in: waits(edge.in) ? edge.in : undefined,
    out: waits(edge.out) ? edge.out : undefined,
  }
  if (marks.in === edge.in && marks.out === edge.out) return
  tx.put(ref, { ...edge, ...marks })
  putMemberships(
    tx,
    namespace,
    entityId,
    places.map((one) => (one.id === group.id ? { ...one, ...marks } : one)),
  )
}

/** Removes what is stored for a group that was never created, or is gone. */
const dropMemberships = async (
  { namespace: { number: namespace }, records }: BackgroundScope,
  groupId: string,
  at: number,
): Promise<void> => {
  const opRef = groupOpRef(namespace, groupId)
  const range = groupMembers.under(namespace, groupKey(groupId))
  for await (const page of records.scan(range, { pageSize: AT_ONCE })) {
    await records.transact(async (tx) => {
      if ((await tx.get(opRef))?.at !== at) return
      if ((await tx.get(knownGroupRef(namespace, groupId))) !== undefined) return
      const edges = page.map(placed)
      await tx.getMany(edges.map(({ entityId }) => membershipsRef(namespace, entityId)))
      for (const { ref, entityId } of edges) {
        tx.delete(ref)
        const places = await directMemberships(tx, namespace, entityId)
        const others = places.filter(({ id }) => id !== groupId)
        if (others.length < places.length) putMemberships(tx, namespace, entityId, others)
      }
    })
    await records.afterOthers()
  }
  await records.transact(async (tx) => {
    const group = await tx.get(knownGroupRef(namespace, groupId))
    if (group === undefined && (await tx.get(opRef))?.at === at) tx.delete(opRef)
  })
}
