import { Refusal } from '../engine/refusal.ts'

/**
 * The data was replaced by a restore since the keys were read from it: nothing that is in memory holds any more, and the server must
 * be opened anew (architecture.md A6).
 */
export class DataReplaced extends Error {
  override readonly name = 'DataReplaced'

  constructor() {
    super('the data was replaced by a restore')
  }
}

/** What a request is told that had begun before. */
export const replacedMeanwhile = (): Refusal =>
  new Refusal(
    'unavailable',
    'a snapshot was restored while the request ran: what it changed, if anything, went with the old data; try again',
  )
