import type { Call, Mount } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { aliasReplacedHint, mountHints, nameHint } from './hints.ts'
import {
  freeGroupName,
  groupAliasNameRef,
  groupAliasRef,
  groupNameRef,
  groupRef,
  knownGroupAliasRef,
  knownGroupRef,
  rewritten,
} from './group-record.ts'
import { mountFields, mountOf } from './mount-lookup.ts'
import type { AliasRecord, GroupRecord } from './records.ts'
import { writtenTime } from './written-time.ts'

/** The parts of a request that a group alias write reads; '' = not sent. */
export interface GroupAliasWrite {
  /** Update this alias only; undefined = create. */
  readonly id: string | undefined
  readonly name: string
  readonly mountAccessor: string
  readonly canonicalId: string
}

type WriteCall = Pick<
  Call,
  'names' | 'namespace' | 'now' | 'records' | 'newId' | 'randomBytes' | 'hint'
>

interface Outcome {
  readonly alias: AliasRecord
  readonly mount: Mount
  /** The alias that the group had before. */
  readonly replaced: AliasRecord | undefined
}

/**
 * Creates or updates the alias of an external group in one commit (identity.md 3.5): 200 with both ids, 204 when nothing
 * differs. A group has one alias: a new one replaces the old. Throws the recorded Refusals in their order.
 */
export const writeGroupAlias = async (
  call: WriteCall,
  mounts: MountDirectory,
  write: GroupAliasWrite,
): Promise<Result> => {
  const ids = { alias: call.newId(), group: call.newId() }
  const outcome = await call.records.transact((tx) => writeIn(tx, call, mounts, write, ids))
  if (outcome === undefined) return undefined
  const { alias, mount, replaced } = outcome
  for (const { code, text } of [...mountHints(mount), ...aliasReplacedHint(replaced?.name)]) {
    call.hint(code, text)
  }
  return data({ id: alias.id, canonical_id: alias.canonicalId })
}

const writeIn = async (
  tx: Tx,
  call: WriteCall,
  mounts: MountDirectory,
  write: GroupAliasWrite,
  ids: { readonly alias: string; readonly group: string },
): Promise<Outcome | undefined> => {
  const { names, namespace } = call
  const { name, mountAccessor, canonicalId } = write
  const found = write.id === undefined ? undefined : await findAlias(tx, call, write.id)
  if (name === '') throw invalid('missing alias name')
  if (mountAccessor === '') throw invalid('missing mount_accessor')
  const moves = canonicalId !== '' && canonicalId !== found?.canonicalId
  if (
    found !== undefined &&
    found.name === name &&
    found.mountAccessor === mountAccessor &&
    !moves
  ) {
    return undefined
  }
  const named = canonicalId === '' ? undefined : await findCanonical(tx, call, canonicalId)
  const mount = await mountOf(mounts, mountAccessor)
  if (mount.local) throw invalid(`mount accessor "${mountAccessor}" is a local mount`)
  await mounts.check(tx, mount)
  const nameRef = groupAliasNameRef(names, namespace.number, mountAccessor, name)
  const owner = await tx.get(nameRef)
  if (owner !== undefined && owner.id !== found?.id) {
    throw invalid('combination of mount and group alias name is already in use')
  }

  const now = writtenTime(call.now)
  const previous =
    found === undefined
      ? undefined
      : await tx.get(knownGroupRef(namespace.number, found.canonicalId))
  const target = named ?? previous ?? (await newGroup(tx, call, ids.group, now))
  const alias: AliasRecord = {
    id: found?.id ?? ids.alias,
    canonicalId: target.id,
    mountAccessor,
    name,
    metadata: null,
    customMetadata: null,
    local: false,
    mergedFromCanonicalIds: null,
    creationTime: found?.creationTime ?? now,
    lastUpdateTime: now,
  }
  const replaced =
    target.aliasId === undefined || target.aliasId === alias.id
      ? undefined
      : await dropAlias(tx, call, target.aliasId)
  if (found !== undefined) {
    tx.delete(groupAliasNameRef(names, namespace.number, found.mountAccessor, found.name))
  }
  if (previous !== undefined && previous.id !== target.id) {
    tx.put(
      knownGroupRef(namespace.number, previous.id),
      rewritten(previous, { aliasId: undefined }),
    )
  }
  tx.put(knownGroupAliasRef(namespace.number, alias.id), alias)
  tx.put(nameRef, { id: alias.id, groupId: target.id })
  tx.put(
    knownGroupRef(namespace.number, target.id),
    rewritten(target, { aliasId: alias.id, lastUpdateTime: now }),
  )
  return { alias, mount, replaced }
}

