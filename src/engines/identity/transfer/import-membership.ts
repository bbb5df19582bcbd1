import type { Tx } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import { refuseBusy } from '../group-busy.ts'
import { countLoginWrite, countMembers } from '../group-counters.ts'
import {
  adder,
  childRef,
  knownGroupRef,
  memberRef,
  membershipsRef,
  rewritten,
} from '../group-record.ts'
import { withAncestors } from '../hierarchy.ts'
import type { DueMembership } from '../membership-due.ts'
import { dueRef, putDue } from '../membership-due.ts'
import { isListed, isLive, parentEndsWith, unmarked } from '../membership-end.ts'
import { putMemberships } from '../membership-record.ts'
import type { GroupRecord, MemberEdge } from '../records.ts'
import { writtenTime } from '../written-time.ts'
import type { MembershipLine } from './line.ts'
import type { Outcome } from './outcome.ts'
import { created, differing, refused, unchanged, updated } from './outcome.ts'
import type { LineScope } from './scope.ts'
import { entityOf, groupOf, isOutcome } from './scope.ts'

/** Takes in that an entity or a group is in a group; in an external group, too, as if a login had said so. */
export const importMembership = async (
  tx: Tx,
  scope: LineScope,
  line: MembershipLine,
): Promise<Outcome> => {
  const { now } = scope.call
  const ofEntity = line.entity_id !== undefined || line.entity_name !== undefined
  if (ofEntity && isOfGroup(line))
    return refused('a line names an entity or a group in it, not both')
  const until = line.expire_time ? Date.parse(line.expire_time) : undefined
  if (until !== undefined && until <= now) return refused(`it ended at ${line.expire_time}`)
  const group = await groupOf(tx, scope, line.group_id, line.group_name)
  if (isOutcome(group)) return group
  return ofEntity
    ? importMember(tx, scope, line, group, until)
    : importChild(tx, scope, line, group, until)
}

const isOfGroup = (line: MembershipLine): boolean =>
  line.member_group_id !== undefined || line.member_group_name !== undefined

/** The edge that the line asks for; what it does not say is kept of one that counts already. */
const edgeOf = (
  { call }: LineScope,
  line: MembershipLine,
  until: number | undefined,
  before: MemberEdge | undefined,
  { type }: GroupRecord,
): MemberEdge => {
  const { now } = call
  if (before !== undefined) {
    return {
      ...before,
      ...(line.expire_time === undefined ? {} : { until }),
      ...(line.reason === undefined ? {} : { reason: line.reason || undefined }),
    }
  }
  return {
    n: line.times ?? 1,
    // As writes and logins do it: those who are written stand in the order of ids.
    seq: line.position ?? (type === 'external' || isOfGroup(line) ? now : 0),
    ...(until === undefined ? {} : { until }),
    ...(line.reason ? { reason: line.reason } : {}),
    ...(type === 'external'
      ? {}
      : { addedAt: now, addedBy: line.added_by ?? adder(call), source: line.source ?? 'api' }),
    ...(line.added_time === undefined ? {} : { addedAt: Date.parse(line.added_time) }),
  }
}

/** What is to be done about a membership that counts already; undefined: it is to be put. */
const judged = (
  { conflict }: LineScope,
  before: MemberEdge | undefined,
  after: MemberEdge,
): Outcome | undefined => {
  if (before === undefined) return undefined
  if (before.until === after.until && before.reason === after.reason) return unchanged
  if (conflict === 'merge') return undefined
  const end = before.until === undefined ? 'without an end' : `until ${writtenTime(before.until)}`
  return differing(conflict, `it is in the group ${end} here, or for another reason`)
}

/** A group whose members changed counts a write: one a commit, whatever the number of lines. */
const counted = (tx: Tx, { call, counted: seen }: LineScope, group: GroupRecord): void => {
  const { policies, metadata, emptied } = group
  const writes = seen.has(group.id) ? 0 : 1
  seen.add(group.id)
  tx.put(
    knownGroupRef(call.namespace.number, group.id),
    rewritten(group, { policies, metadata, emptied }, writes),
  )
}

