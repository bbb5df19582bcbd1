import type { Call } from '../../engine/call.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes, refOfKey } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { WRITES_PER_ALIAS, dropAlias } from './alias-delete.ts'
import { findAlias } from './alias-find.ts'
import { allMountLinks, isOfSet, mountLinks } from './alias-links.ts'
import { deletingDamaged } from './delete-damaged.ts'
import type { EntityFinder } from './entity-read.ts'
import { hintEntityId } from './entity-read.ts'
import type { ReadCall } from './entity-record.ts'
import {
  aliasNameRef,
  aliasRef,
  dropRecords,
  entityNameRef,
  entityRef,
  findEntity,
  mergedRef,
} from './entity-record.ts'
import { dropSecrets } from './mfa/entity-secrets.ts'
import { whenFree } from './group-busy.ts'
import { WRITES_PER_GROUP, leaveGroups } from './memberships.ts'
import type { AliasLink, EntityRecord } from './records.ts'

/** The entity, its name and its memberships. */
const OWN_WRITES = 3

/** Of a mount's further links: their record and one alias. A merge may have kept two, seldom. */
const WRITES_PER_FURTHER = 1 + WRITES_PER_ALIAS

/** What a deletion has not done yet when the entity is gone already. */
interface Leftover {
  readonly entityId: string
  readonly aliases: readonly AliasLink[]
  /** Whether there are links that are records of their own. */
  readonly further: boolean
  readonly mergedIds: readonly string[]
  readonly groups: boolean
}

/**
 * Deletes an entity; nothing happens when there is none (identity.md 1.8).
 *
 * The entity's record is the truth (architecture.md B4): without it no alias of it resolves or blocks its name, no
 * membership gives a policy, and no token of it works. So whatever does not fit into the commit that deletes it follows
 * in commits of its own; an entity of ordinary size is gone in one.
 */
export const deleteEntity = async (call: ReadCall, find: EntityFinder): Promise<void> => {
  const leftover = await whenFree(() =>
    call.records.transact(async (tx) => {
      const entity = await find(tx)
      return entity === undefined ? undefined : deleteIn(tx, call, entity, limits.commitWrites)
    }),
  )
  if (leftover !== undefined) await sweep(call, leftover)
}

/** As `deleteEntity`, by id; also ends a deletion that was cut off after its first commit, and one whose record is damaged. */
export const deleteEntityById = async (call: ReadCall, id: string): Promise<void> => {
  if (idBytes(id) === undefined) return
  const namespace = call.namespace.number
  await deletingDamaged(call.records, entityRef(namespace, id), () =>
    deleteEntity(call, (tx) => findEntity(tx, namespace, id)),
  )
  await leaveAllGroups(call, id)
  await sweepFurther(call, id)
}

/** Deletes in `tx`, with at most `most` writes; what remains to be done is the answer. */
const deleteIn = async (
  tx: Tx,
  call: Pick<ReadCall, 'names' | 'namespace'>,
  entity: EntityRecord,
  most: number,
): Promise<Leftover> => {
  const namespace = call.namespace.number
  tx.delete(entityRef(namespace, entity.id))
  tx.delete(entityNameRef(call.names, namespace, entity.name))
  let room = most - OWN_WRITES - (await dropSecrets(tx, namespace, entity.id))
  const { left, remaining } = await leaveGroups(
    tx,
    namespace,
    entity.id,
    Math.floor(room / WRITES_PER_GROUP),
  )
  room -= left * WRITES_PER_GROUP
  const links = entity.aliases.slice(0, Math.floor(room / WRITES_PER_ALIAS))
  room -= links.length * WRITES_PER_ALIAS
  const aliases = await tx.getMany(links.map(({ id }) => aliasRef(namespace, id)))
  for (const [index, link] of links.entries()) {
    const alias = aliases[index]
    if (alias === undefined) continue
    // The name of an alias that a merge dropped may be another alias's by now.
    if (link.dropped === true) dropRecords(tx, namespace, link.id)
    else dropAlias(tx, call, alias)
  }
  const further = await dropFurther(tx, call, entity, Math.floor(room / WRITES_PER_FURTHER))
  room -= further.dropped * WRITES_PER_FURTHER
  const mergedIds = entity.mergedEntityIds.slice(0, room)
  for (const id of mergedIds) tx.delete(mergedRef(namespace, id))
  return {
    entityId: entity.id,
    aliases: [
      ...entity.aliases.slice(links.length),
      ...(further.remain ? (entity.further?.dropped ?? []) : []),
    ],
    further: further.remain,
    mergedIds: entity.mergedEntityIds.slice(mergedIds.length),
    groups: remaining > 0,
  }
}

/**
 * Drops further links with their aliases while they are at most `most`, else none: how many, and whether some remain. The
 * transaction has read the entity, so it knows of all.
 */
const dropFurther = async (
  tx: Tx,
  call: Pick<ReadCall, 'names' | 'namespace'>,
  entity: EntityRecord,
  most: number,
): Promise<{ readonly dropped: number; readonly remain: boolean }> => {
  const namespace = call.namespace.number
  const { further } = entity
  if (further === undefined) return { dropped: 0, remain: false }
  const unlisted = further.dropped ?? []
  const count = further.count + unlisted.length
  if (count > most) return { dropped: 0, remain: true }
  for (const { id } of unlisted) dropRecords(tx, namespace, id)
  const range = mountLinks(namespace, entity.id, further)
  for await (const page of tx.scan(range, entityRef(namespace, entity.id))) {
    for (const { key, value } of page) {
      tx.delete(refOfKey(key))
      const aliases = await tx.getMany(value.links.map(({ id }) => aliasRef(namespace, id)))
      for (const alias of aliases) if (alias !== undefined) dropAlias(tx, call, alias)
    }
  }
  return { dropped: count, remain: false }
}