const findAlias = async (tx: Tx, { namespace }: WriteCall, id: string): Promise<AliasRecord> => {
  const ref = groupAliasRef(namespace.number, id)
  const alias = ref === undefined ? undefined : await tx.get(ref)
  if (alias === undefined) throw invalid('invalid group alias ID')
  return alias
}

const findCanonical = async (
  tx: Tx,
  { names, namespace }: WriteCall,
  id: string,
): Promise<GroupRecord> => {
  const ref = groupRef(namespace.number, id)
  const group = ref === undefined ? undefined : await tx.get(ref)
  if (group === undefined) {
    const owner = await tx.peek(groupNameRef(names, namespace.number, id))
    throw new Refusal('invalid', "invalid group ID given in 'canonical_id'", {
      hints: nameHint('group', id, owner?.id),
    })
  }
  if (group.type === 'internal') throw invalid("alias can't be set on an internal group")
  return group
}

/** The external group that an alias without a group gets. */
const newGroup = async (tx: Tx, call: WriteCall, id: string, now: string): Promise<GroupRecord> => {
  const { names, namespace } = call
  const name = await freeGroupName(tx, names, namespace, (length) => call.randomBytes(length))
  tx.put(groupNameRef(names, namespace.number, name), { id })
  return {
    id,
    name,
    type: 'external',
    metadata: null,
    policies: null,
    parentGroupIds: [],
    aliasId: undefined,
    creationTime: now,
    lastUpdateTime: now,
    modifyIndex: 0,
    emptied: undefined,
  }
}

const dropAlias = async (
  tx: Tx,
  { names, namespace }: Pick<Call, 'names' | 'namespace'>,
  aliasId: string,
): Promise<AliasRecord | undefined> => {
  const ref = knownGroupAliasRef(namespace.number, aliasId)
  const alias = await tx.get(ref)
  if (alias === undefined) return undefined
  tx.delete(ref)
  tx.delete(groupAliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
  return alias
}

/** Deletes a group alias; the group keeps its members. Nothing happens when there is none. */
export const deleteGroupAlias = (
  call: Pick<Call, 'names' | 'namespace' | 'records'>,
  id: string,
): Promise<void> =>
  call.records.transact(async (tx) => {
    if (groupAliasRef(call.namespace.number, id) === undefined) return
    const alias = await dropAlias(tx, call, id)
    if (alias === undefined) return
    const ref = knownGroupRef(call.namespace.number, alias.canonicalId)
    const group = await tx.get(ref)
    if (group !== undefined) tx.put(ref, rewritten(group, { aliasId: undefined }))
  })

/** The answer of a group alias read (identity.md 3.5); undefined when there is none. */
export const readGroupAlias = async (
  call: Pick<Call, 'namespace' | 'records'>,
  mounts: MountDirectory,
  id: string,
): Promise<Result> => {
  const ref = groupAliasRef(call.namespace.number, id)
  const alias = ref === undefined ? undefined : await call.records.get(ref)
  if (alias === undefined) return undefined
  return data({
    id: alias.id,
    canonical_id: alias.canonicalId,
    name: alias.name,
    mount_accessor: alias.mountAccessor,
    ...(await mountFields(mounts, alias.mountAccessor)),
    metadata: alias.metadata,
    custom_metadata: alias.customMetadata,
    local: alias.local,
    merged_from_canonical_ids: alias.mergedFromCanonicalIds,
    namespace_id: call.namespace.id,
    creation_time: alias.creationTime,
    last_update_time: alias.lastUpdateTime,
  })
}
