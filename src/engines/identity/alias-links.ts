import type { Call } from '../../engine/call.ts'
import type { Reader, RecordRange, Ref, Tx } from '../../engine/records.ts'
import { idText, ownIdBytes } from '../../engine/records.ts'
import { limits } from '../../limits.ts'
import { Breather } from '../../std/breather.ts'
import { sortInSlices } from '../../std/sort-in-slices.ts'
import { entityRef, liveFurther, liveLinks } from './entity-record.ts'
import type { AliasLink, EntityRecord, Further, MountLinks, PlacedLink } from './records.ts'
import { furtherLinks } from './records.ts'

/** Where the links of an entity are, and how their mounts are named in keys. */
export type LinkPlace = Pick<Call, 'names' | 'namespace'>

/** Where an entity's further links on a mount are. */
export const mountLinksRef = (
  { names, namespace }: LinkPlace,
  entityId: string,
  { set }: Further,
  accessor: string,
): Ref<MountLinks> =>
  furtherLinks.at(
    namespace.number,
    ownIdBytes(entityId),
    ownIdBytes(set),
    names.hash('accessor', accessor),
  )

/** The further links of an entity. */
export const mountLinks = (
  namespace: number,
  entityId: string,
  { set }: Further,
): RecordRange<MountLinks> => furtherLinks.under(namespace, ownIdBytes(entityId), ownIdBytes(set))

/** All that are stored under an entity's id, those that an earlier deletion left behind included. */
export const allMountLinks = (namespace: number, entityId: string): RecordRange<MountLinks> =>
  furtherLinks.under(namespace, ownIdBytes(entityId))

/** Whether what follows the entity's id in a key says that the links are of this set. */
export const isOfSet = (tail: Uint8Array, { set }: Further): boolean =>
  idText(tail.subarray(0, 16)) === set

const byPlace = (a: PlacedLink, b: PlacedLink): number => a.seq - b.seq

/**
 * The entity's aliases on a mount, in the order they came: one, or more where a merge kept another. Those in its own list have
 * negative places.
 */
export const linksOn = async (
  reader: Pick<Reader, 'get'>,
  place: LinkPlace,
  entity: EntityRecord,
  accessor: string,
): Promise<readonly PlacedLink[]> => {
  const all = liveLinks(entity)
  const listed = all.flatMap((link, index) =>
    link.accessor === accessor ? [{ ...link, seq: index - all.length }] : [],
  )
  const further = await furtherOn(reader, place, entity, accessor)
  return further.length === 0 ? listed : [...listed, ...further]
}

const NONE: readonly PlacedLink[] = []

const furtherOn = async (
  reader: Pick<Reader, 'get'>,
  place: LinkPlace,
  { id, further }: EntityRecord,
  accessor: string,
): Promise<readonly PlacedLink[]> => {
  if (further === undefined || further.count === 0) return NONE
  return (await reader.get(mountLinksRef(place, id, further, accessor)))?.links ?? NONE
}

/** The entity's alias on a mount, the first where there are two. */
export const linkOn = async (
  reader: Pick<Reader, 'get'>,
  place: LinkPlace,
  entity: EntityRecord,
  accessor: string,
): Promise<AliasLink | undefined> =>
  liveLinks(entity).find((link) => link.accessor === accessor) ??
  (await furtherOn(reader, place, entity, accessor))[0]

/** The aliases of an entity that resolve, in the order they came, as of the version of it that the transaction has read. */
export const everyLiveLink = async (
  tx: Tx,
  place: LinkPlace,
  entity: EntityRecord,
): Promise<readonly AliasLink[]> => {
  const { further } = entity
  if (further === undefined || further.count === 0) return liveLinks(entity)
  return [...liveLinks(entity), ...(await everyFurther(tx, place, entity, further))]
}

/** The same with those that a merge dropped, which reads of the entity still show. */
export const everyLink = async (
  tx: Tx,
  place: LinkPlace,
  entity: EntityRecord,
): Promise<readonly AliasLink[]> => {
  const { further } = entity
  if (further === undefined) return entity.aliases
  const stored = await everyFurther(tx, place, entity, further)
  return [...entity.aliases, ...stored.concat(further.dropped ?? []).toSorted(byPlace)]
}