const sweep = async (call: ReadCall, leftover: Leftover): Promise<void> => {
  if (leftover.groups) await leaveAllGroups(call, leftover.entityId)
  const namespace = call.namespace.number
  for (const links of chunks(leftover.aliases, limits.longWorkWrites / WRITES_PER_ALIAS)) {
    await call.records.afterOthers()
    await call.records.transact((tx) => dropDead(tx, call, leftover.entityId, links))
  }
  if (leftover.further) await sweepFurther(call, leftover.entityId)
  for (const ids of chunks(leftover.mergedIds, limits.longWorkWrites)) {
    await call.records.afterOthers()
    await call.records.transact(async (tx) => {
      for (const id of ids) tx.delete(mergedRef(namespace, id))
    })
  }
}

/** Deletes what is stored of aliases of an entity that is gone. An import may have made them anew meanwhile: those stay. */
const dropDead = async (
  tx: Tx,
  call: ReadCall,
  entityId: string,
  links: readonly AliasLink[],
): Promise<void> => {
  const namespace = call.namespace.number
  const aliases = await tx.getMany(links.map(({ id }) => aliasRef(namespace, id)))
  for (const alias of aliases) {
    if (alias === undefined || alias.canonicalId !== entityId) continue
    if ((await findAlias(tx, call, alias.id)) !== undefined) continue
    const nameRef = aliasNameRef(call.names, namespace, alias.mountAccessor, alias.name)
    dropRecords(tx, namespace, alias.id)
    if ((await tx.get(nameRef))?.id === alias.id) tx.delete(nameRef)
  }
}

/**
 * Removes the further links of an entity that is gone, with their aliases. They are found by their keys, so the deletion of an id
 * whose entity is gone goes on where another was cut off. If an import makes the entity anew meanwhile, its own links stay.
 */
const sweepFurther = async (call: ReadCall, entityId: string): Promise<void> => {
  const { records, namespace } = call
  const pageSize = Math.floor(limits.longWorkWrites / WRITES_PER_FURTHER)
  for await (const page of records.scan(allMountLinks(namespace.number, entityId), { pageSize })) {
    await records.afterOthers()
    await records.transact(async (tx) => {
      const anew = await tx.get(entityRef(namespace.number, entityId))
      for (const { key, tail, value } of page) {
        if (anew?.further !== undefined && isOfSet(tail, anew.further)) continue
        tx.delete(refOfKey(key))
        await dropDead(tx, call, entityId, value.links)
      }
    })
  }
}

/** Takes an entity that is gone out of the groups it is still listed in. */
const leaveAllGroups = async (call: ReadCall, entityId: string): Promise<void> => {
  const most = Math.floor((limits.longWorkWrites - 1) / WRITES_PER_GROUP)
  for (;;) {
    const remaining = await whenFree(() =>
      call.records.transact(async (tx) => {
        const entity = await findEntity(tx, call.namespace.number, entityId)
        if (entity !== undefined) return 0
        return (await leaveGroups(tx, call.namespace.number, entityId, most)).remaining
      }),
    )
    if (remaining === 0) return
    await call.records.afterOthers()
  }
}

const chunks = <T>(list: readonly T[], size: number): T[][] => {
  const step = Math.floor(size)
  const result: T[][] = []
  for (let at = 0; at < list.length; at += step) result.push(list.slice(at, at + step))
  return result
}

/**
 * Deletes several entities in one commit; unknown ids are passed over (identity.md 1.6). Throws a Refusal when that is
 * more than one commit holds: all of them are deleted or none.
 */
export const batchDelete = async (
  call: ReadCall & Pick<Call, 'hint'>,
  ids: readonly string[],
): Promise<void> => {
  if (ids.length === 0) throw invalid('missing entity ids to delete')
  const asked = [...new Set(ids)]
  if (asked.length > limits.commitWrites) throw tooMany(asked.length)
  const missing = await whenFree(() =>
    call.records.transact(async (tx) => {
      const namespace = call.namespace.number
      const known = asked.filter((id) => idBytes(id) !== undefined)
      const found = await tx.getMany(known.map((id) => entityRef(namespace, id)))
      for (const entity of found) {
        if (entity === undefined) continue
        const rest = await deleteIn(tx, call, entity, limits.commitWrites)
        if (rest.groups || rest.aliases.length > 0 || rest.further || rest.mergedIds.length > 0) {
          throw tooMany(asked.length)
        }
      }
      return asked.filter((id) => idBytes(id) === undefined)
    }),
  )
  for (const id of missing.slice(0, HINTS)) await hintEntityId(call, id)
}

/** Names among the ids of a batch that get a hint. */
const HINTS = 5

const tooMany = (count: number) =>
  invalid(
    `${count} entities with their aliases and memberships cannot be deleted at once (at most ${limits.commitWrites} records): ` +
      'send fewer ids in one request',
  )
