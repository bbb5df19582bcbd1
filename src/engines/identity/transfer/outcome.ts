/** What became of a line. */
export type LineResult = 'created' | 'updated' | 'unchanged' | 'refused'

/** The same with what there is to say about it. */
export interface Outcome {
  readonly result: LineResult
  /** Why it was refused, or why nothing was done about what differs. */
  readonly reason?: string
  /** What the line rests on and is not here: `entity:<id or name>`, `group:…`, `mount:<path>`. */
  readonly missing?: string
}

/** What to do where the server has something of the same id or name that differs. */
export type Conflict = 'refuse' | 'merge' | 'skip'

export const created: Outcome = { result: 'created' }
export const updated: Outcome = { result: 'updated' }
export const unchanged: Outcome = { result: 'unchanged' }

/** Nothing of the line is carried out. */
export const refused = (reason: string, missing?: string): Outcome => ({
  result: 'refused',
  reason,
  ...(missing === undefined ? {} : { missing }),
})

/** What is said of a thing that is here and differs, where it is not to be merged. */
export const differing = (conflict: Conflict, reason: string): Outcome =>
  conflict === 'skip' ? { result: 'unchanged', reason: `skipped: ${reason}` } : refused(reason)