const moveDue = (
  tx: Tx,
  namespace: number,
  membership: Omit<DueMembership, 'time'>,
  before: MemberEdge | undefined,
  after: MemberEdge,
): void => {
  if (before?.until === after.until) return
  if (before?.until !== undefined) {
    tx.delete(dueRef(namespace, { ...membership, time: before.until }))
  }
  putDue(tx, namespace, membership, after.until)
}

const importMember = async (
  tx: Tx,
  scope: LineScope,
  line: MembershipLine,
  group: GroupRecord,
  until: number | undefined,
): Promise<Outcome> => {
  const { namespace, now } = scope.call
  const entity = await entityOf(tx, scope, line.entity_id, line.entity_name)
  if (isOutcome(entity)) return entity
  refuseBusy(group)
  const ref = memberRef(namespace.number, group.id, entity.id)
  const edge = await tx.get(ref)
  // One that a large write has marked and not brought into force, or has taken away, is none.
  const stored = edge !== undefined && isListed(edge, group) ? unmarked(edge) : undefined
  const before = stored !== undefined && isLive(stored, now) ? stored : undefined
  const isExternal = group.type === 'external'
  const after = edgeOf(scope, line, until, before, group)
  const outcome = judged(scope, before, after)
  if (outcome !== undefined) return outcome
  const groups = (await tx.get(membershipsRef(namespace.number, entity.id)))?.groups ?? []
  const others = groups.filter(({ id }) => id !== group.id)
  if (before === undefined && others.length >= limits.groupsPerEntity) {
    return refused(`the entity is in ${others.length} groups: at most that many are possible`)
  }
  const place = before === undefined ? undefined : groups.find(({ id }) => id === group.id)
  const joined = {
    id: group.id,
    n: after.n,
    seq: place?.seq ?? line.joined ?? now,
    ...(after.until === undefined ? {} : { until: after.until }),
  }
  const memberships =
    place === undefined
      ? [...others, joined].sort((a, b) => a.seq - b.seq)
      : groups.map((one) => (one === place ? joined : one))
  putMemberships(tx, namespace.number, entity.id, memberships)
  tx.put(ref, after)
  moveDue(
    tx,
    namespace.number,
    { kind: 'entity', groupId: group.id, memberId: entity.id },
    stored,
    after,
  )
  const members = after.n - (stored?.n ?? 0)
  if (isExternal) {
    await countLoginWrite(tx, namespace.number, group, entity.id, { writes: 1, members })
  } else {
    counted(tx, scope, group)
    await countMembers(tx, namespace.number, group.id, members)
  }
  return before === undefined ? created : updated
}

const importChild = async (
  tx: Tx,
  scope: LineScope,
  line: MembershipLine,
  group: GroupRecord,
  until: number | undefined,
): Promise<Outcome> => {
  const { namespace, now } = scope.call
  if (group.type !== 'internal') {
    return refused(`the group ${group.id} (${group.name}) is external: no groups can be in it`)
  }
  refuseBusy(group)
  await tx.checkStamp('tree', namespace.number)
  const child = await groupOf(tx, scope, line.member_group_id, line.member_group_name)
  if (isOutcome(child)) return child
  if (child.id === group.id) return refused('a group cannot be in itself')
  const ref = childRef(namespace.number, group.id, child.id)
  const stored = await tx.get(ref)
  const before = stored !== undefined && isLive(stored, now) ? stored : undefined
  const after = edgeOf(scope, line, until, before, group)
  const outcome = judged(scope, before, after)
  if (outcome !== undefined) return outcome
  // The stamp of the hierarchy guards all of it: no check for each of the groups above.
  const above = await withAncestors(tx.unchecked, namespace.number, [group.id], now)
  if (above.has(child.id)) {
    return refused(`the group would be inside itself: ${child.name} is above ${group.name} here`)
  }
  counted(tx, scope, group)
  const parentGroupIds = child.parentGroupIds.includes(group.id)
    ? child.parentGroupIds
    : [...child.parentGroupIds, group.id]
  counted(tx, scope, {
    ...child,
    parentGroupIds,
    parentEnds: parentEndsWith(child, group.id, after.until),
  })
  tx.put(ref, after)
  moveDue(
    tx,
    namespace.number,
    { kind: 'group', groupId: group.id, memberId: child.id },
    stored,
    after,
  )
  tx.stamp('tree', namespace.number)
  return before === undefined ? created : updated
}
