import type { LiteralObject } from '../client/literal-json.ts'
import { secretFrom } from '../client/secret.ts'
import type { Call } from './command.ts'
import { say } from './command.ts'
import { fieldOf, Members, printField, printValue } from './print-secret.ts'
import { table } from './table.ts'

/** Prints one thing: `rows` as a table for people, `data` (in its order) in other formats or as a field; 0. */
export const printRecord = (
  call: Call,
  rows: readonly (readonly string[])[],
  data: LiteralObject,
): number => {
  const field = call.flags.text('field') ?? ''
  if (field !== '') return printField(call, fieldOf(secretFrom({ data }), field), field)
  if (call.format === 'table') say(call.io, table([['Key', 'Value'], ...rows]))
  else printValue(call, new Members(Object.entries(data)))
  return 0
}
