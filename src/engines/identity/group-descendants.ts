import type { Call } from '../../engine/call.ts'
import { idText } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { groupKey, knownGroupRef } from './group-record.ts'
import { isLive } from './membership-end.ts'
import type { GroupRecord } from './records.ts'
import { groupChildren } from './records.ts'

/** A group inside another, at any depth. */
export interface Descendant {
  readonly group: GroupRecord
  /** ms: until then it is inside; Infinity: without end. Where several ways lead to it, the one that lasts longest counts. */
  readonly until: number
}

/**
 * The groups inside a group at `now` (ms), at any depth, without itself. Not of one instant: what changes while it is read may
 * or may not be seen. Throws a Refusal above 2,000.
 */
export const descendantsOf = async (
  { namespace, now, records }: Pick<Call, 'namespace' | 'now' | 'records'>,
  group: GroupRecord,
): Promise<readonly Descendant[]> => {
  const reached = new Map<string, number>([[group.id, Infinity]])
  const waiting = [group.id]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const outer = reached.get(id)!
    const range = groupChildren.under(namespace.number, groupKey(id))
    for await (const page of records.scan(range)) {
      for (const { tail, value } of page) {
        if (!isLive(value, now)) continue
        const child = idText(tail)
        const until = Math.min(outer, value.until ?? Infinity)
        if (until <= (reached.get(child) ?? 0)) continue
        reached.set(child, until)
        waiting.push(child)
      }
    }
    if (reached.size > limits.groupsPerEntity) {
      throw invalid(
        `more than ${limits.groupsPerEntity} groups are inside ${JSON.stringify(group.name)}`,
      )
    }
  }
  reached.delete(group.id)
  const ids = [...reached.keys()]
  const found = await records.getMany(ids.map((id) => knownGroupRef(namespace.number, id)))
  return found.flatMap((record) =>
    record === undefined ? [] : [{ group: record, until: reached.get(record.id)! }],
  )
}
