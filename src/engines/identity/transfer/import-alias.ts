import type { Mount } from '../../../engine/call.ts'
import type { Tx } from '../../../engine/records.ts'
import { limits } from '../../../limits.ts'
import { findAlias, findAliasByName } from '../alias-find.ts'
import { LinkChange, linkOn } from '../alias-links.ts'
import {
  TOO_MANY_ALIASES,
  activityRef,
  aliasNameRef,
  aliasRef,
  countAliases,
  rewriteEntity,
} from '../entity-record.ts'
import { groupAliasNameRef, knownGroupAliasRef, knownGroupRef, rewritten } from '../group-record.ts'
import {
  checkCustomMetadata,
  checkLoginMetadata,
  isEmptyMetadata,
  sameMetadata,
} from '../metadata.ts'
import type { AliasRecord, EntityRecord, GroupRecord } from '../records.ts'
import { writtenTime } from '../written-time.ts'
import type { EntityAliasLine, GroupAliasLine } from './line.ts'
import type { Outcome } from './outcome.ts'
import { created, differing, refused, unchanged, updated } from './outcome.ts'
import type { LineScope } from './scope.ts'
import { entityOf, groupOf, isOutcome, mountOfLine } from './scope.ts'

/** Takes an account of an entity in. Throws Refusals for what no alias can have; nothing is put before. */
export const importEntityAlias = async (
  tx: Tx,
  scope: LineScope,
  line: EntityAliasLine,
): Promise<Outcome> => {
  const { namespace } = scope.call
  if (line.metadata) checkLoginMetadata(line.metadata)
  if (line.custom_metadata) checkCustomMetadata(line.custom_metadata)
  const mount = await mountOfLine(tx, scope, line)
  if (isOutcome(mount)) return mount
  const owner = await entityOf(tx, scope, line.canonical_id, line.entity_name)
  if (isOutcome(owner)) return owner
  const byId = line.id === undefined ? undefined : await findAlias(tx, scope.call, line.id)
  const known = (await findAliasByName(tx, scope.call, mount.accessor, line.name)) ?? byId
  if (known === undefined) return createEntityAlias(tx, scope, line, mount, owner)
  const { alias } = known
  if (byId !== undefined && byId.alias.id !== alias.id) {
    return differing(scope.conflict, `the alias of the id is ${describe(byId.alias)} here`)
  }
  if (alias.canonicalId !== owner.id) {
    return differing(
      scope.conflict,
      `${describe(alias)} belongs to the entity ${known.owner.id} (${known.owner.name}) here`,
    )
  }
  if (alias.mountAccessor !== mount.accessor || alias.name !== line.name) {
    return differing(scope.conflict, `the alias of the id is ${describe(alias)} here`)
  }
  const metadata = line.metadata === undefined ? alias.metadata : line.metadata
  const custom = line.custom_metadata === undefined ? alias.customMetadata : line.custom_metadata
  const differs = [
    ...(sameMetadata(metadata, alias.metadata) ? [] : ['metadata']),
    ...(sameMetadata(custom, alias.customMetadata) ? [] : ['custom_metadata']),
    ...(line.id === undefined || line.id === alias.id ? [] : [`the id (${alias.id} here)`]),
  ]
  if (differs.length === 0) return unchanged
  if (scope.conflict !== 'merge') {
    return differing(
      scope.conflict,
      `${describe(alias)} is here and differs in ${differs.join(', ')}`,
    )
  }
  const after: AliasRecord = {
    ...alias,
    metadata: { ...alias.metadata, ...metadata },
    customMetadata: { ...alias.customMetadata, ...custom },
    lastUpdateTime: writtenTime(scope.call.now),
  }
  if (
    sameMetadata(after.metadata, alias.metadata) &&
    sameMetadata(after.customMetadata, alias.customMetadata)
  ) {
    return unchanged
  }
  checkLoginMetadata(after.metadata!)
  checkCustomMetadata(after.customMetadata!)
  tx.put(aliasRef(namespace.number, alias.id), { ...after, emptyAt: undefined })
  return updated
}

const describe = ({ name, mountAccessor }: AliasRecord): string =>
  `${JSON.stringify(name)} on ${mountAccessor}`

