import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { RecordRange } from '../../engine/records.ts'
import { idBytes, idText } from '../../engine/records.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import type { ListPage, ListResult, Result } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import { limits } from '../../limits.ts'
import { entityNameRef, entityRef } from './entity-record.ts'
import { descendantsOf } from './group-descendants.ts'
import type { GroupNamed } from './group-member-find.ts'
import { groupNamed } from './group-member-find.ts'
import { childRef, groupKey, groupNameRef, knownGroupRef, memberRef } from './group-record.ts'
import type { Page } from './list-page.ts'
import { pageById, pageFields } from './list-page.ts'
import type { MemberKind } from './membership-due.ts'
import { isMember } from './membership-end.ts'
import { mergeSorted } from './merge-sorted.ts'
import type { GroupRecord, MemberEdge } from './records.ts'
import { groupChildren, groupMembers } from './records.ts'
import { writtenTime } from './written-time.ts'

/** The parameters of a list of members. */
export const memberListFields = {
  ...pageFields,
  type: field.string({ default: '', description: 'Only entity, or only group' }),
  expiring_within: field.duration({
    description: 'Only memberships that end before so much time has passed',
  }),
  include: field.string({
    default: '',
    description: 'inherited: also the members of the groups inside the group, at any depth',
  }),
}

type ListCall = Call<InputOf<typeof memberListFields>>

/** A membership as it stands in the order of the list. */
interface Entry {
  readonly id: string
  readonly kind: MemberKind
  readonly edge: MemberEdge
  /** The group that lists the member. */
  readonly group: GroupRecord
  /** ms; Infinity: no end. For inherited ones, what ends first on the way. */
  readonly until: number
}

/** Entries with the same id, or groups of `size`, are read together. */
const CHUNK = 128

/**
 * The members of a group at this time, entities and groups, in the order of ids, as pages: at most 1,000 keys. Throws Refusals
 * for a group that does not exist and for bad parameters.
 */
export const listMembers = async (call: ListCall, wanted: GroupNamed): Promise<ListResult> => {
  const { include, type } = call.input
  if (!['', 'entity', 'group'].includes(type)) throw invalid('type must be entity or group')
  if (!['', 'inherited'].includes(include)) throw invalid('include must be inherited')
  const page = pageById(call) ?? { after: undefined, limit: limits.pageKeys }
  const group = await call.records.transact((tx) => groupNamed(tx, call, wanted))
  const inside = include === 'inherited' ? await descendantsOf(call, group) : []
  const lists = [{ group, until: Infinity }, ...inside].flatMap((source) => [
    ...(type === 'group' ? [] : [entriesOf(call, page, 'entity', source, inside.length)]),
    ...(type === 'entity' ? [] : [entriesOf(call, page, 'group', source, inside.length)]),
  ])
  return listPages(
    memberPages(
      call,
      group,
      mergeSorted(lists, ({ id }) => id),
    ),
    page.limit,
  )
}

const entriesOf = async function* (
  { namespace, now, records }: ListCall,
  page: Page,
  kind: MemberKind,
  { group, until }: { readonly group: GroupRecord; readonly until: number },
  others: number,
): AsyncGenerator<Entry> {
  const kinds = kind === 'entity' ? groupMembers : groupChildren
  const range: RecordRange<MemberEdge> = kinds.under(namespace.number, groupKey(group.id))
  // Of many lists each gives a few: what is read of the others is not used.
  const pageSize = others > 8 ? 16 : Math.min(page.limit + 1, limits.listPageEntries)
  const start = page.after === undefined ? {} : { after: page.after }
  for await (const part of records.scan(range, { ...start, pageSize })) {
    for (const { tail, value: edge } of part) {
      if (!isMember(edge, group, now)) continue
      yield { id: idText(tail), kind, edge, group, until: Math.min(until, edge.until ?? Infinity) }
    }
  }
}

const memberPages = async function* (
  call: ListCall,
  group: GroupRecord,
  entries: AsyncIterable<Entry>,
): AsyncGenerator<ListPage> {
  const latest =
    call.input.expiring_within === undefined
      ? Infinity
      : call.now + call.input.expiring_within * 1000
  const limited = latest < Infinity
  for await (const members of chunksById(entries)) {
    const chosen = members.filter((ways) => !limited || shownWay(ways, group).until <= latest)
    const names = await namesOf(
      call,
      chosen.map(([first]) => first!),
    )
    const keys: string[] = []
    const keyInfo: Record<string, unknown> = {}
    for (const [index, ways] of chosen.entries()) {
      const name = names[index]
      if (name === undefined) continue
      const way = shownWay(ways, group)
      keys.push(way.id)
      keyInfo[way.id] = {
        ...membershipShown(way, name),
        ...(call.input.include === 'inherited' ? inheritance(ways, group) : {}),
      }
    }
    yield { keys, keyInfo }
  }
}

