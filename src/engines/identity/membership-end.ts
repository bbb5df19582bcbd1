import type { GroupRecord } from './records.ts'

/** A membership as a large write of the members may have marked it. */
interface Marked {
  readonly in?: string | undefined
  readonly out?: string | undefined
}

/** Whether a stored membership belongs to the group, whatever its end: by large writes that are in force, by no others. */
export const isListed = (edge: Marked, { ops }: Pick<GroupRecord, 'ops'>): boolean =>
  (edge.in === undefined || ops?.includes(edge.in) === true) &&
  (edge.out === undefined || ops?.includes(edge.out) !== true)

/** A membership without marks: what belongs to the group looks so once it has been written again. */
export const unmarked = <T extends Marked>(edge: T): T => {
  if (edge.in === undefined && edge.out === undefined) return edge
  const { in: _in, out: _out, ...plain } = edge
  return plain as T
}

/** Whether a stored membership counts at `now` (ms). */
export const isMember = (
  edge: Marked & Ending,
  group: Pick<GroupRecord, 'ops'>,
  now: number,
): boolean => isListed(edge, group) && isLive(edge, now)

/** What ends, or does not. */
interface Ending {
  readonly until?: number | undefined
}

/** Whether a membership counts at `now` (ms): before its end, at the end no more. */
export const isLive = ({ until }: Ending, now: number): boolean =>
  until === undefined || now < until

/** The end that comes first among memberships that count; undefined when none ends. */
export const firstEnd = (endings: readonly Ending[]): number | undefined => {
  let first: number | undefined
  for (const { until } of endings) {
    if (until !== undefined && (first === undefined || until < first)) first = until
  }
  return first
}

/** The end of two memberships that became one: the later, none when one of them has none. */
export const laterEnd = (a: Ending, b: Ending): number | undefined =>
  a.until === undefined || b.until === undefined ? undefined : Math.max(a.until, b.until)

/** When a group's being inside a parent ends; undefined when it does not. */
export const parentEnd = ({ parentEnds }: GroupRecord, parentId: string): number | undefined =>
  parentEnds !== undefined && Object.hasOwn(parentEnds, parentId) ? parentEnds[parentId] : undefined

/** The parents that a group is in at `now`, in their order; deleted ones are among them (G4). */
export const liveParents = (group: GroupRecord, now: number): readonly string[] =>
  group.parentEnds === undefined
    ? group.parentGroupIds
    : group.parentGroupIds.filter((id) => isLive({ until: parentEnd(group, id) }, now))

/** The ends of a group's places in parents, after one of them got another (undefined: none). */
export const parentEndsWith = (
  group: GroupRecord,
  parentId: string,
  until: number | undefined,
): GroupRecord['parentEnds'] => {
  const others = Object.entries(group.parentEnds ?? {}).filter(([id]) => id !== parentId)
  if (until !== undefined) others.push([parentId, until])
  return others.length === 0 ? undefined : Object.fromEntries(others)
}
