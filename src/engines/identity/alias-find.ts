import type { Reader } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import type { LinkPlace } from './alias-links.ts'
import { mountLinksRef } from './alias-links.ts'
import { aliasNameRef, aliasRef, entityRef } from './entity-record.ts'
import type { AliasRecord, EntityRecord, Further, MountLinks } from './records.ts'

/** An alias that counts, with the entity that confirms it. */
export interface LiveAlias {
  readonly alias: AliasRecord
  readonly owner: EntityRecord
}

const lists = (links: readonly { readonly id: string }[], id: string): boolean =>
  links.some((link) => link.id === id)

/**
 * B4: an alias counts only while its entity lists it. An entity with very many aliases is deleted in one commit that leaves
 * some of their records behind; those are dead from that instant and block nothing: their (mount, name) is overwritten by the
 * next login or create.
 *
 * A Further is the answer where only the entity's further links can tell.
 */
const listing = (
  alias: AliasRecord | undefined,
  owner: EntityRecord | undefined,
): LiveAlias | Further | undefined => {
  if (alias === undefined || owner === undefined || alias.canonicalId !== owner.id) return undefined
  for (const { id, dropped } of owner.aliases) {
    if (id === alias.id) return dropped === true ? undefined : { alias, owner }
  }
  return owner.further
}

const confirmed = async (
  reader: Pick<Reader, 'get'>,
  place: LinkPlace,
  alias: AliasRecord | undefined,
  owner: EntityRecord | undefined,
): Promise<LiveAlias | undefined> => {
  const found = listing(alias, owner)
  if (found === undefined || 'alias' in found) return found
  const { id, mountAccessor } = alias!
  const record = await reader.get(mountLinksRef(place, owner!.id, found, mountAccessor))
  return record !== undefined && lists(record.links, id)
    ? { alias: alias!, owner: owner! }
    : undefined
}

/** The alias of an id as a client sent it; undefined when there is none or it is dead. */
export const findAlias = async (
  reader: Reader,
  place: LinkPlace,
  id: string,
): Promise<LiveAlias | undefined> => {
  if (idBytes(id) === undefined) return undefined
  const namespace = place.namespace.number
  const alias = await reader.get(aliasRef(namespace, id))
  if (alias === undefined) return undefined
  return confirmed(reader, place, alias, await reader.get(entityRef(namespace, alias.canonicalId)))
}

/**
 * The alias of a name on a mount, compared without case; two reads deep, since every login does it, and three where the entity
 * has further links.
 */
export const findAliasByName = async (
  reader: Reader,
  place: LinkPlace,
  accessor: string,
  name: string,
): Promise<LiveAlias | undefined> => {
  const namespace = place.namespace.number
  const found = await reader.get(aliasNameRef(place.names, namespace, accessor, name))
  if (found === undefined) return undefined
  const [alias, owner] = await reader.getMany<AliasRecord | EntityRecord>([
    aliasRef(namespace, found.id),
    entityRef(namespace, found.entityId),
  ])
  return confirmed(
    reader,
    place,
    alias as AliasRecord | undefined,
    owner as EntityRecord | undefined,
  )
}

/** The aliases of a page that count, with their entities; in the page's order. */
export const confirmAliases = async (
  reader: Pick<Reader, 'getMany'>,
  place: LinkPlace,
  page: readonly AliasRecord[],
): Promise<readonly LiveAlias[]> => {
  const ids = [...new Set(page.map(({ canonicalId }) => canonicalId))]
  const owners = await reader.getMany(ids.map((id) => entityRef(place.namespace.number, id)))
  const byId = new Map(ids.map((id, index) => [id, owners[index]]))
  const found = page.map((alias) => listing(alias, byId.get(alias.canonicalId)))
  const refs = page.flatMap(({ canonicalId, mountAccessor }, index) => {
    const one = found[index]
    return one === undefined || 'alias' in one
      ? []
      : [mountLinksRef(place, canonicalId, one, mountAccessor)]
  })
  // The usual case: nobody has so many aliases.
  const further = refs.length === 0 ? [] : await reader.getMany<MountLinks>(refs)
  let next = 0
  return page.flatMap((alias, index) => {
    const one = found[index]
    if (one === undefined || 'alias' in one) return one ?? []
    const owner = byId.get(alias.canonicalId)!
    return lists(further[next++]?.links ?? [], alias.id) ? { alias, owner } : []
  })
}
