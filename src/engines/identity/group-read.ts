import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { readChildren } from './group-children.ts'
import { readCounts } from './group-counters.ts'
import { readMembers } from './group-members.ts'
import {
  groupAliasNameRef,
  groupAliasRef,
  groupNameRef,
  groupRef,
  knownGroupAliasRef,
  knownGroupRef,
} from './group-record.ts'
import { nameHint } from './hints.ts'
import { liveParents } from './membership-end.ts'
import { mountFields } from './mount-lookup.ts'
import type { AliasRecord, GroupRecord } from './records.ts'

type ReadCall = Pick<Call, 'names' | 'namespace' | 'records' | 'now'>

/** Finds a group inside a transaction; undefined when there is none. */
export type GroupFinder = (tx: Tx) => Promise<GroupRecord | undefined>

/** The group of an id. */
export const byId =
  ({ namespace }: ReadCall, id: string): GroupFinder =>
  async (tx) => {
    const ref = groupRef(namespace.number, id)
    return ref === undefined ? undefined : tx.get(ref)
  }

/** The group of a name, compared without case. */
export const byName =
  ({ names, namespace }: ReadCall, name: string): GroupFinder =>
  async (tx) => {
    const owner = await tx.get(groupNameRef(names, namespace.number, name))
    return owner === undefined ? undefined : tx.get(knownGroupRef(namespace.number, owner.id))
  }

/** The group of a group alias's id. */
export const byAliasId =
  ({ namespace }: ReadCall, id: string): GroupFinder =>
  async (tx) => {
    const ref = groupAliasRef(namespace.number, id)
    const alias = ref === undefined ? undefined : await tx.get(ref)
    return alias === undefined
      ? undefined
      : tx.get(knownGroupRef(namespace.number, alias.canonicalId))
  }

/** The group whose alias has this name on this mount; the name compares without case. */
export const byAliasName =
  ({ names, namespace }: ReadCall, accessor: string, name: string): GroupFinder =>
  async (tx) => {
    const owner = await tx.get(groupAliasNameRef(names, namespace.number, accessor, name))
    return owner === undefined ? undefined : tx.get(knownGroupRef(namespace.number, owner.groupId))
  }

/**
 * The answer of a group read (identity.md 3.1), undefined when there is none. Group and alias are of one instant; members,
 * children and counts are listed after them, and all is read again when the group was written meanwhile: what is shown was so
 * at one instant. Only a group that is written again and again while its list of many pages is read shows members of several
 * instants, since it must be readable all the same; and of an external one, whose logins do not put it, that is so at once.
 */
export const readGroup = async (
  call: ReadCall,
  mounts: MountDirectory,
  find: GroupFinder,
): Promise<Result> => {
  for (let left = READS_AGAIN; ; left--) {
    const read = await readOnce(call, mounts, find)
    if (read === undefined) return undefined
    const after = await call.records.get(knownGroupRef(call.namespace.number, read.group.id))
    if (left === 0 || after === undefined || after.modifyIndex === read.group.modifyIndex) {
      return read.result
    }
  }
}

/** Each time the group was written while it was read. */
const READS_AGAIN = 4

const readOnce = async (
  call: ReadCall,
  mounts: MountDirectory,
  find: GroupFinder,
): Promise<{ readonly group: GroupRecord; readonly result: Result } | undefined> => {
  const { records, namespace, now } = call
  const found = await records.transact(async (tx) => {
    const group = await find(tx)
    if (group === undefined) return undefined
    const alias =
      group.aliasId === undefined
        ? undefined
        : await tx.get(knownGroupAliasRef(namespace.number, group.aliasId))
    return { group, alias }
  })
  if (found === undefined) return undefined
  const { group, alias } = found
  const [count] = await readCounts(records, namespace.number, [group])
  const members = await readMembers(records, namespace.number, group, now)
  const children = await readChildren(records, namespace.number, group.id, now)
  const loginWroteLast = count!.loginWroteLast
  const result = data({
    id: group.id,
    name: group.name,
    type: group.type,
    metadata: loginWroteLast && isEmpty(group.metadata) ? null : group.metadata,
    policies: loginWroteLast && isEmpty(group.policies) ? null : group.policies,
    member_entity_ids: orNull(members, loginWroteLast || group.emptied === 'members'),
    member_group_ids: orNull(children, false),
    parent_group_ids: orNull(
      liveParents(group, now),
      !loginWroteLast && group.emptied === 'parents',
    ),
    modify_index: count!.modifyIndex,
    namespace_id: namespace.id,
    creation_time: group.creationTime,
    last_update_time: group.lastUpdateTime,
    alias: alias === undefined ? {} : await embeddedAlias(mounts, alias),
  })
  return { group, result }
}

/** Tells a caller who looked for an id under a name what the id is. */
export const hintGroupId = async (
  call: ReadCall & Pick<Call, 'hint'>,
  asked: string,
): Promise<void> => {
  const owner = await call.records.get(groupNameRef(call.names, call.namespace.number, asked))
  for (const { code, text } of nameHint('group', asked, owner?.id)) call.hint(code, text)
}

const isEmpty = (value: object | null): boolean => value === null || Object.keys(value).length === 0

const orNull = (list: readonly string[], shownEmpty: boolean): readonly string[] | null =>
  list.length > 0 || shownEmpty ? list : null

const embeddedAlias = async (
  mounts: MountDirectory,
  alias: AliasRecord,
): Promise<Readonly<Record<string, unknown>>> => ({
  id: alias.id,
  canonical_id: alias.canonicalId,
  name: alias.name,
  mount_accessor: alias.mountAccessor,
  ...(await mountFields(mounts, alias.mountAccessor)),
  metadata: alias.metadata,
  merged_from_canonical_ids: alias.mergedFromCanonicalIds,
  creation_time: alias.creationTime,
  last_update_time: alias.lastUpdateTime,
})
