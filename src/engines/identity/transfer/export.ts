import { createHash } from 'node:crypto'
import type { Call } from '../../../engine/call.ts'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import type { Scanned } from '../../../engine/records.ts'
import { idText } from '../../../engine/records.ts'
import type { StreamResult } from '../../../engine/result.ts'
import { limits } from '../../../limits.ts'
import { shownCustomMetadata } from '../alias-read.ts'
import { everyLiveLink } from '../alias-links.ts'
import { activityRef, aliasRef, entityRef, findEntity, liveLinks } from '../entity-record.ts'
import { knownGroupRef, membershipsRef } from '../group-record.ts'
import { isLive, isMember } from '../membership-end.ts'
import { mountFields } from '../mount-lookup.ts'
import type { AliasLink, EntityRecord, GroupRecord, MemberEdge } from '../records.ts'
import { entities, groupAliases, groupChildren, groupMembers, groups } from '../records.ts'
import { writtenTime } from '../written-time.ts'
import type { LineType } from './line.ts'
import { nextTurn } from '../../../std/next-turn.ts'

/** What an export uses of its request. */
export type ExportCall = Pick<Call, 'names' | 'namespace' | 'now' | 'records'>

/** The media type of lines. */
export const NDJSON = 'application/x-ndjson'

type Shown = Readonly<Record<string, unknown>> & { readonly type: LineType }

/**
 * All groups, entities, their aliases and memberships as lines, in the order in which an import takes them. Each page is of one
 * instant, all of it is not: what is written meanwhile may be in it or not, and a line may name what a page before did not have.
 */
export const exportLines = (call: ExportCall, mounts: MountDirectory): StreamResult => {
  const counts: Record<string, number> = {}
  const hash = createHash('sha256')
  let lines = 0
  let digest = ''
  const body = async function* (): AsyncIterable<Uint8Array> {
    for await (const page of pages(call, mounts)) {
      if (page.length === 0) continue
      for (const { type } of page) counts[type] = (counts[type] ?? 0) + 1
      lines += page.length
      const bytes = Buffer.from(page.map((line) => `${JSON.stringify(line)}\n`).join(''))
      hash.update(bytes)
      yield bytes
      // A client that takes all at once must not keep others from their turn.
      await nextTurn()
    }
    digest = `sha256:${hash.digest('hex')}`
  }
  return {
    kind: 'stream',
    contentType: NDJSON,
    body: body(),
    summary: () => ({ lines, ...counts, digest }),
  }
}

const pages = async function* (
  call: ExportCall,
  mounts: MountDirectory,
): AsyncIterable<readonly Shown[]> {
  yield* groupLines(call)
  yield* entityLines(call)
  yield* entityAliasLines(call, mounts)
  yield* groupAliasLines(call, mounts)
  yield* childLines(call)
  yield* memberLines(call)
}

const groupLines = async function* ({
  records,
  namespace: { number },
}: ExportCall): AsyncIterable<readonly Shown[]> {
  for await (const page of records.scan(groups.under(number))) {
    yield page.map(({ value: group }) => ({
      type: 'group',
      id: group.id,
      name: group.name,
      group_type: group.type,
      policies: group.policies,
      metadata: group.metadata,
      creation_time: group.creationTime,
      last_update_time: group.lastUpdateTime,
    }))
  }
}

const entityLines = async function* ({
  records,
  namespace: { number },
}: ExportCall): AsyncIterable<readonly Shown[]> {
  for await (const page of records.scan(entities.under(number))) {
    yield page.map(({ value: entity }) => ({
      type: 'entity',
      id: entity.id,
      name: entity.name,
      policies: entity.policies,
      metadata: entity.metadata,
      disabled: entity.disabled,
      ...(entity.mergedEntityIds.length === 0 ? {} : { merged_entity_ids: entity.mergedEntityIds }),
      creation_time: entity.creationTime,
      last_update_time: entity.lastUpdateTime,
    }))
  }
}

/** Where an alias is; of a mount that is gone only its accessor is known. */
const mountShown = async (
  mounts: MountDirectory,
  accessor: string,
): Promise<Readonly<Record<string, unknown>>> => ({
  ...(await mountFields(mounts, accessor)),
  mount_accessor: accessor,
})

/** An entity as it is now, with links that are records of their own. */
const withFurther = async (
  call: ExportCall,
  { id }: EntityRecord,
): Promise<readonly (readonly [AliasLink, EntityRecord])[]> =>
  call.records.transact(async (tx) => {
    const owner = await findEntity(tx, call.namespace.number, id)
    if (owner === undefined) return []
    return (await everyLiveLink(tx, call, owner)).map((link) => [link, owner] as const)
  })

