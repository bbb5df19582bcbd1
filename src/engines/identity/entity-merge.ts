import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { Refusal, errorList, invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { entityNameHints } from './entity-read.ts'
import type { ReadCall } from './entity-record.ts'
import {
  activityRef,
  aliasNameRef,
  aliasRef,
  entityNameRef,
  entityRef,
  findEntity,
  liveLinks,
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

type MergeCall = ReadCall & Pick<Call, 'now'>

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
      if (merge.keepAliasIds.length === 0) await refuseClashes(tx, call, mounts, to, sources)
      await mergeSecrets(
        tx,
        call.namespace.number,
        to.id,
        sources.map(({ id }) => id),
        merge.force,
      )
      const dropped = aliasesToDrop(to, sources, new Set(merge.keepAliasIds))
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
): Promise<readonly EntityRecord[]> => {
  const namespace = call.namespace.number
  // Each costs four writes at least: more than this cannot be merged at once anyway.
  if (fromIds.length > limits.commitWrites / 4) {
    throw invalid(
      `${fromIds.length} entities cannot be merged at once: send at most ${limits.commitWrites / 4}`,
    )
  }
  const known = fromIds.filter((id) => idBytes(id) !== undefined)
  await tx.getMany(known.map((id) => entityRef(namespace, id)))
  const sources: EntityRecord[] = []
  for (const id of fromIds) {
    if (id === to.id) throw invalid('to_entity_id should not be present in from_entity_ids')
    const entity = await findEntity(tx, namespace, id)
    if (entity === undefined) throw await unknown(call, 'from', id)
    sources.push(entity)
  }
  return sources
}

interface Clash {
  readonly kept: AliasLink
  readonly source: EntityRecord
  readonly coming: AliasLink
}

const clashesOf = (to: EntityRecord, source: EntityRecord): readonly Clash[] =>
  liveLinks(to).flatMap((kept) =>
    liveLinks(source).flatMap((coming) =>
      coming.accessor === kept.accessor ? [{ kept, source, coming }] : [],
    ),
  )

/** Check 7: two aliases on one mount. Sources are compared with each other only when the target has aliases (recorded). */
const refuseClashes = async (
  tx: Tx,
  call: MergeCall,
  mounts: MountDirectory,
  to: EntityRecord,
  sources: readonly EntityRecord[],
): Promise<void> => {
  if (liveLinks(to).length > 0) {
    const seenIn = new Map<string, string>()
    for (const source of sources) {
      for (const { accessor } of liveLinks(source)) {
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
  const clashes = sources.flatMap((source) => clashesOf(to, source))
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
  to: EntityRecord,
  sources: readonly EntityRecord[],
  keep: ReadonlySet<string>,
): ReadonlySet<string> => {
  const dropped = new Set<string>()
  if (keep.size === 0) return dropped
  for (const { kept, coming } of sources.flatMap((source) => clashesOf(to, source))) {
    if (keep.has(kept.id)) continue
    if (!keep.has(coming.id)) {
      throw invalid(
        'conflicting mount accessors in following alias IDs and neither were present in ' +
          `conflicting_alias_ids_to_keep: ${coming.id}, ${kept.id}`,
      )
    }
    dropped.add(kept.id)
  }
  return dropped
}

const mergeIn = async (
  tx: Tx,
  call: MergeCall,
  to: EntityRecord,
  sources: readonly EntityRecord[],
  dropped: ReadonlySet<string>,
): Promise<void> => {
  const { names, namespace } = call
  const links: AliasLink[] = liveLinks(to).map((link) =>
    dropped.has(link.id) ? { ...link, dropped: true } : link,
  )
  for (const id of dropped) {
    const alias = await tx.get(aliasRef(namespace.number, id))
    if (alias !== undefined) {
      tx.delete(aliasNameRef(names, namespace.number, alias.mountAccessor, alias.name))
    }
  }
  const mergedEntityIds = [...to.mergedEntityIds]
  for (const source of sources) {
    const own = liveLinks(source)
    const aliases = await tx.getMany(own.map(({ id }) => aliasRef(namespace.number, id)))
    for (const [index, link] of own.entries()) {
      const alias = aliases[index]
      if (alias === undefined) continue
      links.push(link)
      putMoved(tx, call, alias, source.id, to.id)
    }
    for (const link of source.aliases) {
      if (link.dropped !== true) continue
      tx.delete(aliasRef(namespace.number, link.id))
      tx.delete(activityRef(namespace.number, link.id))
    }
    tx.delete(entityRef(namespace.number, source.id))
    tx.delete(entityNameRef(names, namespace.number, source.name))
    for (const id of [...source.mergedEntityIds, source.id]) {
      tx.put(mergedRef(namespace.number, id), { id: to.id })
      mergedEntityIds.push(id)
    }
    await repointMemberships(tx, namespace.number, source.id, to.id, call.now)
  }
  const lastUpdateTime = writtenTime(call.now)
  const changes = { aliases: links, mergedEntityIds, lastUpdateTime }
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
