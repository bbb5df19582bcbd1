import type { Mount } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal, failed, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { LiveAlias } from './alias-find.ts'
import { findAlias, findAliasByName } from './alias-find.ts'
import { LinkChange, linkOn } from './alias-links.ts'
import { entityNameHints } from './entity-read.ts'
import type { WriteCall } from './entity-record.ts'
import {
  aliasNameRef,
  aliasRef,
  findEntity,
  freeEntityName,
  putNewEntity,
  rewriteEntity,
} from './entity-record.ts'
import { mountHints } from './hints.ts'
import type { Metadata } from './metadata.ts'
import { checkCustomMetadata, isEmptyMetadata, sameMetadata } from './metadata.ts'
import { mountOf } from './mount-lookup.ts'
import type { AliasRecord, EntityRecord } from './records.ts'
import { writtenTime } from './written-time.ts'

/** The parts of a request that an alias write reads; '' and `undefined` = not sent. */
export interface AliasWrite {
  /** Update this alias only; '' = the alias of (mount, name), created when there is none. */
  readonly id: string
  readonly name: string
  readonly mountAccessor: string
  readonly canonicalId: string
  readonly customMetadata: Metadata | undefined
}

interface Outcome {
  readonly alias: AliasRecord
  readonly mount: Mount
}

/**
 * Creates or updates an alias in one commit (identity.md 2.2): 200 with both ids, 204 when nothing differs. Throws the
 * recorded Refusals in their order.
 */
export const writeAlias = async (
  call: WriteCall,
  mounts: MountDirectory,
  write: AliasWrite,
): Promise<Result> => {
  if (write.customMetadata !== undefined) checkCustomMetadata(write.customMetadata)
  const ids = { alias: call.newId(), entity: call.newId() }
  const outcome = await call.records.transact((tx) => writeIn(tx, call, mounts, write, ids))
  if (outcome === undefined) return undefined
  for (const { code, text } of mountHints(outcome.mount)) call.hint(code, text)
  return data({ id: outcome.alias.id, canonical_id: outcome.alias.canonicalId })
}

const writeIn = async (
  tx: Tx,
  call: WriteCall,
  mounts: MountDirectory,
  write: AliasWrite,
  ids: { readonly alias: string; readonly entity: string },
): Promise<Outcome | undefined> => {
  if (write.id !== '') {
    const found = await findAlias(tx, call, write.id)
    if (found === undefined) throw invalid('invalid alias ID provided')
    return update(tx, call, mounts, found, {
      ...write,
      name: write.name === '' ? found.alias.name : write.name,
      mountAccessor: write.mountAccessor === '' ? found.alias.mountAccessor : write.mountAccessor,
    })
  }
  if (write.name === '' || write.mountAccessor === '') {
    throw invalid("'id' or 'mount_accessor' and 'name' must be provided")
  }
  const mount = await mountOf(mounts, write.mountAccessor)
  await mounts.check(tx, mount)
  const found = await findAliasByName(tx, call, write.mountAccessor, write.name)
  if (found === undefined) return create(tx, call, mount, write, ids)
  // By name, custom metadata that was not sent wipes what is there; by id it does not (recorded).
  return update(tx, call, mounts, found, { ...write, customMetadata: write.customMetadata ?? {} })
}

const create = async (
  tx: Tx,
  call: WriteCall,
  mount: Mount,
  write: AliasWrite,
  ids: { readonly alias: string; readonly entity: string },
): Promise<Outcome> => {
  const { names, namespace } = call
  const now = writtenTime(call.now)
  const link = { id: ids.alias, accessor: write.mountAccessor, name: write.name }
  let owner: EntityRecord
  if (write.canonicalId === '') {
    owner = putNewEntity(tx, names, namespace.number, {
      id: ids.entity,
      name: await freeEntityName(tx, names, namespace, (length) => call.randomBytes(length)),
      creationTime: now,
      aliases: [link],
    })
  } else {
    const entity = await findEntity(tx, namespace.number, write.canonicalId)
    if (entity === undefined) {
      throw new Refusal('invalid', 'invalid canonical ID', {
        hints: await entityNameHints(call, write.canonicalId),
      })
    }
    if ((await linkOn(tx, call, entity, write.mountAccessor)) !== undefined) {
      throw invalid('Alias already exists for requested entity and mount accessor')
    }
    const links = new LinkChange(tx, call, entity)
    await links.add(link)
    owner = rewriteEntity(tx, namespace.number, entity, links.changes, true)
  }
  const customMetadata = write.customMetadata ?? {}
  const alias: AliasRecord = {
    id: ids.alias,
    canonicalId: owner.id,
    mountAccessor: write.mountAccessor,
    name: write.name,
    metadata: null,
    customMetadata,
    emptyAt: isEmptyMetadata(customMetadata) ? owner.revision : undefined,
    local: mount.local,
    mergedFromCanonicalIds: null,
    creationTime: now,
    lastUpdateTime: now,
  }
  tx.put(aliasRef(namespace.number, alias.id), alias)
  tx.put(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name), {
    id: alias.id,
    entityId: owner.id,
  })
  return { alias, mount }
}

