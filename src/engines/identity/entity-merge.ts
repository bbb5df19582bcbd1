import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { Refusal, errorList, invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { LinkChange, everyLiveLink, linksOn, mountLinksRef } from './alias-links.ts'
import { entityNameHints } from './entity-read.ts'
import type { ReadCall } from './entity-record.ts'
import {
  aliasNameRef,
  aliasRef,
  countAliases,
  dropRecords,
  droppedLinks,
  entityNameRef,
  entityRef,
  findEntity,
  mergedRef,
  rewriteEntity,
} from './entity-record.ts'
import { whenFree } from './group-busy.ts'
import { isEmptyMetadata } from './metadata.ts'
import { mergeSecrets } from './mfa/entity-secrets.ts'
import { repointMemberships } from './memberships.ts'
import type { AliasLink, AliasRecord, EntityRecord } from './records.ts'
import { writtenTime } from './written-time.ts'

/** A request to merge; '' = not sent. */
export interface Merge {
  readonly toId: string
  readonly fromIds: readonly string[]
  /** Of two aliases on one mount, those to keep. */
  readonly keepAliasIds: readonly string[]
  /** Whether to merge even where both hold a secret for the same MFA method. */
  readonly force: boolean
}

type MergeCall = ReadCall & Pick<Call, 'now' | 'newId'>

/** An entity to be absorbed, with the aliases of it that resolve. */
interface Source {
  readonly entity: EntityRecord
  readonly links: readonly AliasLink[]
}

/**
 * Merges entities into one, in one commit (identity.md 1.7): aliases, memberships and the old ids follow; name, metadata
 * and policies of the absorbed are gone. Throws the recorded Refusals in their order, and one when it is too much for one
 * commit.
 */
export const mergeEntities = async (
  call: MergeCall,
  mounts: MountDirectory,
  merge: Merge,
): Promise<void> => {
  if (merge.toId === '') throw invalid('missing entity id to merge to')
  const fromIds = [...new Set(merge.fromIds)]
  if (fromIds.length === 0) throw invalid('missing entity ids to merge from')
  await whenFree(() =>
    call.records.transact(async (tx) => {
      const to = await findEntity(tx, call.namespace.number, merge.toId)
      if (to === undefined) throw await unknown(call, 'to', merge.toId)
      if (fromIds.length > 1 && new Set(merge.keepAliasIds).size > 1) {
        throw invalid(
          'aliases conflicts cannot be resolved with multiple from entity ids - merge one entity at a time',
        )
      }
      const sources = await readSources(tx, call, to, fromIds)
      const clashes: Clash[] = []
      for (const source of sources) clashes.push(...(await clashesOf(tx, call, to, source)))
      if (merge.keepAliasIds.length === 0) {
        await refuseClashes(tx, call, mounts, to, sources, clashes)
      }
      await mergeSecrets(
        tx,
        call.namespace.number,
        to.id,
        sources.map(({ entity }) => entity.id),
        merge.force,
      )
      const dropped = aliasesToDrop(clashes, new Set(merge.keepAliasIds))
      await mergeIn(tx, call, to, sources, dropped)
    }),
  )
}

const unknown = async (call: MergeCall, side: 'to' | 'from', id: string): Promise<Refusal> =>
  new Refusal('invalid', `entity id to merge ${side} is invalid`, {
    hints: await entityNameHints(call, id),
  })

const readSources = async (
  tx: Tx,
  call: MergeCall,
  to: EntityRecord,
  fromIds: readonly string[],
): Promise<readonly Source[]> => {
  const namespace = call.namespace.number
  // Each costs four writes at least: more than this cannot be merged at once anyway.
  if (fromIds.length > limits.commitWrites / 4) {
    throw invalid(
      `${fromIds.length} entities cannot be merged at once: send at most ${limits.commitWrites / 4}`,
    )
  }
  const known = fromIds.filter((id) => idBytes(id) !== undefined)
  await tx.getMany(known.map((id) => entityRef(namespace, id)))
  const entities: EntityRecord[] = []
  for (const id of fromIds) {
    if (id === to.id) throw invalid('to_entity_id should not be present in from_entity_ids')
    const entity = await findEntity(tx, namespace, id)
    if (entity === undefined) throw await unknown(call, 'from', id)
    entities.push(entity)
  }
  const aliases = entities.reduce((sum, entity) => sum + countAliases(entity), 0)
  // Each costs two writes at least; more are not even read.
  if (aliases > limits.commitWrites / 2 && entities.some(({ further }) => further !== undefined)) {
    throw invalid(
      `${aliases} aliases cannot be merged at once (at most ${limits.commitWrites / 2}): move some to the other entity first, ` +
        'each by an update with the canonical_id of that',
    )
  }
  const sources: Source[] = []
  for (const entity of entities) {
    sources.push({ entity, links: await everyLiveLink(tx, call, entity) })
  }
  return sources
}

interface Clash {
  readonly kept: AliasLink
  readonly source: EntityRecord
  readonly coming: AliasLink
}

/** In the order of the target's aliases. They are looked up one by one, for it may have very many. */
const clashesOf = async (
  tx: Tx,
  call: MergeCall,
  to: EntityRecord,
  { entity, links }: Source,
): Promise<readonly Clash[]> => {
  const clashes: (Clash & { readonly place: number })[] = []
  for (const coming of links) {
    for (const kept of await linksOn(tx, call, to, coming.accessor)) {
      clashes.push({ kept, source: entity, coming, place: kept.seq })
    }
  }
  return clashes.sort((a, b) => a.place - b.place)
}

/** Check 7: two aliases on one mount. Sources are compared with each other only when the target has aliases (recorded). */
const refuseClashes = async (
  tx: Tx,
  call: MergeCall,
  mounts: MountDirectory,
  to: EntityRecord,
  sources: readonly Source[],
  clashes: readonly Clash[],
): Promise<void> => {
  if (countAliases(to) > 0) {
    const seenIn = new Map<string, string>()
    for (const { entity: source, links } of sources) {
      for (const { accessor } of links) {
        const other = seenIn.get(accessor)
        if (other !== undefined && other !== source.id) {
          throw invalid(
            `mount accessor ${accessor} found in multiple fromEntities, merge should be done with one fromEntity at a time`,
          )
        }
        seenIn.set(accessor, source.id)
      }
    }
  }
  if (clashes.length === 0) return
  const lines = clashes.map(
    ({ kept, source, coming }) =>
      `mountAccessor: ${kept.accessor}, toEntity ID: ${to.id}, fromEntity ID: ${source.id}, ` +
      `conflicting toEntity alias ID: ${kept.id}, conflicting fromEntity alias ID: ${coming.id}`,
  )
  const rows: unknown[] = []
  for (const { kept, source, coming } of clashes) {
    rows.push(await clashRow(tx, call, mounts, to, kept))
    rows.push(await clashRow(tx, call, mounts, source, coming))
  }
  throw invalid(
    errorList([
      'toEntity and at least one fromEntity have aliases with the same mount accessor, ' +
        'repeat the merge request specifying exactly one fromEntity, clashes: ',
      ...lines,
    ]),
    { data: rows },
  )
}

const clashRow = async (
  tx: Tx,
  { namespace }: MergeCall,
  mounts: MountDirectory,
  entity: EntityRecord,
  link: AliasLink,
): Promise<unknown> => {
  const alias = await tx.get(aliasRef(namespace.number, link.id))
  const mount = await mounts.byAccessor(link.accessor)
  return {
    alias: alias?.name ?? '',
    entity: entity.name,
    entity_id: entity.id,
    mount: mount?.type ?? '',
    mount_path: mount?.path ?? '',
  }
}

/**
 * Check 9, and the target's aliases that give way: those whose rival is to be kept and they are not. To keep the target's
 * own alias drops nothing: both stay and both resolve (recorded: entity-merge-keep-target).
 */
const aliasesToDrop = (
  clashes: readonly Clash[],
  keep: ReadonlySet<string>,
): ReadonlyMap<string, AliasLink> => {
  const dropped = new Map<string, AliasLink>()
  if (keep.size === 0) return dropped
  for (const { kept, coming } of clashes) {
    if (keep.has(kept.id)) continue
    if (!keep.has(coming.id)) {
      throw invalid(
        'conflicting mount accessors in following alias IDs and neither were present in ' +
          `conflicting_alias_ids_to_keep: ${coming.id}, ${kept.id}`,
      )
    }
    dropped.set(kept.id, kept)
  }
  return dropped
}

const mergeIn = async (
  tx: Tx,
  call: MergeCall,
  to: EntityRecord,
  sources: readonly Source[],
  dropped: ReadonlyMap<string, AliasLink>,
): Promise<void> => {
  const { names, namespace } = call
  const links = new LinkChange(tx, call, to)
  for (const [id, link] of dropped) {
    const alias = await tx.get(aliasRef(namespace.number, id))
    await links.drop(link)
    if (alias !== undefined) {
      tx.delete(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
    }
  }
  const mergedEntityIds = [...to.mergedEntityIds]
  for (const { entity: source, links: own } of sources) {
    const aliases = await tx.getMany(own.map(({ id }) => aliasRef(namespace.number, id)))
    for (const [index, link] of own.entries()) {
      const alias = aliases[index]
      if (source.further !== undefined) {
        tx.delete(mountLinksRef(call, source.id, source.further, link.accessor))
      }
      if (alias === undefined) continue
      await links.add(link)
      putMoved(tx, call, alias, source.id, to.id)
    }
    for (const { id } of droppedLinks(source)) dropRecords(tx, namespace.number, id)
    tx.delete(entityRef(namespace.number, source.id))
    tx.delete(entityNameRef(names, namespace.number, source.name))
    for (const id of [...source.mergedEntityIds, source.id]) {
      tx.put(mergedRef(namespace.number, id), { id: to.id })
      mergedEntityIds.push(id)
    }
    await repointMemberships(tx, namespace.number, source.id, to.id, call.now)
  }
  const lastUpdateTime = writtenTime(call.now)
  const changes = { ...links.changes, mergedEntityIds, lastUpdateTime }
  rewriteEntity(tx, namespace.number, to, changes, false)
}

const putMoved = (
  tx: Tx,
  { names, namespace }: MergeCall,
  alias: AliasRecord,
  fromId: string,
  toId: string,
): void => {
  tx.put(aliasRef(namespace.number, alias.id), {
    ...alias,
    canonicalId: toId,
    mergedFromCanonicalIds: [...(alias.mergedFromCanonicalIds ?? []), fromId],
    customMetadata: isEmptyMetadata(alias.customMetadata) ? null : alias.customMetadata,
    emptyAt: undefined,
  })
  tx.put(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name), {
    id: alias.id,
    entityId: toId,
  })
}