const createEntityAlias = async (
  tx: Tx,
  { call, newId, conflict }: LineScope,
  line: EntityAliasLine,
  mount: Mount,
  owner: EntityRecord,
): Promise<Outcome> => {
  const { names, namespace } = call
  const other = await linkOn(tx, call, owner, mount.accessor)
  if (other !== undefined) {
    return differing(
      conflict,
      `the entity ${owner.id} (${owner.name}) has another alias at ${mount.path} here`,
    )
  }
  if (countAliases(owner) >= limits.aliasesPerEntity) return refused(TOO_MANY_ALIASES)
  const id = line.id ?? newId
  const links = new LinkChange(tx, call, owner)
  await links.add({ id, accessor: mount.accessor, name: line.name })
  // Not as a write of the API: that would turn what reads {} into null (identity.md 0.9).
  const changes = { ...links.changes, metadata: owner.metadata }
  const { revision } = rewriteEntity(tx, namespace.number, owner, changes, false)
  const creationTime = line.creation_time ?? writtenTime(call.now)
  const customMetadata = line.custom_metadata ?? null
  const alias: AliasRecord = {
    id,
    canonicalId: owner.id,
    mountAccessor: mount.accessor,
    name: line.name,
    metadata: line.metadata ?? null,
    customMetadata,
    ...(customMetadata !== null && isEmptyMetadata(customMetadata) ? { emptyAt: revision } : {}),
    local: mount.local,
    mergedFromCanonicalIds: line.merged_from_canonical_ids ?? null,
    creationTime,
    lastUpdateTime: line.last_update_time ?? creationTime,
  }
  tx.put(aliasRef(namespace.number, id), alias)
  tx.put(aliasNameRef(names, namespace.number, mount.accessor, line.name), {
    id,
    entityId: owner.id,
  })
  if (line.last_login_day !== undefined) {
    tx.put(activityRef(namespace.number, id), {
      lastLoginDay: line.last_login_day,
      claimedGroups: line.claimed_groups ?? [],
    })
  }
  return created
}

/** Takes the outside name of an external group in. */
export const importGroupAlias = async (
  tx: Tx,
  scope: LineScope,
  line: GroupAliasLine,
): Promise<Outcome> => {
  const { names, namespace, now } = scope.call
  const mount = await mountOfLine(tx, scope, line)
  if (isOutcome(mount)) return mount
  if (mount.local) return refused(`${mount.path} is a local mount, whose names no group can have`)
  const group = await groupOf(tx, scope, line.canonical_id, line.group_name)
  if (isOutcome(group)) return group
  if (group.type !== 'external') {
    return refused(`the group ${group.id} (${group.name}) is internal and can have no alias`)
  }
  const nameRef = groupAliasNameRef(names, namespace.number, mount.accessor, line.name)
  const owner = await tx.get(nameRef)
  if (owner !== undefined && owner.groupId !== group.id) {
    return differing(
      scope.conflict,
      `the group alias ${JSON.stringify(line.name)} at ${mount.path} belongs to the group ${owner.groupId} here`,
    )
  }
  if (group.aliasId !== undefined) return present(tx, scope, line, mount, group)
  const id = line.id ?? scope.newId
  const taken = await tx.get(knownGroupAliasRef(namespace.number, id))
  if (taken !== undefined) {
    return differing(scope.conflict, `the group alias ${id} is ${describe(taken)} here`)
  }
  const creationTime = line.creation_time ?? writtenTime(now)
  tx.put(knownGroupAliasRef(namespace.number, id), {
    id,
    canonicalId: group.id,
    mountAccessor: mount.accessor,
    name: line.name,
    metadata: null,
    customMetadata: null,
    local: false,
    mergedFromCanonicalIds: null,
    creationTime,
    lastUpdateTime: line.last_update_time ?? creationTime,
  })
  tx.put(nameRef, { id, groupId: group.id })
  const { policies, metadata } = group
  tx.put(
    knownGroupRef(namespace.number, group.id),
    rewritten(group, { aliasId: id, policies, metadata }),
  )
  return created
}

/** A group has one alias: another one is never replaced by an import. */
const present = async (
  tx: Tx,
  { call: { namespace }, conflict }: LineScope,
  line: GroupAliasLine,
  mount: Mount,
  group: GroupRecord,
): Promise<Outcome> => {
  const alias = await tx.get(knownGroupAliasRef(namespace.number, group.aliasId!))
  const isSame =
    alias !== undefined && alias.name === line.name && alias.mountAccessor === mount.accessor
  // Where things are merged, those who are here already keep their ids.
  if (isSame && (line.id === undefined || line.id === alias.id || conflict === 'merge')) {
    return unchanged
  }
  const has = alias === undefined ? group.aliasId! : `${alias.id}: ${describe(alias)}`
  return differing(conflict, `the group ${group.id} (${group.name}) has the alias ${has} here`)
}
