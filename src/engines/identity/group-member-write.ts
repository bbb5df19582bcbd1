import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { limits } from '../../limits.ts'
import { entityRef } from './entity-record.ts'
import { countMembers } from './group-counters.ts'
import { GroupBusy, refuseBusy, whenFree } from './group-busy.ts'
import type { LargeChange, LargeWrite } from './group-large-write.ts'
import { checkLarge, inForce, putLarge, writeLarge } from './group-large-write.ts'
import type { GroupNamed, Named } from './group-member-find.ts'
import { groupNamed, membersNamed, refuseExternal } from './group-member-find.ts'
import type { MembersAsked, Terms } from './group-member-input.ts'
import {
  adder,
  childRef,
  knownGroupRef,
  memberRef,
  membershipsRef,
  rewritten,
} from './group-record.ts'
import { withAncestors } from './hierarchy.ts'
import { dueRef, putDue } from './membership-due.ts'
import { isListed, isLive, parentEndsWith, unmarked } from './membership-end.ts'
import { putMemberships } from './membership-record.ts'
import type { GroupRecord, MemberEdge } from './records.ts'
import { writtenTime } from './written-time.ts'

type WriteCall = Pick<
  Call,
  'names' | 'namespace' | 'now' | 'records' | 'caller' | 'hint' | 'newId' | 'requestId'
>

/** A change of some members of a group. */
export interface MembersChange {
  readonly group: GroupNamed
  readonly members: MembersAsked
  /** The modify_index that the group must have; undefined: any. */
  readonly cas: number | undefined
}

/** A member with what is stored of it and what is to be. */
interface Change extends Named {
  /** What is stored, whether or not it has ended. */
  readonly before: MemberEdge | undefined
  /** undefined: it is removed. */
  readonly after: MemberEdge | undefined
}

/**
 * Adds members to an internal group, all at one instant: 200 with who was added, who got another end or reason, and who was in
 * it as asked already; nothing is written when all were. Conflicts are retried inside. Throws Refusals: 404 for the group, 400
 * for all members that are unknown, an external group, a cycle, another modify_index than expected, more than can be done.
 */
export const addMembers = async (
  call: WriteCall,
  mounts: MountDirectory,
  change: MembersChange,
  terms: Terms,
): Promise<Result> => {
  const { group, changes } = await changeMembers(call, mounts, change, {
    emptied: undefined,
    lenient: false,
    changeOf: (member, edge) => asAdded(call, member, edge, terms),
  })
  const isNew = ({ before }: Change): boolean => before === undefined || !isLive(before, call.now)
  const present = changes.filter((one) => !isNew(one))
  if (terms.until === undefined) hintKeptEnds(call, present)
  return data({
    ...groupShown(group),
    added: changes.filter((one) => isNew(one)).map(shown),
    updated: present.filter(({ before, after }) => before !== after).map(shown),
    unchanged: present.filter(({ before, after }) => before === after).map(shown),
  })
}

/**
 * Takes members out of an internal group, all at one instant: 200 with who was removed and who was not in it. The rest as for
 * `addMembers`; ids of which there is nothing count as not in it, names that nobody has are refused.
 */
export const removeMembers = async (
  call: WriteCall,
  mounts: MountDirectory,
  change: MembersChange,
): Promise<Result> => {
  const { group, changes } = await changeMembers(call, mounts, change, {
    emptied: 'members',
    lenient: true,
    changeOf: (member, edge) => {
      const before = edge !== undefined && isLive(edge, call.now) ? edge : undefined
      return { ...member, before, after: undefined }
    },
  })
  const list = (was: boolean): unknown[] =>
    changes
      .filter(({ before }) => (before !== undefined) === was)
      .map(({ kind, id, name }) => ({ type: kind, id, name }))
  return data({ ...groupShown(group), removed: list(true), absent: list(false) })
}

/** What is done to the members. */
interface Deed {
  /** What the group's record says when this leaves no members. */
  readonly emptied: 'members' | undefined
  /** Whether ids of which there is nothing are let by. */
  readonly lenient: boolean
  readonly changeOf: (member: Named, edge: MemberEdge | undefined) => Change
}

interface Changed {
  /** After the change. */
  readonly group: GroupRecord
  /** Of all members of the request, also of those that stay as they are. */
  readonly changes: readonly Change[]
}

