import { Breather } from '../../std/breather.ts'
import { compareBytes } from '../../std/json.ts'
import { sortInSlices } from '../../std/sort-in-slices.ts'
import type { Call } from '../../engine/call.ts'
import type { Ref, Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { entityRef } from './entity-record.ts'
import { GroupBusy, asRunning } from './group-busy.ts'
import { countMembers } from './group-counters.ts'
import type { MemberChange } from './group-members.ts'
import { checkEntities, putMembers } from './group-members.ts'
import type { GroupTx } from './group-record.ts'
import { adder, knownGroupRef, memberRef, membershipsRef } from './group-record.ts'
import { putDue } from './membership-due.ts'
import { unmarked } from './membership-end.ts'
import { putMemberships } from './membership-record.ts'
import type { GroupRecord, MemberEdge } from './records.ts'
import { groupOps } from './records.ts'

/**
 * A write of all members that one commit cannot hold (architecture.md (d)). `begin` says so in the group, and whoever changes
 * its members waits; then the edges that differ get marks that mean nothing yet, a few a commit; then one commit takes the
 * write among `ops` of the group, which is the write; what is left of the marks is settled behind it (group-settle.ts). A crash
 * before that commit leaves marks that never come to mean anything.
 *
 * A group that does not exist yet needs no marks: until its record is put, its memberships count for nothing.
 */
export interface LargeWrite {
  readonly op: string
  readonly groupId: string
  /** Whether the group was there before. */
  readonly exists: boolean
  readonly change: LargeChange
}

/** What a large write changes. */
export interface LargeChange extends MemberChange {
  /** What is stored of those who join, where that is more than that a list named them; and their names. */
  readonly edges?: ReadonlyMap<string, { readonly edge: MemberEdge; readonly name: string }>
}

type LargeCall = GroupTx & Pick<Call, 'records' | 'newId' | 'requestId'>

/** Edges marked in one commit: two writes, a third for an end, and at most two checks each. */
const MARKED_AT_ONCE = limits.longWorkWrites / 2

/** How often the group is told that it goes on; who does not tell for five times as long is taken for dead. */
const TELL_MS = 2_000

/** Entities looked for in one read. */
const LOOKED_AT_ONCE = 32

/** Where it stands that a large write of a group's members has begun. */
export const groupOpRef = (namespace: number, groupId: string): Ref<{ readonly at: number }> =>
  groupOps.at(namespace, idBytes(groupId)!)

/** Somebody else took the group, its name or the write itself: from the beginning. */
const interrupted = ({ groupId }: LargeWrite): GroupBusy =>
  new GroupBusy(
    groupId,
    'the write of all members of the group was interrupted; nothing was changed, try again',
  )

/** Looks for all of the entities, before anybody is made to wait for an invalid list. Throws the recorded Refusal. */
const checkAll = async (call: LargeCall, ids: readonly string[]): Promise<void> => {
  const breather = new Breather()
  for (let at = 0; at < ids.length; at += LOOKED_AT_ONCE) {
    await checkEntities(call, call.records, ids.slice(at, at + LOOKED_AT_ONCE))
    await breather.due()
  }
}

/**
 * Carries a large write out. `began` is when the request did (`performance.now()`, while `call.now` was read). `joining` are looked for first; `begin` gives the group in a transaction, undefined when it is to be created under `newId`, after
 * all checks but that of the entities; `changeOf` what is to change now that nobody else does; `finish` writes the group in the commit that is the write, with `checkLarge`, `inForce` and `putLarge`.
 */
export const writeLarge = async <T>(
  call: LargeCall,
  began: number,
  newId: string,
  joining: readonly string[],
  begin: (tx: Tx) => Promise<GroupRecord | undefined>,
  changeOf: (group: GroupRecord | undefined) => Promise<LargeChange>,
  finish: (tx: Tx, large: LargeWrite) => Promise<T>,
): Promise<T> => {
  const {
    namespace: { number: namespace },
    records,
  } = call
  await checkAll(call, joining)
  const op = call.newId()
  // To look for 100,000 entities takes a while; who has not told for long is taken for dead.
  const told = performance.now()
  const at = call.now + Math.floor(told - began)
  const group = await records.transact(async (tx) => {
    const found = await begin(tx)
    tx.put(groupOpRef(namespace, found?.id ?? newId), { at })
    if (found !== undefined) {
      const pending = { op, at, by: call.requestId }
      tx.put(knownGroupRef(namespace, found.id), { ...found, pending })
    }
    return found
  })
  const groupId = group?.id ?? newId
  return asRunning(groupId, async () => {
    try {
      const change = await changeOf(group)
      const large = { op, groupId, exists: group !== undefined, change }
      await mark(call, large, began, told)
      return await records.transact((tx) => finish(tx, large))
    } catch (error) {
      // Where this fails as well, the background ends it when nothing has been heard of it for a while.
      await abandon(call, op, groupId).catch(() => undefined)
      throw error
    }
  })
}

/** Reads in a transaction that the write is still under way, and gives the group; undefined for one to be created. */
const held = async (
  tx: Tx,
  namespace: number,
  large: LargeWrite,
): Promise<GroupRecord | undefined> => {
  const { op, groupId, exists } = large
  const group = await tx.get(knownGroupRef(namespace, groupId))
  if (!exists) {
    if ((await tx.get(groupOpRef(namespace, groupId))) === undefined) throw interrupted(large)
    return undefined
  }
  if (group?.pending?.op !== op) throw interrupted(large)
  return group
}

interface Marking {
  readonly id: string
  /** undefined: it joins. */
  readonly leaving: MemberEdge | undefined
}

const mark = async (
  call: LargeCall,
  large: LargeWrite,
  began: number,
  toldFirst: number,
): Promise<void> => {
  const breather = new Breather()
  const markings: Marking[] = []
  for (const id of large.change.joining) {
    markings.push({ id, leaving: undefined })
    if (markings.length % LOOKED_AT_ONCE === 0) await breather.due()
  }
  for (const [id, edge] of large.change.leaving) {
    markings.push({ id, leaving: edge })
    if (markings.length % LOOKED_AT_ONCE === 0) await breather.due()
  }
  // In the order of keys: neighbours share pages of the store.
  const all = await sortInSlices(markings, (a, b) => compareBytes(a.id, b.id), breather)
  let told = toldFirst
  for (let at = 0; at < all.length; at += MARKED_AT_ONCE) {
    const now = performance.now()
    const tells = now - told >= TELL_MS
    if (tells) told = now
    const time = call.now + Math.floor(now - began)
    await markSome(call, large, all.slice(at, at + MARKED_AT_ONCE), tells ? time : undefined)
    await call.records.afterOthers()
  }
}

const markSome = (
  call: LargeCall,
  large: LargeWrite,
  some: readonly Marking[],
  tell: number | undefined,
): Promise<void> =>
  call.records.transact(async (tx) => {
    const { groupId, op, exists } = large
    const namespace = call.namespace.number
    const group = await held(tx, namespace, large)
    if (tell !== undefined) {
      tx.put(groupOpRef(namespace, groupId), { at: tell })
      if (group?.pending !== undefined) {
        const pending = { ...group.pending, at: tell }
        tx.put(knownGroupRef(namespace, groupId), { ...group, pending })
      }
    }
    const joining = some.flatMap(({ id, leaving }) => (leaving === undefined ? [id] : []))
    await checkJoining(call, tx, large, joining)
    await tx.getMany(some.map(({ id }) => membershipsRef(namespace, id)))
    const added = { addedAt: call.now, addedBy: adder(call), source: 'list' } as const
    const joins = exists ? { in: op } : {}
    for (const { id, leaving } of some) {
      const present = (await tx.get(membershipsRef(namespace, id)))?.groups ?? []
      const edge = memberRef(namespace, groupId, id)
      if (leaving === undefined) {
        const own = large.change.edges?.get(id)?.edge ?? { n: 1, seq: 0, ...added }
        tx.put(edge, { ...own, ...joins })
        const others = present.filter((one) => one.id !== groupId)
        const place = { id: groupId, n: 1, seq: call.now, until: own.until, ...joins }
        putMemberships(tx, namespace, id, [...others, place])
        putDue(tx, namespace, { kind: 'entity', groupId, memberId: id }, own.until)
      } else {
        // What was read before may bear marks that are settled by now: written again they would come to mean something else.
        tx.put(edge, { ...unmarked(leaving), out: op })
        const places = present.map((one) =>
          one.id === groupId ? { ...unmarked(one), out: op } : one,
        )
        putMemberships(tx, namespace, id, places)
      }
    }
  })

/** Throws for entities that are gone: as a list is refused, else from the beginning, where the members are named once more. */
const checkJoining = async (
  call: LargeCall,
  tx: Tx,
  large: LargeWrite,
  joining: readonly string[],
): Promise<void> => {
  const { edges } = large.change
  if (edges === undefined) return checkEntities(call, tx, joining)
  const found = await tx.getMany(joining.map((id) => entityRef(call.namespace.number, id)))
  for (const [index, id] of joining.entries()) {
    if (found[index]?.name !== edges.get(id)?.name) throw interrupted(large)
  }
}

/** What the group is given in the commit that is the write. */
export const inForce = (
  group: GroupRecord,
  large: LargeWrite | undefined,
): Pick<GroupRecord, 'ops' | 'pending'> =>
  large === undefined || !large.exists
    ? { ops: group.ops, pending: group.pending }
    : { ops: [...(group.ops ?? []), large.op], pending: undefined }

/**
 * First in the commit that is the write: that it is still under way, and about the group that the request means now. Throws a
 * GroupBusy otherwise.
 */
export const checkLarge = async (
  call: GroupTx,
  tx: Tx,
  found: GroupRecord | undefined,
  large: LargeWrite,
): Promise<void> => {
  await held(tx, call.namespace.number, large)
  const same = large.exists ? found?.id === large.groupId : found === undefined
  if (!same) throw interrupted(large)
}

/** The rest of that commit beside the group's record: the count of members, and those that only settle. */
export const putLarge = async (call: GroupTx, tx: Tx, large: LargeWrite): Promise<void> => {
  const namespace = call.namespace.number
  if (!large.exists) tx.delete(groupOpRef(namespace, large.groupId))
  const { joining, leaving, settling, ended } = large.change
  const sum = (edges: ReadonlyMap<string, MemberEdge>): number => {
    let total = 0
    for (const { n } of edges.values()) total += n
    return total
  }
  await countMembers(tx, namespace, large.groupId, joining.length - sum(ended) - sum(leaving))
  const rest = { joining: [], leaving: new Map(), settling, ended: new Map() }
  await putMembers(call, tx, large.groupId, rest)
}

const abandon = (
  { namespace: { number: namespace }, records }: LargeCall,
  op: string,
  groupId: string,
): Promise<void> =>
  records.transact(async (tx) => {
    const ref = knownGroupRef(namespace, groupId)
    const group = await tx.get(ref)
    if (group?.pending?.op === op) tx.put(ref, { ...group, pending: undefined })
    // Of a group that never came to be, the background takes what is left at once.
    else if (group === undefined) tx.put(groupOpRef(namespace, groupId), { at: 0 })
  })
