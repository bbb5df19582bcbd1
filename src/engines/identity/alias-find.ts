import type { Names, Reader } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { aliasNameRef, aliasRef, entityRef, liveLinks } from './entity-record.ts'
import type { AliasRecord, EntityRecord } from './records.ts'

/** An alias that counts, with the entity that confirms it. */
export interface LiveAlias {
  readonly alias: AliasRecord
  readonly owner: EntityRecord
}

/**
 * B4: an alias counts only while its entity lists it. An entity with very many aliases is deleted in one commit that leaves
 * some of their records behind; those are dead from that instant and block nothing: their (mount, name) is overwritten by the
 * next login or create.
 */
const confirmed = (
  alias: AliasRecord | undefined,
  owner: EntityRecord | undefined,
): LiveAlias | undefined => {
  if (alias === undefined || owner === undefined || alias.canonicalId !== owner.id) return undefined
  return liveLinks(owner).some(({ id }) => id === alias.id) ? { alias, owner } : undefined
}

/** The alias of an id as a client sent it; undefined when there is none or it is dead. */
export const findAlias = async (
  reader: Reader,
  namespace: number,
  id: string,
): Promise<LiveAlias | undefined> => {
  if (idBytes(id) === undefined) return undefined
  const alias = await reader.get(aliasRef(namespace, id))
  if (alias === undefined) return undefined
  return confirmed(alias, await reader.get(entityRef(namespace, alias.canonicalId)))
}

/** The alias of a name on a mount, compared without case; two reads deep, since every login does it. */
export const findAliasByName = async (
  reader: Reader,
  names: Names,
  namespace: number,
  accessor: string,
  name: string,
): Promise<LiveAlias | undefined> => {
  const found = await reader.get(aliasNameRef(names, namespace, accessor, name))
  if (found === undefined) return undefined
  const [alias, owner] = await reader.getMany<AliasRecord | EntityRecord>([
    aliasRef(namespace, found.id),
    entityRef(namespace, found.entityId),
  ])
  return confirmed(alias as AliasRecord | undefined, owner as EntityRecord | undefined)
}

/** The aliases of a page that count, with their entities; in the page's order. */
export const confirmAliases = async (
  reader: Pick<Reader, 'getMany'>,
  namespace: number,
  page: readonly AliasRecord[],
): Promise<readonly LiveAlias[]> => {
  const ids = [...new Set(page.map(({ canonicalId }) => canonicalId))]
  const owners = await reader.getMany(ids.map((id) => entityRef(namespace, id)))
  const byId = new Map(ids.map((id, index) => [id, owners[index]]))
  return page.flatMap((alias) => confirmed(alias, byId.get(alias.canonicalId)) ?? [])
}
