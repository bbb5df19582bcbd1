import type { Names, Ref, Tx } from '../../engine/records.ts'
import type { Hint } from '../../engine/refusal.ts'
import { countLoginWrite } from './group-counters.ts'
import { groupAliasNameRef, knownGroupAliasRef, knownGroupRef, memberRef } from './group-record.ts'
import type { Membership } from './membership-record.ts'
import { directMemberships, putMemberships } from './membership-record.ts'
import type { GroupRecord } from './records.ts'

/** A login or renewal as its external groups see it. */
export interface ExternalRefresh {
  readonly namespace: number
  readonly names: Names
  readonly entityId: string
  /** The mount of the login; undefined for a token without one (a child token): then nothing is added or removed. */
  readonly accessor: string | undefined
  /** Group names as the method answered them. */
  readonly claimed: readonly string[]
  /** The store's time in ms: the place of new memberships in the order of joining. */
  readonly now: number
}

/**
 * Reads that may be many, and are no checks: a directory can claim a thousand groups of which three have an alias here, and groups
 * change with each of their members. A name that gets its alias meanwhile counts from the next login on, which is the same as if
 * this login had come first; whatever is written rests on checked reads of its own.
 */
const look = <T>(tx: Tx, refs: readonly Ref<T>[]): Promise<(T | undefined)[]> =>
  tx.unchecked.getMany(refs)

/**
 * Makes the entity a member of the external groups whose alias on the login's mount was claimed, and of no others of that
 * mount; groups that lost their alias lose it too (identity.md 7.3). Writes only what changes. `matched` are the claimed
 * names that have a group, as they were claimed.
 */
export const refreshExternalGroups = async (
  tx: Tx,
  refresh: ExternalRefresh,
): Promise<{ readonly matched: readonly string[]; readonly hints: readonly Hint[] }> => {
  const { namespace, names, entityId, accessor, claimed } = refresh
  if (accessor === undefined) return { matched: [], hints: [] }

  const wanted = [...new Set(claimed)]
  const nameRefs = wanted.map((name) => groupAliasNameRef(names, namespace, accessor, name))
  const owners = await look(tx, nameRefs)
  const matchedAt = wanted.flatMap((_, index) => (owners[index] === undefined ? [] : [index]))
  // What a join rests on is checked, also when the first look was not.
  const checked = await tx.getMany(matchedAt.map((index) => nameRefs[index]!))
  const targetIds = [...new Set(checked.flatMap((owner) => (owner ? [owner.groupId] : [])))]
  const targets = (await tx.getMany(targetIds.map((id) => knownGroupRef(namespace, id)))).flatMap(
    (group) => (group?.type === 'external' ? [group] : []),
  )
  const matched = matchedAt.filter((_, at) => checked[at] !== undefined).map((at) => wanted[at]!)

  const present = await directMemberships(tx, namespace, entityId)
  const aimed = new Set(targets.map(({ id }) => id))
  const leaving = await groupsToLeave(tx, refresh, accessor, present, aimed)

  const left = new Set(leaving.map(({ group }) => group.id))
  const groups = present.filter(({ id }) => !left.has(id))
  for (const { group, n } of leaving) {
    tx.delete(memberRef(namespace, group.id, entityId))
    await countLoginWrite(tx, namespace, group, entityId, { writes: 1, members: -n })
  }
  const joined = new Set(present.map(({ id }) => id))
  for (const group of targets) {
    if (joined.has(group.id)) continue
    groups.push({ id: group.id, n: 1, seq: refresh.now })
    tx.put(memberRef(namespace, group.id, entityId), { n: 1, seq: refresh.now })
    await countLoginWrite(tx, namespace, group, entityId, { writes: 1, members: 1 })
  }
  if (left.size > 0 || groups.length !== present.length) {
    putMemberships(tx, namespace, entityId, groups)
  }
  return { matched, hints: unmatchedHint(wanted, matched) }
}

/** The external groups that list the entity, were not claimed, and belong to the login's mount or to none any more. */
const groupsToLeave = async (
  tx: Tx,
  { namespace }: ExternalRefresh,
  accessor: string,
  present: readonly Membership[],
  aimed: ReadonlySet<string>,
): Promise<readonly { readonly group: GroupRecord; readonly n: number }[]> => {
  const others = present.filter(({ id }) => !aimed.has(id))
  if (others.length === 0) return []
  const records = await look(
    tx,
    others.map(({ id }) => knownGroupRef(namespace, id)),
  )
  const candidates = others.flatMap(({ n }, index) => {
    const group = records[index]
    return group?.type === 'external' ? [{ group, n }] : []
  })
  const aliasRefs = candidates.flatMap(({ group }) =>
    group.aliasId === undefined ? [] : [knownGroupAliasRef(namespace, group.aliasId)],
  )
  const accessors = new Map(
    (await look(tx, aliasRefs)).flatMap((alias) =>
      alias === undefined ? [] : [[alias.id, alias.mountAccessor] as const],
    ),
  )
  const leaving = candidates.filter(({ group }) => {
    const of = group.aliasId === undefined ? undefined : accessors.get(group.aliasId)
    return of === undefined || of === accessor
  })
  // Rests on the group as it is in the commit, also when the first look was not checked.
  const groups = await tx.getMany(leaving.map(({ group }) => knownGroupRef(namespace, group.id)))
  return leaving.flatMap(({ n, group: seen }, index) => {
    const group = groups[index]
    return group === undefined || group.aliasId !== seen.aliasId ? [] : [{ group, n }]
  })
}

const unmatchedHint = (wanted: readonly string[], matched: readonly string[]): readonly Hint[] => {
  if (matched.length > 0 || wanted.length === 0) return []
  const shown = wanted.slice(0, 5).map((name) => JSON.stringify(name))
  const more = wanted.length > shown.length ? ` and ${wanted.length - shown.length} more` : ''
  return [
    {
      code: 'no-group-alias',
      text:
        `the login claims the groups ${shown.join(', ')}${more}, but no external group has an alias of such a name on this ` +
        'mount (identity/group-alias)',
    },
  ]
}
