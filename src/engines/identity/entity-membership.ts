import { compareBytes } from '../../std/json.ts'
import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import type { Tx } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import type { ListResult } from '../../engine/result.ts'
import { listPages } from '../../engine/result.ts'
import { limits } from '../../limits.ts'
import type { EntityFinder } from './entity-read.ts'
import { membershipShown } from './group-member-list.ts'
import { childRef, memberRef } from './group-record.ts'
import { withAncestors } from './hierarchy.ts'
import type { pageFields } from './list-page.ts'
import { pageById } from './list-page.ts'
import { liveMemberships } from './membership-record.ts'
import { isListed, parentEnd } from './membership-end.ts'
import type { GroupRecord, MemberEdge } from './records.ts'

type ListCall = Call<InputOf<typeof pageFields>>

/** How an entity is in a group: the way that lasts longest, the shortest of those. */
interface Way {
  readonly group: GroupRecord
  /** The groups from the one that lists the entity to this one. */
  readonly path: readonly GroupRecord[]
  /** ms; Infinity: no end. */
  readonly until: number
}

/**
 * The groups that an entity is in at this time, inherited ones included, in the order of ids, as pages: at most 1,000 keys.
 * All of one instant. Throws a Refusal (404) with `missing` when there is no such entity.
 */
export const listMemberships = async (
  call: ListCall,
  find: EntityFinder,
  missing: string,
): Promise<ListResult> => {
  const page = pageById(call) ?? { after: undefined, limit: limits.pageKeys }
  const after = call.input.after
  const shown = await call.records.transact(async (tx) => {
    const entity = await find(tx)
    if (entity === undefined) throw new Refusal('missing', missing)
    const ways = await waysOf(tx, call, entity.id)
    const chosen = [...ways.values()]
      .filter(({ group }) => page.after === undefined || group.id > after)
      .sort((a, b) => compareBytes(a.group.id, b.group.id))
      .slice(0, page.limit + 1)
    const edges = await tx.unchecked.getMany<MemberEdge>(
      chosen.map(({ group, path }) => {
        const inside = path.at(-2)
        return inside === undefined
          ? memberRef(call.namespace.number, group.id, entity.id)
          : childRef(call.namespace.number, group.id, inside.id)
      }),
    )
    return chosen.map((way, index) => ({ way, edge: edges[index] }))
  })
  const keyInfo = Object.fromEntries(
    shown.map(({ way, edge }) => [way.group.id, wayShown(way, edge)]),
  )
  const keys = shown.map(({ way }) => way.group.id)
  return listPages(
    (async function* () {
      yield { keys, keyInfo }
    })(),
    page.limit,
  )
}

const waysOf = async (
  tx: Tx,
  { namespace: { number: namespace }, now }: ListCall,
  entityId: string,
): Promise<ReadonlyMap<string, Way>> => {
  const memberships = await liveMemberships(tx, namespace, entityId, now)
  const known = await withAncestors(
    tx,
    namespace,
    memberships.map(({ id }) => id),
    now,
  )
  const ways = new Map<string, Way>()
  let level: Way[] = []
  const reach = (way: Way): void => {
    const present = ways.get(way.group.id)
    if (present !== undefined && present.until >= way.until) return
    ways.set(way.group.id, way)
    level.push(way)
  }
  for (const membership of memberships) {
    const { id, until = Infinity } = membership
    const group = known.get(id)
    if (group !== undefined && isListed(membership, group)) reach({ group, path: [group], until })
  }
  while (level.length > 0) {
    const from = level
    level = []
    for (const { group, path, until } of from) {
      for (const id of group.parentGroupIds) {
        const parent = known.get(id)
        if (parent === undefined) continue
        const end = Math.min(until, parentEnd(group, id) ?? Infinity)
        reach({ group: parent, path: [...path, parent], until: end })
      }
    }
  }
  return ways
}

const wayShown = (
  { group, path, until }: Way,
  edge: MemberEdge | undefined,
): Readonly<Record<string, unknown>> => {
  const direct = path.length === 1
  const kind = direct ? 'entity' : 'group'
  const { expire_time, added_time, added_by, reason, source } = membershipShown(
    { edge: edge ?? { n: 1, seq: 0 }, group, kind, until },
    group.name,
  )
  return {
    name: group.name,
    type: group.type,
    direct,
    path: path.map(({ name }) => name),
    expire_time,
    ...(direct ? { added_time, added_by, reason, source } : {}),
  }
}
