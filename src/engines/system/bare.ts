import { raw } from '../../engine/result.ts'
import type { RawResult } from '../../engine/result.ts'
import type { Member } from '../../std/json.ts'
import { stringifyOrdered } from '../../std/json.ts'

/** An answer without envelope, its members in the order of the reference. */
export const bare = (members: readonly Member[], status = 200): RawResult =>
  raw(status, `${stringifyOrdered(members)}\n`)