const everyFurther = async (
  tx: Tx,
  { namespace }: LinkPlace,
  { id }: EntityRecord,
  further: Further,
): Promise<PlacedLink[]> => {
  const range = mountLinks(namespace.number, id, further)
  const links: PlacedLink[] = []
  const breather = new Breather()
  for await (const page of tx.scan(range, entityRef(namespace.number, id))) {
    for (const { value } of page) links.push(...value.links)
    await breather.due()
  }
  return sortInSlices(links, byPlace, breather)
}

/** What is stored of a link that resolves. */
const liveLink = ({ id, accessor, name }: AliasLink): AliasLink => ({
  id,
  accessor,
  ...(name !== undefined && { name }),
})

/** The links of an entity while a transaction changes them. Dropped ones are gone: the write of the entity removes them. */
export class LinkChange {
  readonly #tx: Tx
  readonly #place: LinkPlace & Pick<Call, 'newId'>
  readonly #entityId: string
  #listed: AliasLink[]
  #further: Further | undefined

  constructor(tx: Tx, place: LinkPlace & Pick<Call, 'newId'>, entity: EntityRecord) {
    this.#tx = tx
    this.#place = place
    this.#entityId = entity.id
    this.#listed = [...liveLinks(entity)]
    this.#further = liveFurther(entity.further)
  }

  /** What the entity's record has to say now. */
  get changes(): Pick<EntityRecord, 'aliases' | 'further'> {
    return { aliases: this.#listed, further: this.#further }
  }

  /** Adds a link behind all others. */
  async add(link: AliasLink): Promise<void> {
    if (this.#further === undefined && this.#listed.length < limits.aliasesInRecord) {
      this.#listed.push(liveLink(link))
      return
    }
    const further = this.#further ?? { set: this.#place.newId(), count: 0, next: 0 }
    await this.#putPlaced(further, { ...liveLink(link), seq: further.next })
    this.#further = { ...further, count: further.count + 1, next: further.next + 1 }
  }

  /** Takes a link out. */
  async remove(link: AliasLink): Promise<void> {
    const at = this.#listed.findIndex(({ id }) => id === link.id)
    if (at >= 0) this.#listed.splice(at, 1)
    else await this.#takeOut(link)
  }

  /** Puts in a link for the same alias, on another mount or by another name; it stays where it is in the order. */
  async replace(link: AliasLink, by: AliasLink): Promise<void> {
    const at = this.#listed.findIndex(({ id }) => id === link.id)
    if (at >= 0) {
      this.#listed[at] = liveLink(by)
      return
    }
    const further = this.#further
    const same = by.accessor === link.accessor && by.name === link.name
    if (same || further === undefined) return
    const taken = await this.#takeOut(link)
    if (taken === undefined) return
    await this.#putPlaced(further, { ...liveLink(by), seq: taken.seq })
    this.#further = further
  }

  /** Takes a link out, as one that reads of the entity still show until it is written again. */
  async drop(link: AliasLink): Promise<void> {
    const at = this.#listed.findIndex(({ id }) => id === link.id)
    if (at >= 0) {
      this.#listed[at] = { ...this.#listed[at]!, dropped: true }
      return
    }
    const further = this.#further
    const taken = await this.#takeOut(link)
    if (further === undefined || taken === undefined) return
    const dropped = [...(further.dropped ?? []), { ...taken, dropped: true as const }]
    this.#further = { ...further, count: further.count - 1, dropped }
  }

  async #takeOut({ id, accessor }: AliasLink): Promise<PlacedLink | undefined> {
    const further = this.#further
    if (further === undefined) return undefined
    const ref = mountLinksRef(this.#place, this.#entityId, further, accessor)
    const links = (await this.#tx.get(ref))?.links ?? NONE
    const taken = links.find((link) => link.id === id)
    if (taken === undefined) return undefined
    if (links.length === 1) this.#tx.delete(ref)
    else this.#tx.put(ref, { links: links.filter((link) => link.id !== id) })
    const count = further.count - 1
    this.#further = count === 0 && further.dropped === undefined ? undefined : { ...further, count }
    return taken
  }

  async #putPlaced(further: Further, link: PlacedLink): Promise<void> {
    const ref = mountLinksRef(this.#place, this.#entityId, further, link.accessor)
    const links = (await this.#tx.get(ref))?.links ?? NONE
    this.#tx.put(ref, { links: [...links, link].toSorted(byPlace) })
  }
}
