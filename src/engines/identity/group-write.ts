import type { Call } from '../../engine/call.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { limits } from '../../limits.ts'
import { refuseBusy, whenFree } from './group-busy.ts'
import type { ChildChange } from './group-children.ts'
import { checkChildren, childChange, putChildren } from './group-children.ts'
import { evictionHint, nameHint } from './hints.ts'
import type { LargeWrite } from './group-large-write.ts'
import { checkLarge, inForce, putLarge, writeLarge } from './group-large-write.ts'
import type { MemberChange } from './group-members.ts'
import { checkEntities, memberChange, putMembers } from './group-members.ts'
import type { GroupTx } from './group-record.ts'
import { freeGroupName, groupNameRef, groupRef, knownGroupRef, rewritten } from './group-record.ts'
import { checkMetadata } from './metadata.ts'
import type { GroupRecord } from './records.ts'
import { longSortedOnce, policyNames, sortedOnce } from './string-set.ts'
import { writtenTime } from './written-time.ts'

/** The parts of a request that a group write reads; `undefined` = not sent. */
export interface GroupWrite {
  /** Update this group only. */
  readonly id: string | undefined
  /** With `id` a new name, else the group to update or create; '' = keep or generate. */
  readonly name: string
  readonly type: string | undefined
  /** null: sent as null. */
  readonly metadata: Readonly<Record<string, string>> | null | undefined
  readonly policies: readonly string[] | undefined
  readonly memberEntityIds: readonly string[] | undefined
  readonly memberGroupIds: readonly string[] | undefined
}

type WriteCall = Pick<
  Call,
  | 'names'
  | 'namespace'
  | 'now'
  | 'records'
  | 'newId'
  | 'randomBytes'
  | 'hint'
  | 'caller'
  | 'requestId'
>

interface Outcome {
  readonly created: GroupRecord | undefined
  readonly evictedEntities: number
  readonly evictedGroups: number
}

/**
 * Creates or updates a group (identity.md 3.2); 200 with id and name when created, 204 otherwise. Either everything is written
 * or nothing (G8): in one commit, or, where a list of members is too long for that, so that one commit brings it into force.
 * Throws the recorded Refusals in their order.
 */
export const writeGroup = async (call: WriteCall, write: GroupWrite): Promise<Result> => {
  const began = performance.now()
  const newId = call.newId()
  const wanted =
    write.memberEntityIds === undefined ? undefined : await longSortedOnce(write.memberEntityIds)
  const outcome = await whenFree(async () => {
    const done = await call.records.transact((tx) =>
      writeIn(tx, call, write, newId, wanted, undefined),
    )
    return 'joining' in done ? writeMany(call, write, began, newId, wanted!, done.joining) : done
  })
  if (outcome.evictedEntities > 0) {
    const hint = evictionHint('member_entity_ids', outcome.evictedEntities)
    call.hint(hint.code, hint.text)
  }
  if (outcome.evictedGroups > 0) {
    const hint = evictionHint('member_group_ids', outcome.evictedGroups)
    call.hint(hint.code, hint.text)
  }
  if (outcome.created === undefined) return undefined
  return data({ id: outcome.created.id, name: outcome.created.name })
}

/** The write of a list of members that one commit does not hold. */
const writeMany = (
  call: WriteCall,
  write: GroupWrite,
  began: number,
  newId: string,
  wanted: readonly string[],
  joining: readonly string[],
): Promise<Outcome> => {
  const begin = async (tx: Tx): Promise<GroupRecord | undefined> => {
    const found = await findTarget(tx, call, write)
    await checkFields(tx, call, write, found)
    if (found !== undefined) refuseBusy(found, call.requestId)
    return found
  }
  const finish = async (tx: Tx, large: LargeWrite): Promise<Outcome> =>
    (await writeIn(tx, call, write, newId, wanted, large)) as Outcome
  const changeOf = (group: GroupRecord | undefined) => memberChange(call, group, wanted)
  return writeLarge(call, began, newId, joining, begin, changeOf, finish)
}

