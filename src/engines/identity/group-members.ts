import { compareBytes } from '../../std/json.ts'
import type { Call } from '../../engine/call.ts'
import type { Reader, Records, Tx } from '../../engine/records.ts'
import { idText } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import { Breather } from '../../std/breather.ts'
import { goLower } from '../../std/go-lower.ts'
import { countMembers } from './group-counters.ts'
import { adder, entityRefOf, groupKey, memberRef, membershipsRef } from './group-record.ts'
import { nameHint } from './hints.ts'
import { isListed, isLive, isMember, unmarked } from './membership-end.ts'
import { putMemberships } from './membership-record.ts'
import type { GroupRecord, MemberEdge } from './records.ts'
import { entityNames, groupMembers } from './records.ts'
import type { GroupTx } from './group-record.ts'
import { sortInSlices } from '../../std/sort-in-slices.ts'

/** The change that turns the members of a group into those of a request. */
export interface MemberChange {
  readonly joining: readonly string[]
  readonly leaving: ReadonlyMap<string, MemberEdge>
  /** Stay, but listed more than once or behind the sorted ones (by a merge): an API write sorts and counts each once. */
  readonly settling: ReadonlyMap<string, MemberEdge>
  /** Of those joining: memberships of theirs that have ended and are stored still. */
  readonly ended: ReadonlyMap<string, MemberEdge>
}

/** The members of a group at `now` (ms), in the order of the answer: API writes sorted (sequence 0), then others as they arrived. */
export const readMembers = async (
  records: Records,
  namespace: number,
  group: Pick<GroupRecord, 'id' | 'ops'>,
  now: number,
): Promise<readonly string[]> => {
  const members: { readonly id: string; readonly n: number; readonly seq: number }[] = []
  const breather = new Breather()
  for await (const page of records.scan(groupMembers.under(namespace, groupKey(group.id)))) {
    for (const { tail, value } of page) {
      if (isMember(value, group, now)) {
        members.push({ id: idText(tail), n: value.n, seq: value.seq })
      }
    }
    await breather.rest()
  }
  const order = (a: (typeof members)[0], b: (typeof members)[0]): number =>
    a.seq - b.seq || compareBytes(a.id, b.id)
  const ids: string[] = []
  for (const { id, n } of await sortInSlices(members, order, breather)) {
    for (let times = 0; times < n; times++) ids.push(id)
  }
  return ids
}

/**
 * What a whole-list write changes; unchanged members cost no write and keep their end. `wanted` holds each id once, sorted. Memberships
 * that have ended are no members; those of nobody wanted are left to the clean-up.
 *
 * The range is listed inside the transaction, where lists are otherwise forbidden (architecture.md A1: a check cannot see
 * a key appear). It is safe here because this is only called for an internal group whose record the transaction has read
 * before: whatever changes its members (whole-list writes, single ones, entity deletes, merges, clean-up) puts that record, so
 * a listing that changed fails the check and is done again. Logins never come here: they touch external groups only.
 */
export const memberChange = async (
  { records, namespace, now }: Pick<Call, 'records' | 'namespace' | 'now'>,
  group: GroupRecord | undefined,
  wanted: readonly string[],
): Promise<MemberChange> => {
  const joining: string[] = []
  const leaving = new Map<string, MemberEdge>()
  const settling = new Map<string, MemberEdge>()
  const ended = new Map<string, MemberEdge>()
  const breather = new Breather()
  let at = 0
  /** Goes on in what is wanted up to this id, both lists being in its order; whether it is wanted. */
  const reach = (id: string): boolean => {
    while (at < wanted.length && compareBytes(wanted[at]!, id) < 0) joining.push(wanted[at++]!)
    return wanted[at] === id
  }
  if (group !== undefined) {
    const range = groupMembers.under(namespace.number, groupKey(group.id))
    for await (const page of records.scan(range)) {
      for (const { tail, value } of page) {
        const id = idText(tail)
        if (!isListed(value, group)) continue
        const isWanted = reach(id)
        if (!isLive(value, now)) {
          if (isWanted) ended.set(id, value)
        } else if (!isWanted) leaving.set(id, value)
        else {
          at++
          if (value.n !== 1 || value.seq !== 0) settling.set(id, value)
        }
      }
      await breather.rest()
    }
  }
  for (; at < wanted.length; at++) {
    joining.push(wanted[at]!)
    if (at % 256 === 0) await breather.due()
  }
  return { joining, leaving, settling, ended }
}

/** Throws the recorded 500 for the first entity that does not exist (identity.md 3.2, check 8). */
export const checkEntities = async (
  { names, namespace, records }: Pick<Call, 'names' | 'namespace' | 'records'>,
  reader: Reader,
  ids: readonly string[],
): Promise<void> => {
  const refs = ids.map((id) => entityRefOf(namespace.number, id))
  const known = refs.flatMap((ref) => (ref === undefined ? [] : [ref]))
  const there = (await reader.exist(known)).values()
  for (const [index, id] of ids.entries()) {
    if (refs[index] !== undefined && there.next().value === true) continue
    const owner = await records.get(
      entityNames.at(namespace.number, names.hash('entity-name', goLower(id))),
    )
    throw new Refusal('failed', `invalid entity ID "${id}"`, {
      wrap: true,
      hints: nameHint('entity', id, owner?.id),
    })
  }
}

/** Puts the edges of the change, in both directions, and the member count. */
export const putMembers = async (
  call: GroupTx,
  tx: Tx,
  groupId: string,
  change: MemberChange,
): Promise<void> => {
  const { now } = call
  const namespace = call.namespace.number
  const touched = [...change.joining, ...change.leaving.keys(), ...change.settling.keys()]
  await tx.getMany(touched.map((id) => membershipsRef(namespace, id)))
  let members = 0
  for (const entityId of touched) {
    const present = (await tx.get(membershipsRef(namespace, entityId)))?.groups ?? []
    const edge = change.leaving.get(entityId)
    if (edge !== undefined) {
      tx.delete(memberRef(namespace, groupId, entityId))
      putMemberships(
        tx,
        namespace,
        entityId,
        present.filter(({ id }) => id !== groupId),
      )
      members -= edge.n
      continue
    }
    const settled = change.settling.get(entityId)
    const added: Omit<MemberEdge, 'n' | 'seq'> = {
      addedAt: now,
      addedBy: adder(call),
      source: 'list',
    }
    tx.put(memberRef(namespace, groupId, entityId), { ...unmarked(settled ?? added), n: 1, seq: 0 })
    members += 1 - (settled ?? change.ended.get(entityId) ?? { n: 0 }).n
    putMemberships(
      tx,
      namespace,
      entityId,
      settled === undefined
        ? [...present.filter(({ id }) => id !== groupId), { id: groupId, n: 1, seq: now }]
        : present.map((one) => (one.id === groupId ? { ...unmarked(one), n: 1 } : one)),
    )
  }
  await countMembers(tx, namespace, groupId, members)
}
