import { compareBytes } from '../../../std/json.ts'
import type { Line, LineType } from './line.ts'
import { LINE_ORDER } from './line.ts'
import type { NumberedLine } from './read-lines.ts'

/** A line that can be taken in. */
export interface ReadyLine {
  readonly number: number
  readonly bytes: number
  readonly line: Line
}

const rank = new Map<LineType, number>(LINE_ORDER.map((type, index) => [type, index]))

/**
 * What a line is about, as its key in the store goes: neighbours there are taken in together, which spares most of the writing
 * of random keys; members of one group share the writes of the group.
 */
const placeOf = (line: Line): string => {
  switch (line.type) {
    case 'group':
    case 'entity':
      return line.id ?? `~${line.name}`
    case 'entity-alias':
      // Those of one entity stay in the order of the lines: it lists them so.
      return line.canonical_id ?? `~${line.entity_name}`
    case 'group-alias':
      return line.canonical_id ?? `~${line.group_name}`
    case 'membership':
      return `${line.group_id ?? `~${line.group_name}`} ${line.entity_id ?? line.entity_name ?? ''}`
  }
}

/** The lines of a portion in the order in which they are taken in. */
export const inOrder = (lines: readonly NumberedLine[]): readonly ReadyLine[] =>
  lines
    .flatMap(({ number, bytes, line }) =>
      line === undefined ? [] : [{ number, bytes, line, place: placeOf(line) }],
    )
    .sort(
      (a, b) =>
        rank.get(a.line.type)! - rank.get(b.line.type)! ||
        compareBytes(a.place, b.place) ||
        a.number - b.number,
    )

/** About as many records as one line puts, behind another of the same group. */
const writesOf = (line: Line, before: Line | undefined): number => {
  switch (line.type) {
    case 'group':
      return 3
    case 'entity':
      return 4 + (line.merged_entity_ids?.length ?? 0)
    case 'entity-alias':
      return 4
    case 'group-alias':
      return 3
    case 'membership': {
      const isFirst =
        before?.type !== 'membership' ||
        before.group_id !== line.group_id ||
        before.group_name !== line.group_name
      return 3 + (line.expire_time ? 1 : 0) + (isFirst ? 2 : 0)
    }
  }
}

/** Of the 200 that a commit may put; the record of the portion is one of them. */
const COMMIT_WRITES = 190
/** Of the 1 MiB, as lines: their records are longer, and an alias writes its entity again. */
const COMMIT_LINE_BYTES = 200_000

/**
 * Cuts lines into groups of one commit each, by what each may put. It can still be too much (an alias writes its entity, however
 * large): then the group is halved.
 */
export const commitGroups = (lines: readonly ReadyLine[]): readonly (readonly ReadyLine[])[] => {
  const groups: ReadyLine[][] = []
  let writes = Infinity
  let bytes = 0
  for (const [index, line] of lines.entries()) {
    const more = writesOf(line.line, lines[index - 1]?.line)
    if (writes + more > COMMIT_WRITES || bytes + line.bytes > COMMIT_LINE_BYTES) {
      groups.push([])
      writes = 0
      bytes = 0
    }
    groups[groups.length - 1]!.push(line)
    writes += more
    bytes += line.bytes
  }
  return groups
}
