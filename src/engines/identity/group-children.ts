import type { Call } from '../../engine/call.ts'
import type { Records, Tx } from '../../engine/records.ts'
import { idText } from '../../engine/records.ts'
import { Refusal, failed, invalid } from '../../engine/refusal.ts'
import {
  adder,
  childRef,
  groupKey,
  groupNameRef,
  groupRef,
  knownGroupRef,
  rewritten,
} from './group-record.ts'
import { nameHint } from './hints.ts'
import type { GroupTx } from './group-record.ts'
import { withAncestors } from './hierarchy.ts'
import { isLive, parentEndsWith } from './membership-end.ts'
import type { GroupRecord } from './records.ts'
import { groupChildren } from './records.ts'

/** The change that turns the children of a group into those of a request. */
export interface ChildChange {
  /** Ids asked for, sorted, each once. */
  readonly wanted: readonly string[]
  readonly present: ReadonlySet<string>
  readonly linking: readonly string[]
  readonly unlinking: readonly string[]
}

/** The groups inside a group at `now` (ms), by id (the reference's order). */
export const readChildren = async (
  records: Records,
  namespace: number,
  groupId: string,
  now: number,
): Promise<readonly string[]> => {
  const children: string[] = []
  for await (const page of records.scan(groupChildren.under(namespace, groupKey(groupId)))) {
    for (const { tail, value } of page) if (isLive(value, now)) children.push(idText(tail))
  }
  return children
}

/**
 * What a whole-list write of `member_group_ids` changes.
 *
 * The range is listed inside the transaction, where lists are otherwise forbidden (architecture.md A1). The caller has
 * read the `tree` stamp before: every writer of a hierarchy edge puts that stamp in the commit of the edge, so if the
 * listing missed one, this commit's check of the stamp fails and everything is done again. The same stamp makes two
 * racing edits that would close a cycle together conflict: both read it, both put it, one commits.
 */
export const childChange = async (
  { records, namespace, now }: Pick<Call, 'records' | 'namespace' | 'now'>,
  group: GroupRecord | undefined,
  wanted: readonly string[],
): Promise<ChildChange> => {
  const present = new Set(
    group === undefined ? [] : await readChildren(records, namespace.number, group.id, now),
  )
  const asked = new Set(wanted)
  return {
    wanted,
    present,
    linking: wanted.filter((id) => !present.has(id)),
    unlinking: [...present].filter((id) => !asked.has(id)),
  }
}

/**
 * Checks 9 to 11 of a group write, child by child in their order. A child closes a cycle when it is the group itself or
 * one of the groups above it: parents stand in the records, so going up needs no listing. Existing links are not looked
 * at again.
 */
export const checkChildren = async (
  { names, namespace: { number: namespace }, now }: GroupTx,
  tx: Tx,
  group: GroupRecord | undefined,
  change: ChildChange,
): Promise<void> => {
  const refs = change.wanted.map((id) => groupRef(namespace, id))
  await tx.getMany(refs.flatMap((ref) => (ref === undefined ? [] : [ref])))
  const above =
    group === undefined || change.linking.length === 0
      ? undefined
      : await withAncestors(tx, namespace, [group.id], now)
  for (const [index, id] of change.wanted.entries()) {
    const ref = refs[index]
    if (ref === undefined || (await tx.get(ref)) === undefined) {
      const owner = await tx.peek(groupNameRef(names, namespace, id))
      throw new Refusal('failed', `invalid member group ID "${id}"`, {
        wrap: true,
        hints: nameHint('group', id, owner?.id),
      })
    }
    if (id === group?.id) throw failed(`member group ID "${id}" is same as the ID of the group`)
    if (!change.present.has(id) && above?.has(id) === true) {
      throw invalid(`cyclic relationship detected for member group ID "${id}"`)
    }
  }
}

/** Puts the edges, the parents in the children's records (each counts a write), and the stamp. */
export const putChildren = async (
  call: GroupTx,
  tx: Tx,
  groupId: string,
  change: ChildChange,
): Promise<void> => {
  const { now } = call
  const namespace = call.namespace.number
  if (change.linking.length + change.unlinking.length === 0) return
  const touched = [...change.unlinking, ...change.linking]
  const children = await tx.getMany(touched.map((id) => knownGroupRef(namespace, id)))
  const unlinking = new Set(change.unlinking)
  for (const [index, id] of touched.entries()) {
    const ref = childRef(namespace, groupId, id)
    const child = children[index]
    if (unlinking.has(id)) tx.delete(ref)
    else tx.put(ref, { n: 1, seq: now, addedAt: now, addedBy: adder(call), source: 'list' })
    if (child === undefined) continue
    const parentGroupIds = child.parentGroupIds.filter((parent) => parent !== groupId)
    if (!unlinking.has(id)) parentGroupIds.push(groupId)
    tx.put(
      knownGroupRef(namespace, id),
      rewritten(child, {
        parentGroupIds,
        parentEnds: parentEndsWith(child, groupId, undefined),
        emptied: parentGroupIds.length === 0 ? 'parents' : undefined,
      }),
    )
  }
  tx.stamp('tree', namespace)
}
