import type { LiteralObject } from '../client/literal-json.ts'
import type { Call } from './command.ts'
import { say } from './command.ts'
import { dataRows } from './print-secret.ts'
import { table } from './table.ts'

// What the column of values and the gap before it add to the longest key.
const BEYOND_KEY = 'Value'.length + 4

/** A title between equals signs, as wide as what is below it. */
export const banner = (title: string, width: number): string => {
  const wanted = width - title.length - 2
  const signs = '='.repeat(Math.ceil((wanted <= 0 ? 4 : wanted) / 2))
  return `${signs} ${title} ${signs}`
}

/** Prints a path under its banner. */
export const sayPath = (call: Call, title: string, path: string): void =>
  say(call.io, `${banner(title, path.length)}\n${path}\n`)

/** Prints an object as a table under a banner. */
export const sayObject = (call: Call, title: string, object: LiteralObject): void => {
  const longest = Math.max(0, ...Object.keys(object).map((key) => key.length))
  const rows = dataRows(object)
  // A deleted version shows an empty time: nothing there yet.
  say(call.io, banner(title, longest + BEYOND_KEY))
  say(call.io, table([['Key', 'Value'], ...rows]))
}