/** By entity, in the order in which its aliases came: that is how an import lists them again. */
const entityAliasLines = async function* (
  call: ExportCall,
  mounts: MountDirectory,
): AsyncIterable<readonly Shown[]> {
  const {
    records,
    namespace: { number },
  } = call
  for await (const page of records.scan(entities.under(number))) {
    const links: { readonly id: string; readonly owner: EntityRecord }[] = []
    for (const { value } of page) {
      if (value.further === undefined) {
        for (const { id } of liveLinks(value)) links.push({ id, owner: value })
      } else {
        for (const [{ id }, owner] of await withFurther(call, value)) links.push({ id, owner })
      }
    }
    for (let at = 0; at < links.length; at += limits.listPageEntries) {
      const part = links.slice(at, at + limits.listPageEntries)
      const found = await records.getMany(part.map(({ id }) => aliasRef(number, id)))
      const activity = await records.getMany(part.map(({ id }) => activityRef(number, id)))
      const lines: Shown[] = []
      for (const [index, { owner }] of part.entries()) {
        const alias = found[index]
        // Moved or deleted since the page was read.
        if (alias?.canonicalId !== owner.id) continue
        const last = activity[index]
        lines.push({
          type: 'entity-alias',
          id: alias.id,
          name: alias.name,
          ...(await mountShown(mounts, alias.mountAccessor)),
          canonical_id: owner.id,
          entity_name: owner.name,
          metadata: alias.metadata,
          custom_metadata: shownCustomMetadata({ alias, owner }),
          ...(alias.mergedFromCanonicalIds === null
            ? {}
            : { merged_from_canonical_ids: alias.mergedFromCanonicalIds }),
          ...(last === undefined
            ? {}
            : { last_login_day: last.lastLoginDay, claimed_groups: last.claimedGroups }),
          creation_time: alias.creationTime,
          last_update_time: alias.lastUpdateTime,
        })
      }
      yield lines
    }
  }
}

const groupAliasLines = async function* (
  { records, namespace: { number } }: ExportCall,
  mounts: MountDirectory,
): AsyncIterable<readonly Shown[]> {
  for await (const page of records.scan(groupAliases.under(number))) {
    const owners = await records.getMany(
      page.map(({ value }) => knownGroupRef(number, value.canonicalId)),
    )
    const lines: Shown[] = []
    for (const [index, { value: alias }] of page.entries()) {
      const owner = owners[index]
      if (owner?.aliasId !== alias.id) continue
      lines.push({
        type: 'group-alias',
        id: alias.id,
        name: alias.name,
        ...(await mountShown(mounts, alias.mountAccessor)),
        canonical_id: owner.id,
        group_name: owner.name,
        creation_time: alias.creationTime,
        last_update_time: alias.lastUpdateTime,
      })
    }
    yield lines
  }
}

const ID_BYTES = 16

const endsOf = ({ tail }: Scanned<MemberEdge>): readonly [group: string, member: string] => [
  idText(tail.subarray(0, ID_BYTES)),
  idText(tail.subarray(ID_BYTES)),
]

const edgeShown = (edge: MemberEdge): Readonly<Record<string, unknown>> => ({
  ...(edge.until === undefined ? {} : { expire_time: writtenTime(edge.until) }),
  ...(edge.reason === undefined ? {} : { reason: edge.reason }),
  ...(edge.addedAt === undefined ? {} : { added_time: writtenTime(edge.addedAt) }),
  ...(edge.addedBy ? { added_by: edge.addedBy } : {}),
  ...(edge.source === undefined ? {} : { source: edge.source }),
  ...(edge.n === 1 ? {} : { times: edge.n }),
  position: edge.seq,
})

/** The groups of a page's edges by id; those that were deleted are not among them. */
const groupsOfPage = async (
  { records, namespace: { number } }: ExportCall,
  ids: readonly string[],
): Promise<ReadonlyMap<string, GroupRecord>> => {
  const found = await records.getMany([...new Set(ids)].map((id) => knownGroupRef(number, id)))
  return new Map(found.flatMap((group) => (group === undefined ? [] : [[group.id, group]])))
}

const childLines = async function* (call: ExportCall): AsyncIterable<readonly Shown[]> {
  const { records, namespace, now } = call
  for await (const page of records.scan(groupChildren.under(namespace.number))) {
    const live = page.filter(({ value }) => isLive(value, now))
    const found = await groupsOfPage(call, live.flatMap(endsOf))
    yield live.flatMap((edge): Shown[] => {
      const [parent, child] = endsOf(edge).map((id) => found.get(id))
      if (parent === undefined || child === undefined) return []
      return [
        {
          type: 'membership',
          group_id: parent.id,
          group_name: parent.name,
          member_group_id: child.id,
          member_group_name: child.name,
          ...edgeShown(edge.value),
        },
      ]
    })
  }
}

const memberLines = async function* (call: ExportCall): AsyncIterable<readonly Shown[]> {
  const {
    records,
    namespace: { number },
    now,
  } = call
  for await (const page of records.scan(groupMembers.under(number))) {
    const ends = page.map(endsOf)
    const found = await groupsOfPage(
      call,
      ends.map(([group]) => group),
    )
    const people = await records.getMany(ends.map(([, entity]) => entityRef(number, entity)))
    const places = await records.getMany(ends.map(([, entity]) => membershipsRef(number, entity)))
    yield page.flatMap(({ value }, index): Shown[] => {
      const group = found.get(ends[index]![0])
      const person = people[index]
      if (group === undefined || person === undefined || !isMember(value, group, now)) return []
      const joined = places[index]?.groups.find(({ id }) => id === group.id)
      return [
        {
          type: 'membership',
          group_id: group.id,
          group_name: group.name,
          entity_id: person.id,
          entity_name: person.name,
          ...edgeShown(value),
          ...(joined === undefined ? {} : { joined: joined.seq }),
        },
      ]
    })
  }
}
