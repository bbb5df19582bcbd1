import type { Reader } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { knownGroupRef } from './group-record.ts'
import { liveParents } from './membership-end.ts'
import type { GroupRecord } from './records.ts'

/**
 * The groups and everything above them at `now` (ms), by id; level by level, one batch of reads each. Parents that were deleted
 * are left out (they stay in the records: G4), and those that the group is in no more are not among its parents. Throws a
 * Refusal above 2,000 groups (architecture.md E9).
 */
export const withAncestors = async (
  reader: Reader,
  namespace: number,
  ids: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, GroupRecord>> => {
  const found = new Map<string, GroupRecord>()
  const asked = new Set<string>()
  let level = [...new Set(ids)]
  while (level.length > 0) {
    for (const id of level) asked.add(id)
    if (asked.size > limits.groupsPerEntity) {
      throw invalid(
        `too many groups: more than ${limits.groupsPerEntity} groups, inherited ones included, are involved`,
      )
    }
    const records = await reader.getMany(level.map((id) => knownGroupRef(namespace, id)))
    const above = new Set<string>()
    for (const record of records) {
      if (record === undefined) continue
      const parentGroupIds = liveParents(record, now)
      found.set(record.id, { ...record, parentGroupIds })
      for (const parent of parentGroupIds) if (!asked.has(parent)) above.add(parent)
    }
    level = [...above]
  }
  return found
}

/**
 * The order of identity.md 7.4: the direct groups as they are given, then what is above them, depth first, each once.
 */
export const inPolicyOrder = (
  direct: readonly string[],
  known: ReadonlyMap<string, GroupRecord>,
): readonly (GroupRecord & { readonly direct: boolean })[] => {
  const result: (GroupRecord & { readonly direct: boolean })[] = []
  const seen = new Set<string>()
  for (const id of direct) {
    const group = known.get(id)
    if (group === undefined || seen.has(id)) continue
    seen.add(id)
    result.push({ ...group, direct: true })
  }
  for (const id of direct) {
    // A stack, not recursion: a chain may be as deep as the limit of groups.
    const stack = [...(known.get(id)?.parentGroupIds ?? [])].reverse()
    while (stack.length > 0) {
      const next = stack.pop()!
      const group = known.get(next)
      if (group === undefined || seen.has(next)) continue
      seen.add(next)
      result.push({ ...group, direct: false })
      stack.push(...[...group.parentGroupIds].reverse())
    }
  }
  return result
}
