import type { Call } from '../../engine/call.ts'
import type { Names, Ref, Tx } from '../../engine/records.ts'
import { idBytes, placesById } from '../../engine/records.ts'
import { goLower } from '../../std/go-lower.ts'
import type { AliasRecord, EntityRecord, GroupRecord, MemberEdge } from './records.ts'
import {
  entities,
  entityMemberships,
  groupAliasNames,
  groupAliases,
  groupChildren,
  groupMembers,
  groupNames,
  groups,
} from './records.ts'

/** What the parts of a group write use of the request. */
export type GroupTx = Pick<Call, 'names' | 'namespace' | 'now' | 'caller'>

/** Who adds a member, as it is kept with the membership. */
export const adder = ({ caller }: Pick<Call, 'caller'>): string | undefined =>
  caller === undefined ? undefined : caller.entityId || caller.displayName

/** Bytes of an id that we wrote ourselves; throws for one that never came from here (a bug, not bad input). */
const known = (id: string): Uint8Array => {
  const bytes = idBytes(id)
  if (bytes === undefined) throw new Error(`not an id: ${id}`)
  return bytes
}

/** Where a group is; undefined for a text that is no id, under which nothing is stored. */
export const groupRef = (namespace: number, id: string): Ref<GroupRecord> | undefined => {
  const bytes = idBytes(id)
  return bytes === undefined ? undefined : groups.at(namespace, bytes)
}

/** Where a group of a stored id is. */
export const knownGroupRef = placesById(groups)

/** Where an entity is; undefined for a text that is no id. */
export const entityRefOf = (namespace: number, id: string): Ref<EntityRecord> | undefined => {
  const bytes = idBytes(id)
  return bytes === undefined ? undefined : entities.at(namespace, bytes)
}

/** Where the groups of an entity are. */
export const membershipsRef = placesById(entityMemberships)

/** The forward edge of a membership. */
export const memberRef = (namespace: number, groupId: string, entityId: string): Ref<MemberEdge> =>
  groupMembers.at(namespace, known(groupId), known(entityId))

/** The edge from a group to one inside it. */
export const childRef = (namespace: number, parentId: string, childId: string): Ref<MemberEdge> =>
  groupChildren.at(namespace, known(parentId), known(childId))

/** Bytes of a stored group id, for ranges. */
export const groupKey = known

/** Where a group alias is; undefined for a text that is no id. */
export const groupAliasRef = (namespace: number, id: string): Ref<AliasRecord> | undefined => {
  const bytes = idBytes(id)
  return bytes === undefined ? undefined : groupAliases.at(namespace, bytes)
}

/** Where a group alias of a stored id is. */
export const knownGroupAliasRef = (namespace: number, id: string): Ref<AliasRecord> =>
  groupAliases.at(namespace, known(id))

/** Where the owner of a group name stands; names compare without case (identity.md 8.4). */
export const groupNameRef = (
  names: Names,
  namespace: number,
  name: string,
): Ref<{ readonly id: string }> => groupNames.at(namespace, names.hash('group-name', goLower(name)))

/** Where the owner of (mount, group alias name) stands. */
export const groupAliasNameRef = (
  names: Names,
  namespace: number,
  accessor: string,
  name: string,
): Ref<{ readonly id: string; readonly groupId: string }> =>
  groupAliasNames.at(
    namespace,
    names.hash('accessor', accessor),
    names.hash('group-alias-name', goLower(name)),
  )

/** A name for a group that was given none: `group_1a2b3c4d.root` (settled.md 4). The look that found it free is checked. */
export const freeGroupName = async (
  tx: Tx,
  names: Names,
  namespace: { readonly id: string; readonly number: number },
  randomBytes: (length: number) => Buffer,
): Promise<string> => {
  for (;;) {
    const name = `group_${randomBytes(4).toString('hex')}.${namespace.id}`
    if ((await tx.get(groupNameRef(names, namespace.number, name))) === undefined) return name
  }
}

/**
 * The group after one more write. The reference copies a group before it changes it, and the copy forgets the difference
 * between empty and absent; so only what this very write emptied is `[]` or `{}` afterwards (identity.md 0.9).
 */
export const rewritten = (
  group: GroupRecord,
  changes: Partial<GroupRecord> = {},
  writes = 1,
): GroupRecord => ({
  ...group,
  policies: group.policies !== null && group.policies.length > 0 ? group.policies : null,
  metadata:
    group.metadata !== null && Object.keys(group.metadata).length > 0 ? group.metadata : null,
  emptied: undefined,
  ...changes,
  modifyIndex: group.modifyIndex + writes,
})