const isChanged = ({ before, after }: Change): boolean => before !== after

/** In one commit, or, where that does not hold it, so that one commit brings it into force. */
const changeMembers = (
  call: WriteCall,
  mounts: MountDirectory,
  change: MembersChange,
  deed: Deed,
): Promise<Changed> => {
  const began = performance.now()
  return settled(async () => {
    const done = await call.records.transact(async (tx): Promise<Changed | undefined> => {
      const group = await targetOf(tx, call, mounts, change)
      const changes = await changesOf(call, group, change, deed)
      const changed = changes.filter(isChanged)
      if (writesOf(changed) > limits.commitWrites) return undefined
      await refuseGone(tx, call, group, changed)
      await refuseCycles(tx, call, group, changed)
      return { group: await put(tx, call, group, changed, deed, undefined), changes }
    })
    return done ?? changeMany(call, mounts, change, deed, began)
  })
}

const changesOf = async (
  call: WriteCall,
  group: GroupRecord,
  { members }: MembersChange,
  { changeOf, lenient }: Deed,
): Promise<readonly Change[]> => {
  const named = await membersNamed(call, members, lenient)
  const edges = await edgesOf(call, group, named)
  return named.map((member, index) => changeOf(member, edges[index]))
}

/** Entities that join or leave are prepared in commits before; the others are changed in the one that is the write. */
const changeMany = async (
  call: WriteCall,
  mounts: MountDirectory,
  change: MembersChange,
  deed: Deed,
  began: number,
): Promise<Changed> => {
  let changes: readonly Change[] = []
  const isPrepared = ({ kind, before, after }: Change): boolean =>
    kind === 'entity' && (after === undefined || before === undefined || !isLive(before, call.now))
  const begin = (tx: Tx): Promise<GroupRecord> => targetOf(tx, call, mounts, change)
  const prepare = async (group: GroupRecord | undefined): Promise<LargeChange> => {
    changes = await changesOf(call, group!, change, deed)
    const prepared = changes.filter((one) => isChanged(one) && isPrepared(one))
    const joining = prepared.filter(({ after }) => after !== undefined)
    const edgesBefore = (some: readonly Change[]): ReadonlyMap<string, MemberEdge> =>
      new Map(some.flatMap(({ id, before }) => (before === undefined ? [] : [[id, before]])))
    return {
      joining: joining.map(({ id }) => id),
      edges: new Map(joining.map(({ id, name, after }) => [id, { edge: after!, name }])),
      leaving: edgesBefore(prepared.filter(({ after }) => after === undefined)),
      ended: edgesBefore(joining),
      settling: new Map(),
    }
  }
  const finish = async (tx: Tx, large: LargeWrite): Promise<Changed> => {
    const group = await targetOf(tx, call, mounts, change)
    await checkLarge(call, tx, group, large)
    const rest = changes.filter((one) => isChanged(one) && !isPrepared(one))
    await refuseGone(tx, call, group, rest)
    await refuseCycles(tx, call, group, rest)
    const after = await put(tx, call, group, rest, deed, large)
    await putLarge(call, tx, large)
    return { group: after, changes }
  }
  return writeLarge(call, began, call.newId(), [], begin, prepare, finish)
}

/** A refusal for a change that did not settle says when to come again. */
const settled = async <T>(run: () => Promise<T>): Promise<T> => {
  try {
    return await whenFree(run)
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'unavailable') throw error
    throw new Refusal(error.kind, error.message, {
      ...error.details,
      headers: { ...error.details.headers, 'Retry-After': '1' },
    })
  }
}

const targetOf = async (
  tx: Tx,
  call: WriteCall,
  mounts: MountDirectory,
  change: MembersChange,
): Promise<GroupRecord> => {
  const group = await groupNamed(tx, call, change.group)
  await refuseExternal(tx, call, mounts, group)
  refuseBusy(group, call.requestId)
  if (change.cas !== undefined && change.cas !== group.modifyIndex) {
    throw invalid('check-and-set parameter did not match the current version')
  }
  const { groupIds, groupNames } = change.members
  if (groupIds.length + groupNames.length > 0) await tx.checkStamp('tree', call.namespace.number)
  return group
}

