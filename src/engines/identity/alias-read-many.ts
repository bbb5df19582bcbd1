import type { Mount } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Records } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { nextTurn } from '../../std/next-turn.ts'
import { everyLink } from './alias-links.ts'
import type { ReadCall } from './entity-record.ts'
import { aliasRef, findEntity } from './entity-record.ts'
import { mountsOf } from './mount-lookup.ts'
import type { AliasLink, AliasRecord, EntityRecord } from './records.ts'

/** An alias and the mount it is on, if that is still there. */
export interface ShownAlias {
  readonly alias: AliasRecord
  readonly mount: Mount | undefined
}

/** All links of an entity as it is now, also where some are records of their own. */
export const linksNow = (call: ReadCall, entity: EntityRecord): Promise<readonly AliasLink[]> =>
  call.records.transact(async (tx) => {
    const present = await findEntity(tx, call.namespace.number, entity.id)
    return present === undefined ? [] : everyLink(tx, call, present)
  })

/** The records of links, in their order; others get their turn between parts, and damaged ones are taken for absent. */
export const aliasRecords = async (
  records: Records,
  namespace: number,
  links: readonly AliasLink[],
): Promise<(AliasRecord | undefined)[]> => {
  const found: (AliasRecord | undefined)[] = []
  for (let at = 0; at < links.length; at += limits.storeReadKeys) {
    if (at > 0) await nextTurn()
    const part = links.slice(at, at + limits.storeReadKeys)
    found.push(...(await records.undamaged.getMany(part.map(({ id }) => aliasRef(namespace, id)))))
  }
  return found
}

/**
 * The aliases of links with their mounts, for an answer that shows very many. Which these are was read before, at one instant;
 * what each says is read after, so one that has gone since is left out. Throws for a damaged one.
 */
export const manyAliases = async (
  { namespace: { number: namespace }, records }: ReadCall,
  mounts: MountDirectory,
  entityId: string,
  links: readonly AliasLink[],
): Promise<readonly ShownAlias[]> => {
  const found = await aliasRecords(records, namespace, links)
  const mountOf = await mountsOf(
    mounts,
    links.map(({ accessor }) => accessor),
  )
  const shown: ShownAlias[] = []
  for (const [index, link] of links.entries()) {
    const alias = found[index] ?? (await records.get(aliasRef(namespace, link.id)))
    if (alias?.canonicalId !== entityId) continue
    const { mountAccessor: accessor } = alias
    const mount = accessor === link.accessor ? mountOf.get(accessor) : undefined
    shown.push({ alias, mount: mount ?? (await mounts.byAccessor(accessor)) })
  }
  return shown
}
