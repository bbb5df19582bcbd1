import { limits } from '../limits.ts'
import type { RecordRange, Records } from './records.ts'

/**
 * Deletes every record of a range, damaged ones too, a few a commit, in key order, after what others write; what is added meanwhile may
 * stay. May be broken off and run again. For what nobody reaches any more: data of a disabled mount, of a dead token.
 */
export const dropRange = async (records: Records, range: RecordRange<unknown>): Promise<void> => {
  for await (const page of records.scanKeys(range)) {
    for (let at = 0; at < page.length; at += limits.longWorkWrites) {
      await records.transact(async (tx) => {
        for (const { key } of page.slice(at, at + limits.longWorkWrites)) {
          tx.delete(range.kind.atKey(key))
        }
      })
      await records.afterOthers()
    }
  }
}
