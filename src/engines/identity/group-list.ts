import type { Call } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { ListPage, ListResult } from '../../engine/result.ts'
import { listPages } from '../../engine/result.ts'
import { readCounts } from './group-counters.ts'
import { knownGroupAliasRef } from './group-record.ts'
import type { Page } from './list-page.ts'
import { placeOf, scanPage } from './list-page.ts'
import { liveParents } from './membership-end.ts'
import { mountFields } from './mount-lookup.ts'
import type { GroupRecord } from './records.ts'
import { groupAliases, groups } from './records.ts'

type ListCall = Pick<Call, 'namespace' | 'records' | 'now'>

/** Groups by id, in the order of ids, with what a list shows of each (identity.md 3.3). */
export const listGroups = (
  call: ListCall,
  mounts: MountDirectory,
  page: Page | undefined,
): ListResult => listPages(groupPages(call, mounts, page), page?.limit)

const groupPages = async function* (
  { records, namespace: { number: namespace }, now }: ListCall,
  mounts: MountDirectory,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  for await (const page of scanPage(records, groups.under(namespace), wanted)) {
    const shown = page.map(({ value }) => value)
    const counts = await readCounts(records, namespace, shown)
    const aliases = await records.undamaged.getMany(
      shown.flatMap(({ aliasId }) =>
        aliasId === undefined ? [] : [knownGroupAliasRef(namespace, aliasId)],
      ),
    )
    const aliasInfo = new Map<string, Readonly<Record<string, unknown>>>()
    for (const alias of aliases) {
      if (alias === undefined) continue
      aliasInfo.set(alias.id, {
        id: alias.id,
        name: alias.name,
        mount_accessor: alias.mountAccessor,
        ...(await mountFields(mounts, alias.mountAccessor)),
      })
    }
    const info = (group: GroupRecord, index: number): Readonly<Record<string, unknown>> => {
      const alias = group.aliasId === undefined ? undefined : aliasInfo.get(group.aliasId)
      return {
        name: group.name,
        num_member_entities: counts[index]!.members,
        num_parent_groups: liveParents(group, now).length,
        ...(alias === undefined ? {} : { alias }),
      }
    }
    yield {
      keys: shown.map(({ id }) => id),
      keyInfo: Object.fromEntries(shown.map((group, index) => [group.id, info(group, index)])),
    }
  }
}

/** Names of groups, in the order of their ids and without more about them, as recorded. */
export const listGroupNames = (call: ListCall, page: Page | undefined): ListResult =>
  listPages(namePages(call, page), page?.limit)

const namePages = async function* (
  { records, namespace }: ListCall,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  for await (const page of scanPage(records, groups.under(namespace.number), wanted)) {
    yield {
      keys: page.map(({ value }) => value.name),
      cursors: page.map(({ value }) => placeOf(value.id)),
    }
  }
}

/** Group aliases by id. */
export const listGroupAliases = (
  call: ListCall,
  mounts: MountDirectory,
  page: Page | undefined,
): ListResult => listPages(aliasPages(call, mounts, page), page?.limit)

const aliasPages = async function* (
  { records, namespace }: ListCall,
  mounts: MountDirectory,
  wanted: Page | undefined,
): AsyncIterable<ListPage> {
  for await (const page of scanPage(records, groupAliases.under(namespace.number), wanted)) {
    const keyInfo: Record<string, unknown> = {}
    for (const { value: alias } of page) {
      keyInfo[alias.id] = {
        name: alias.name,
        canonical_id: alias.canonicalId,
        mount_accessor: alias.mountAccessor,
        ...(await mountFields(mounts, alias.mountAccessor)),
        custom_metadata: alias.customMetadata,
        metadata: alias.metadata,
        local: alias.local,
      }
    }
    yield { keys: page.map(({ value }) => value.id), keyInfo }
  }
}
