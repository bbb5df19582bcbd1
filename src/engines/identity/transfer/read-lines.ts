import { invalid } from '../../../engine/refusal.ts'
import type { Line } from './line.ts'
import { LineFault, readLine } from './line.ts'
import type { Outcome } from './outcome.ts'
import { refused } from './outcome.ts'

/** A line of a body: its number in it, from 1, and what it says, or why it cannot be taken. */
export interface NumberedLine {
  readonly number: number
  readonly bytes: number
  readonly line: Line | undefined
  readonly fault: Outcome | undefined
}

const NEWLINE = 0x0a

/**
 * The lines of a body; blank ones are left out. Throws a Refusal for the whole body when a line is no JSON: it was torn on its
 * way, and what else was is not known.
 */
export const readLines = (body: Uint8Array): NumberedLine[] => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const lines: NumberedLine[] = []
  let number = 0
  for (let from = 0; from < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, from)
    const to = found < 0 ? bytes.length : found
    number++
    const text = bytes.toString('utf8', from, to).trim()
    if (text !== '') lines.push(numbered(number, to - from, text))
    from = to + 1
  }
  return lines
}

const numbered = (number: number, bytes: number, text: string): NumberedLine => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw invalid(`line ${number} is no JSON object, perhaps torn: nothing was imported`)
  }
  try {
    return { number, bytes, line: readLine(parsed), fault: undefined }
  } catch (error) {
    if (!(error instanceof LineFault)) throw error
    return { number, bytes, line: undefined, fault: refused(error.message) }
  }
}