const update = async (
  tx: Tx,
  call: WriteCall,
  mounts: MountDirectory,
  { alias, owner }: LiveAlias,
  wanted: AliasWrite,
): Promise<Outcome | undefined> => {
  const { names, namespace } = call
  const { name, mountAccessor, canonicalId, customMetadata } = wanted
  const moves = canonicalId !== '' && canonicalId !== alias.canonicalId
  const remounts = mountAccessor !== alias.mountAccessor
  const annotates =
    customMetadata !== undefined && !sameMetadata(customMetadata, alias.customMetadata)
  const changes = remounts || annotates || name !== alias.name
  if (!moves && !changes) return undefined

  if (remounts && !moves && (await linkOn(tx, call, owner, mountAccessor)) !== undefined) {
    throw invalid(
      "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ",
    )
  }
  const mount = changes
    ? await mountOf(mounts, mountAccessor)
    : await mounts.byAccessor(mountAccessor)
  if (mount === undefined) throw failed(`invalid mount accessor "${mountAccessor}"`)
  await mounts.check(tx, mount)
  if (changes) {
    const other = await findAliasByName(tx, call, mountAccessor, name)
    if (other !== undefined && other.alias.id !== alias.id) {
      throw invalid('alias with combination of mount accessor and name already exists')
    }
  }
  const target = moves ? await moveTarget(tx, call, alias, mount, canonicalId) : owner

  const link = { id: alias.id, accessor: alias.mountAccessor, name: alias.name }
  const renewed = { id: alias.id, accessor: mountAccessor, name }
  const links = new LinkChange(tx, call, owner)
  let rewritten: EntityRecord
  if (moves) {
    await links.remove(link)
    rewriteEntity(tx, namespace.number, owner, links.changes, false)
    const moved = new LinkChange(tx, call, target)
    await moved.add(renewed)
    rewritten = rewriteEntity(tx, namespace.number, target, moved.changes, true)
  } else {
    await links.replace(link, renewed)
    rewritten = rewriteEntity(tx, namespace.number, owner, links.changes, true)
  }
  const kept = isEmptyMetadata(alias.customMetadata) ? null : alias.customMetadata
  const next: AliasRecord = {
    ...alias,
    canonicalId: rewritten.id,
    mountAccessor,
    name,
    // Recorded quirk (identity.md 2.2, 8): what a login told of a local alias is lost until the next login.
    metadata: alias.local ? null : alias.metadata,
    customMetadata: customMetadata ?? kept,
    emptyAt:
      customMetadata !== undefined && isEmptyMetadata(customMetadata)
        ? rewritten.revision
        : undefined,
    local: mount.local,
    lastUpdateTime: writtenTime(call.now),
  }
  tx.delete(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
  tx.put(aliasNameRef(names, namespace.number, mountAccessor, name), {
    id: alias.id,
    entityId: next.canonicalId,
  })
  tx.put(aliasRef(namespace.number, alias.id), next)
  return { alias: next, mount }
}

/** The entity that an alias is to move to. */
const moveTarget = async (
  tx: Tx,
  call: WriteCall,
  alias: AliasRecord,
  mount: Mount,
  canonicalId: string,
): Promise<EntityRecord> => {
  if (alias.local || mount.local) throw invalid("local aliases can't be moved between entities")
  const target = await findEntity(tx, call.namespace.number, canonicalId)
  if (target === undefined) {
    throw new Refusal('invalid', "given 'canonical_id' is not associated with an entity", {
      hints: await entityNameHints(call, canonicalId),
    })
  }
  if ((await linkOn(tx, call, target, mount.accessor)) !== undefined) {
    throw invalid(
      'Alias cannot be updated as the given entity already has an alias for this mount ',
    )
  }
  return target
}
