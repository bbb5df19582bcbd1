import type { MountDirectory } from '../../engine/identity-port.ts'
import type { ListPage, ListResult } from '../../engine/result.ts'
import { listPages } from '../../engine/result.ts'
import type { ReadCall } from './entity-record.ts'
import { aliasRef } from './entity-record.ts'
import type { Page } from './list-page.ts'
import { placeOf, scanPage } from './list-page.ts'
import { mountFields } from './mount-lookup.ts'
import type { AliasRecord } from './records.ts'
import { entities } from './records.ts'

/** Entities by id, in the order of ids, with name and aliases of each (identity.md 1.5). */
export const listEntities = (
  call: ReadCall,
  mounts: MountDirectory,
  page: Page | undefined,
): ListResult => listPages(entityPages(call, mounts, page), page?.limit)

const entityPages = async function* (
  { records, namespace }: ReadCall,
  mounts: MountDirectory,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  for await (const page of scanPage(records, entities.under(namespace.number), wanted)) {
    const links = page.flatMap(({ value }) => value.aliases)
    const found = await records.undamaged.getMany(
      links.map(({ id }) => aliasRef(namespace.number, id)),
    )
    const byId = new Map(found.flatMap((alias) => (alias === undefined ? [] : [[alias.id, alias]])))
    const keyInfo: Record<string, unknown> = {}
    for (const { value: entity } of page) {
      const aliases: unknown[] = []
      for (const { id } of entity.aliases) {
        const alias = byId.get(id)
        // Moved since the page was read: it is shown under its new entity or not at all.
        if (alias?.canonicalId === entity.id) aliases.push(await aliasInfo(mounts, alias))
      }
      keyInfo[entity.id] = { name: entity.name, ...(aliases.length > 0 ? { aliases } : {}) }
    }
    yield { keys: page.map(({ value }) => value.id), keyInfo }
  }
}

const aliasInfo = async (
  mounts: MountDirectory,
  alias: AliasRecord,
): Promise<Readonly<Record<string, unknown>>> => ({
  id: alias.id,
  name: alias.name,
  mount_accessor: alias.mountAccessor,
  ...(await mountFields(mounts, alias.mountAccessor)),
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