/** Writes in `tx`, `wanted` being the members each once and sorted; with `large`, what that has prepared. Writes nothing but tells who joins when it takes such preparation. */
const writeIn = async (
  tx: Tx,
  call: WriteCall,
  write: GroupWrite,
  newId: string,
  wanted: readonly string[] | undefined,
  large: LargeWrite | undefined,
): Promise<Outcome | { readonly joining: readonly string[] }> => {
  const { names, namespace } = call
  const found = await findTarget(tx, call, write)
  if (large !== undefined) await checkLarge(call, tx, found, large)
  const changes = await checkFields(tx, call, write, found)
  const type = found?.type ?? changes.type
  if (write.memberGroupIds !== undefined && type === 'internal') {
    await tx.checkStamp('tree', namespace.number)
  }
  if (wanted !== undefined && found !== undefined) {
    refuseBusy(found, call.requestId)
  }
  const members =
    large !== undefined || wanted === undefined
      ? large?.change
      : await memberChange(call, found, wanted)
  const children =
    write.memberGroupIds === undefined
      ? undefined
      : await childChange(call, found, sortedOnce(write.memberGroupIds))
  if (large === undefined) {
    if (isLarge(members, children)) return { joining: members?.joining ?? [] }
    if (members !== undefined) await checkEntities(call, tx, members.joining)
  }
  if (children !== undefined) await checkChildren(call, tx, found, children)

  const now = writtenTime(call.now)
  const before: GroupRecord = found ?? {
    id: newId,
    name:
      write.name !== ''
        ? write.name
        : await freeGroupName(tx, names, namespace, (length) => call.randomBytes(length)),
    type,
    metadata: null,
    policies: null,
    parentGroupIds: [],
    aliasId: undefined,
    creationTime: now,
    lastUpdateTime: now,
    modifyIndex: 0,
    emptied: undefined,
  }
  const group = rewritten(before, {
    ...(write.name === '' ? {} : { name: write.name }),
    ...(changes.policies === undefined ? {} : { policies: changes.policies }),
    ...(write.metadata === undefined ? {} : { metadata: write.metadata }),
    lastUpdateTime: now,
    emptied: write.memberEntityIds === undefined ? undefined : 'members',
    ...inForce(before, large),
  })
  const nameBefore = groupNameRef(names, namespace.number, before.name)
  const nameAfter = groupNameRef(names, namespace.number, group.name)
  if (nameBefore.id !== nameAfter.id) tx.delete(nameBefore)
  if (found === undefined || nameBefore.id !== nameAfter.id) tx.put(nameAfter, { id: group.id })
  tx.put(knownGroupRef(namespace.number, group.id), group)
  if (large !== undefined) await putLarge(call, tx, large)
  else if (members !== undefined) await putMembers(call, tx, group.id, members)
  if (children !== undefined) await putChildren(call, tx, group.id, children)
  return {
    created: found === undefined ? group : undefined,
    evictedEntities: members?.leaving.size ?? 0,
    evictedGroups: children?.unlinking.length ?? 0,
  }
}

/** The group that the request means; undefined when it is to be created. Unknown ids are refused. */
const findTarget = async (
  tx: Tx,
  { names, namespace }: GroupTx,
  { id, name }: GroupWrite,
): Promise<GroupRecord | undefined> => {
  if (id !== undefined) {
    const ref = groupRef(namespace.number, id)
    const group = ref === undefined ? undefined : await tx.get(ref)
    if (group !== undefined) return group
    const owner = await tx.peek(groupNameRef(names, namespace.number, id))
    throw new Refusal('invalid', 'invalid group ID', { hints: nameHint('group', id, owner?.id) })
  }
  if (name === '') return undefined
  const owner = await tx.get(groupNameRef(names, namespace.number, name))
  return owner === undefined ? undefined : tx.get(knownGroupRef(namespace.number, owner.id))
}

/** Checks 1 to 7 of identity.md 3.2, in their order. */
const checkFields = async (
  tx: Tx,
  { names, namespace }: GroupTx,
  write: GroupWrite,
  found: GroupRecord | undefined,
): Promise<{
  readonly policies: readonly string[] | undefined
  readonly type: 'internal' | 'external'
}> => {
  const policies = write.policies === undefined ? undefined : policyNames(write.policies)
  if (policies?.includes('root') === true) throw invalid('policies cannot contain root')
  if (found !== undefined && write.type !== undefined && write.type !== found.type) {
    throw invalid('group type cannot be changed')
  }
  const type = found?.type ?? (write.type || 'internal')
  if (type !== 'internal' && type !== 'external') throw invalid(`invalid group type "${type}"`)
  if (write.name !== '') {
    const owner = await tx.get(groupNameRef(names, namespace.number, write.name))
    // A name whose group is gone (it was damaged) is free.
    const taken =
      owner !== undefined &&
      owner.id !== found?.id &&
      (await tx.get(knownGroupRef(namespace.number, owner.id))) !== undefined
    if (taken) throw invalid('group name is already in use')
  }
  if (type === 'external' && write.memberEntityIds !== undefined) {
    throw invalid("member entities can't be set manually for external groups")
  }
  if (type === 'external' && write.memberGroupIds !== undefined) {
    throw invalid("member groups can't be set for external groups")
  }
  if (write.metadata !== undefined && write.metadata !== null) {
    checkMetadata(write.metadata, 'group')
  }
  return { policies, type }
}

/** Two records a changed member or child, and a few of the group's own. */
const OWN_WRITES = 6

/**
 * Whether the members that change are more than one commit holds beside the rest. Throws a Refusal when the rest, or the length
 * of the list, is too much in any case.
 */
const isLarge = (members: MemberChange | undefined, children: ChildChange | undefined): boolean => {
  const most = (limits.commitWrites - OWN_WRITES) / 2
  const rest =
    (members?.settling.size ?? 0) +
    (children === undefined ? 0 : children.linking.length + children.unlinking.length)
  const changed = members === undefined ? 0 : members.joining.length + members.leaving.size
  if (changed + rest <= most) return false
  if (rest > most) throw tooMany(changed + rest, most)
  if (changed > limits.listedMembers) throw tooMany(changed, limits.listedMembers)
  return true
}

const tooMany = (changed: number, most: number): Refusal =>
  invalid(
    `the request changes ${changed} members of the group at once, at most ${most} are possible: send it in smaller steps ` +
      '(members that stay do not count)',
  )
