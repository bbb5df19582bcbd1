import type { Mount } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { ListPage, ListResult } from '../../engine/result.ts'
import { listPages } from '../../engine/result.ts'
import { Breather } from '../../std/breather.ts'
import { aliasRecords, linksNow } from './alias-read-many.ts'
import type { ReadCall } from './entity-record.ts'
import type { Page } from './list-page.ts'
import { placeOf, scanPage } from './list-page.ts'
import { fieldsOfMount, mountsOf } from './mount-lookup.ts'
import type { AliasLink, EntityRecord } from './records.ts'
import { entities } from './records.ts'

/** Entities by id, in the order of ids, with name and aliases of each (identity.md 1.5). */
export const listEntities = (
  call: ReadCall,
  mounts: MountDirectory,
  page: Page | undefined,
): ListResult => listPages(entityPages(call, mounts, page), page?.limit)

const entityPages = async function* (
  call: ReadCall,
  mounts: MountDirectory,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  const { records, namespace } = call
  for await (const page of scanPage(records, entities.under(namespace.number), wanted)) {
    const linksOf = new Map<EntityRecord, readonly AliasLink[]>()
    for (const { value } of page) {
      linksOf.set(value, value.further === undefined ? value.aliases : await linksNow(call, value))
    }
    const links = [...linksOf.values()].flat()
    const named = await namesOf(call, links)
    const mountOf = await mountsOf(mounts, [...new Set(links.map(({ accessor }) => accessor))])
    const keyInfo: Record<string, unknown> = {}
    const breather = new Breather()
    for (const [entity, own] of linksOf) {
      const aliases: unknown[] = []
      for (const link of own) {
        const name = link.name ?? named(link, entity)
        if (name !== undefined) aliases.push(aliasInfo(link, name, mountOf.get(link.accessor)))
        await breather.due()
      }
      keyInfo[entity.id] = { name: entity.name, ...(aliases.length > 0 ? { aliases } : {}) }
    }
    yield { keys: page.map(({ value }) => value.id), keyInfo }
  }
}

/** The names of aliases whose links, which an older version wrote, do not tell them. */
const namesOf = async (
  { records, namespace }: ReadCall,
  links: readonly AliasLink[],
): Promise<(link: AliasLink, owner: EntityRecord) => string | undefined> => {
  const nameless = links.filter(({ name }) => name === undefined)
  const found = await aliasRecords(records, namespace.number, nameless)
  const byId = new Map(found.flatMap((alias) => (alias === undefined ? [] : [[alias.id, alias]])))
  return ({ id, accessor }, owner) => {
    const alias = byId.get(id)
    // Moved since the page was read: it is shown under its new entity or not at all.
    const same = alias?.canonicalId === owner.id && alias.mountAccessor === accessor
    return same ? alias.name : undefined
  }
}

const aliasInfo = (
  { id, accessor }: AliasLink,
  name: string,
  mount: Mount | undefined,
): Readonly<Record<string, unknown>> => ({
  id,
  name,
  mount_accessor: accessor,
  ...fieldsOfMount(mount),
})

/** Names of entities, in the order of their ids and without more about them, as recorded. */
export const listEntityNames = (call: ReadCall, page: Page | undefined): ListResult =>
  listPages(namePages(call, page), page?.limit)

const namePages = async function* (
  { records, namespace }: ReadCall,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  for await (const page of scanPage(records, entities.under(namespace.number), wanted)) {
    yield {
      keys: page.map(({ value }) => value.name),
      cursors: page.map(({ value }) => placeOf(value.id)),
    }
  }
}