/**
 * What is stored of the members. Not checks of the commit, of which there would be too many: whatever changes a membership of
 * an internal group puts the group, and whatever changes a place in the hierarchy puts its stamp, and both were read before.
 */
const edgesOf = async (
  { namespace: { number: namespace }, records }: WriteCall,
  group: GroupRecord,
  named: readonly Named[],
): Promise<(MemberEdge | undefined)[]> => {
  const edges = await records.getMany(
    named.map(({ kind, id }) =>
      kind === 'entity' ? memberRef(namespace, group.id, id) : childRef(namespace, group.id, id),
    ),
  )
  return edges.map((edge) =>
    edge !== undefined && isListed(edge, group) ? unmarked(edge) : undefined,
  )
}

const asAdded = (
  call: WriteCall,
  member: Named,
  before: MemberEdge | undefined,
  { until, reason }: Terms,
): Change => {
  if (before === undefined || !isLive(before, call.now)) {
    const after: MemberEdge = {
      n: 1,
      // Members that are written stand in the order of ids; children have a place in the order of joining.
      seq: member.kind === 'entity' ? 0 : call.now,
      until: until ?? undefined,
      reason: reason || undefined,
      addedAt: call.now,
      addedBy: adder(call),
      source: 'api',
    }
    return { ...member, before, after }
  }
  const wanted = {
    until: until === undefined ? before.until : (until ?? undefined),
    reason: reason === undefined ? before.reason : reason || undefined,
  }
  const same = wanted.until === before.until && wanted.reason === before.reason
  return { ...member, before, after: same ? before : { ...before, ...wanted } }
}

/** The commit rests on those who are added being there, under the names they were found by. Throws a GroupBusy otherwise. */
const refuseGone = async (
  tx: Tx,
  { namespace: { number: namespace } }: WriteCall,
  group: GroupRecord,
  changed: readonly Change[],
): Promise<void> => {
  const added = changed.filter(({ after }) => after !== undefined)
  const found = await tx.getMany<{ readonly name: string }>(
    added.map(({ kind, id }) =>
      kind === 'entity' ? entityRef(namespace, id) : knownGroupRef(namespace, id),
    ),
  )
  if (added.some(({ name }, index) => found[index]?.name !== name)) {
    throw new GroupBusy(
      group.id,
      'members of the request were renamed or deleted at that moment; nothing was changed, try again',
    )
  }
}

/** Going up from the group needs no listing: a member that is met there would close a cycle. */
const refuseCycles = async (
  tx: Tx,
  { namespace, now }: WriteCall,
  group: GroupRecord,
  changed: readonly Change[],
): Promise<void> => {
  const joining = changed.filter(
    ({ kind, before }) => kind === 'group' && (before === undefined || !isLive(before, now)),
  )
  if (joining.length === 0) return
  const above = await withAncestors(tx, namespace.number, [group.id], now)
  const closing = joining.find(({ id }) => above.has(id))
  if (closing !== undefined) {
    throw invalid(`cyclic relationship detected for member group ID "${closing.id}"`)
  }
}

/** The group, its counter, the stamp of the hierarchy, and a few to spare. */
const OWN_WRITES = 6

/** With each change its edge, the member's own record, and the entries of the end before and after. */
const writesOf = (changed: readonly Change[]): number =>
  changed.reduce((sum, { before, after }) => {
    const moved = before?.until !== after?.until
    const ends = moved ? [before?.until, after?.until].filter((end) => end !== undefined) : []
    return sum + 2 + ends.length
  }, OWN_WRITES)

