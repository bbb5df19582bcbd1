import { createHash } from 'node:crypto'
import type { Records, Ref } from '../../../engine/records.ts'
import { recordKind } from '../../../engine/records.ts'
import type { LineResult } from './outcome.ts'

/**
 * `ic/<ns><hash of the portion>`: what became of the lines of a portion that is being imported, put with their rows. Whoever sends
 * the portion again after it was broken off is told what the broken attempt did. It rests on nothing else: each line is judged
 * by what is stored. Deleted with the last rows.
 */
export interface Progress {
  /** A letter a line, in the order of taking in; `.` for those still to come. */
  readonly done: string
  /** ms */
  readonly at: number
}
export const imports = recordKind<Progress>('ic')

const LETTERS: Readonly<Record<string, LineResult>> = {
  c: 'created',
  u: 'updated',
  n: 'unchanged',
  r: 'refused',
}

/** The letter of a result. */
export const letterOf = (result: LineResult): string =>
  Object.keys(LETTERS).find((letter) => LETTERS[letter] === result)!

/** The result that an attempt before noted of a line; undefined: none. */
export const notedResult = (
  progress: Progress | undefined,
  index: number,
): LineResult | undefined => LETTERS[progress?.done[index] ?? '.']

/** Where the progress of a portion of these lines is. */
export const progressRef = (namespace: number, lines: readonly unknown[]): Ref<Progress> =>
  imports.at(
    namespace,
    Uint8Array.from(createHash('sha256').update(JSON.stringify(lines)).digest().subarray(0, 16)),
  )

/** Nobody comes back to an import after a week. */
const KEPT_MS = 7 * 24 * 3600 * 1000

/** Deletes what imports left that were never finished. */
export const dropOldProgress = async (
  records: Records,
  namespace: number,
  now: number,
): Promise<void> => {
  for await (const page of records.scan(imports.under(namespace), { pageSize: 100 })) {
    const old = page.filter(({ value }) => value.at < now - KEPT_MS)
    if (old.length === 0) continue
    await records.transact(async (tx) => {
      for (const { tail } of old) tx.delete(imports.at(namespace, tail))
    })
  }
}