/** All that was found of each member, members in their order. */
const chunksById = async function* (entries: AsyncIterable<Entry>): AsyncGenerator<Entry[][]> {
  let chunk: Entry[][] = []
  for await (const entry of entries) {
    const last = chunk.at(-1)
    if (last?.[0]?.id === entry.id) {
      last.push(entry)
      continue
    }
    if (chunk.length === CHUNK) {
      yield chunk
      chunk = []
    }
    chunk.push([entry])
  }
  if (chunk.length > 0) yield chunk
}

/** The member's own membership, else the one that lasts longest. */
const shownWay = (ways: readonly Entry[], group: GroupRecord): Entry =>
  ways.find((way) => way.group.id === group.id) ??
  ways.reduce((best, way) => (way.until > best.until ? way : best))

const inheritance = (
  ways: readonly Entry[],
  group: GroupRecord,
): Readonly<Record<string, unknown>> => {
  const through = ways.filter((way) => way.group.id !== group.id).map((way) => way.group.name)
  return { inherited: ways.length === through.length, through }
}

const namesOf = async (
  { namespace: { number: namespace }, records }: ListCall,
  entries: readonly Entry[],
): Promise<readonly (string | undefined)[]> => {
  const found = await records.undamaged.getMany<{ readonly name: string }>(
    entries.map(({ kind, id }) =>
      kind === 'entity' ? entityRef(namespace, id) : knownGroupRef(namespace, id),
    ),
  )
  return found.map((record) => record?.name)
}

/** What is told of a membership. External groups know who joined when, and that it was by a login. */
export const membershipShown = (
  { edge, group, kind, until }: Omit<Entry, 'id'>,
  name: string,
): Readonly<Record<string, unknown>> => {
  const byLogin = group.type === 'external' && kind === 'entity' && edge.source === undefined
  const addedAt = byLogin ? edge.seq : edge.addedAt
  return {
    type: kind,
    name,
    expire_time: until === Infinity ? null : writtenTime(until),
    added_time: addedAt === undefined ? null : writtenTime(addedAt),
    added_by: edge.addedBy ?? null,
    reason: edge.reason ?? '',
    source: byLogin ? 'login' : (edge.source ?? 'list'),
  }
}

/** One member of a group, by its id or name; undefined when it is not in it at this time. */
export const readMember = async (
  call: Pick<Call, 'names' | 'namespace' | 'records' | 'now'>,
  wanted: GroupNamed,
  member: string,
): Promise<Result> => {
  const {
    names,
    namespace: { number: namespace },
    now,
    records,
  } = call
  return records.transact(async (tx) => {
    const group = await groupNamed(tx, call, wanted)
    for (const kind of ['entity', 'group'] as const) {
      const nameRef = kind === 'entity' ? entityNameRef : groupNameRef
      const owner = await tx.get(nameRef(names, namespace, member))
      const ids = [...new Set([member, owner?.id ?? member])].filter(
        (id) => idBytes(id) !== undefined,
      )
      for (const id of ids) {
        const [record, edge] = await tx.getMany<{ readonly name: string } | MemberEdge>([
          kind === 'entity' ? entityRef(namespace, id) : knownGroupRef(namespace, id),
          kind === 'entity'
            ? memberRef(namespace, group.id, id)
            : childRef(namespace, group.id, id),
        ])
        if (record === undefined || edge === undefined || !isMember(edge as MemberEdge, group, now))
          continue
        const { name } = record as { readonly name: string }
        const until = (edge as MemberEdge).until ?? Infinity
        return data({
          group_id: group.id,
          group_name: group.name,
          id,
          ...membershipShown({ edge: edge as MemberEdge, group, kind, until }, name),
        })
      }
    }
    return undefined
  })
}

/** A refusal of a read that names no member. */
export const noMemberNamed = (): Refusal =>
  new Refusal('unsupported', 'unsupported operation: to see one member, put it behind the group', {
    wrap: true,
  })
