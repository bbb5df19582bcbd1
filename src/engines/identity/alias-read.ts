import type { MountDirectory } from '../../engine/identity-port.ts'
import type { ListPage, ListResult, Result } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import type { LiveAlias } from './alias-find.ts'
import { confirmAliases, findAlias } from './alias-find.ts'
import { aliasFields } from './entity-read.ts'
import type { ReadCall } from './entity-record.ts'
import type { Page } from './list-page.ts'
import { scanPage } from './list-page.ts'
import type { Metadata } from './metadata.ts'
import { mountFields } from './mount-lookup.ts'
import { aliases } from './records.ts'

/**
 * Empty custom metadata reads `{}` after the write that emptied it and null once another write has copied the alias with its
 * entity (see `AliasRecord.emptyAt`).
 */
export const shownCustomMetadata = ({ alias, owner }: LiveAlias): Metadata | null =>
  alias.emptyAt === undefined || owner.aliasRevision <= alias.emptyAt ? alias.customMetadata : null

/** The answer of an alias read (identity.md 2.1); undefined when there is none. */
export const readAlias = async (
  call: ReadCall,
  mounts: MountDirectory,
  id: string,
): Promise<Result> => {
  const { records, namespace } = call
  const found = await records.transact((tx) => findAlias(tx, call, id))
  if (found === undefined) return undefined
  const mount = await mounts.byAccessor(found.alias.mountAccessor)
  return data({
    ...aliasFields(found.alias, mount, shownCustomMetadata(found)),
    namespace_id: namespace.id,
  })
}

/** Aliases by id, in the order of ids, with what a list shows of each (identity.md 2.3). */
export const listAliases = (
  call: ReadCall,
  mounts: MountDirectory,
  page: Page | undefined,
): ListResult => listPages(aliasPages(call, mounts, page), page?.limit)

const aliasPages = async function* (
  call: ReadCall,
  mounts: MountDirectory,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  const { records, namespace } = call
  for await (const page of scanPage(records, aliases.under(namespace.number), wanted)) {
    const live = await confirmAliases(
      records.undamaged,
      call,
      page.map(({ value }) => value),
    )
    const keyInfo: Record<string, unknown> = {}
    for (const found of live) {
      const { alias } = found
      keyInfo[alias.id] = {
        name: alias.name,
        canonical_id: alias.canonicalId,
        mount_accessor: alias.mountAccessor,
        ...(await mountFields(mounts, alias.mountAccessor)),
        custom_metadata: shownCustomMetadata(found),
        metadata: alias.metadata,
        local: alias.local,
      }
    }
    yield { keys: live.map(({ alias }) => alias.id), keyInfo }
  }
}