/** Puts the changes and the group, which counts one write; nothing when there are none. */
const put = async (
  tx: Tx,
  call: WriteCall,
  group: GroupRecord,
  changed: readonly Change[],
  { emptied }: Deed,
  large: LargeWrite | undefined,
): Promise<GroupRecord> => {
  if (changed.length === 0 && large === undefined) return group
  if (writesOf(changed) > limits.commitWrites) {
    throw invalid(
      `the request changes the end or the groups of ${changed.length} members at once, which is more than is possible: ` +
        'send it in smaller steps (members that stay as they are do not count)',
    )
  }
  const namespace = call.namespace.number
  const after = rewritten(group, { emptied, ...inForce(group, large) })
  tx.put(knownGroupRef(namespace, group.id), after)
  const entities = changed.filter(({ kind }) => kind === 'entity')
  const groups = changed.filter(({ kind }) => kind === 'group')
  await putEntities(tx, call, group.id, entities)
  await putGroups(tx, call, group.id, groups)
  for (const { kind, id, before, after: { until } = { until: undefined } } of changed) {
    if (before?.until === until) continue
    const membership = { kind, groupId: group.id, memberId: id }
    if (before?.until !== undefined) {
      tx.delete(dueRef(namespace, { ...membership, time: before.until }))
    }
    putDue(tx, namespace, membership, until)
  }
  return after
}

const putEntities = async (
  tx: Tx,
  { namespace: { number: namespace }, now }: WriteCall,
  groupId: string,
  changed: readonly Change[],
): Promise<void> => {
  await tx.getMany(changed.map(({ id }) => membershipsRef(namespace, id)))
  let members = 0
  for (const { id, name, before, after } of changed) {
    const groups = (await tx.get(membershipsRef(namespace, id)))?.groups ?? []
    const others = groups.filter((one) => one.id !== groupId)
    members += (after?.n ?? 0) - (before?.n ?? 0)
    const ref = memberRef(namespace, groupId, id)
    if (after === undefined) {
      tx.delete(ref)
      putMemberships(tx, namespace, id, others)
      continue
    }
    tx.put(ref, after)
    const place = groups.find((one) => one.id === groupId)
    if (place !== undefined && before !== undefined && isLive(before, now)) {
      const kept = groups.map((one) =>
        one === place ? { ...unmarked(one), until: after.until } : one,
      )
      putMemberships(tx, namespace, id, kept)
      continue
    }
    if (others.length >= limits.groupsPerEntity) {
      throw invalid(
        `${JSON.stringify(name)} is in ${others.length} groups: at most ${limits.groupsPerEntity} are possible`,
      )
    }
    const joined = { id: groupId, n: 1, seq: now, until: after.until }
    putMemberships(tx, namespace, id, [...others, joined])
  }
  await countMembers(tx, namespace, groupId, members)
}

const putGroups = async (
  tx: Tx,
  { namespace: { number: namespace } }: WriteCall,
  groupId: string,
  changed: readonly Change[],
): Promise<void> => {
  if (changed.length === 0) return
  await tx.getMany(changed.map(({ id }) => knownGroupRef(namespace, id)))
  for (const { id, after } of changed) {
    const ref = childRef(namespace, groupId, id)
    if (after === undefined) tx.delete(ref)
    else tx.put(ref, after)
    const child = await tx.get(knownGroupRef(namespace, id))
    if (child === undefined) continue
    const others = child.parentGroupIds.filter((parent) => parent !== groupId)
    const stays = after !== undefined && child.parentGroupIds.includes(groupId)
    const parentGroupIds = stays
      ? child.parentGroupIds
      : after === undefined
        ? others
        : [...others, groupId]
    tx.put(
      knownGroupRef(namespace, id),
      rewritten(child, {
        parentGroupIds,
        parentEnds: parentEndsWith(child, groupId, after?.until),
        emptied: parentGroupIds.length === 0 ? 'parents' : undefined,
      }),
    )
  }
  tx.stamp('tree', namespace)
}

const groupShown = ({ id, name, modifyIndex }: GroupRecord): Readonly<Record<string, unknown>> => ({
  group_id: id,
  group_name: name,
  modify_index: modifyIndex,
})

const shown = ({ kind, id, name, after }: Change): Readonly<Record<string, unknown>> => ({
  type: kind,
  id,
  name,
  expire_time: after?.until === undefined ? null : writtenTime(after.until),
})

const hintKeptEnds = (call: WriteCall, present: readonly Change[]): void => {
  const ending = present.filter(({ after }) => after?.until !== undefined)
  const [first] = ending
  if (first?.after?.until === undefined) return
  const more = ending.length > 1 ? ` (and ${ending.length - 1} more)` : ''
  call.hint(
    'membership-ends',
    `${JSON.stringify(first.name)} stays in the group until ${writtenTime(first.after.until)}${more}: ` +
      'send expire_time "never" for no end',
  )
}
