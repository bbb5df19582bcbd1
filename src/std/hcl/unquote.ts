import { Buffer } from 'node:buffer'

const NAMED: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 0x5c],
  ['"', 0x22],
])
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])
const HEX = /^[\da-fA-F]+$/
const OCTAL = /^[0-7]{3}$/

/** What an escape stands for, and how many units of the text it takes after the backslash. */
interface Escape {
  readonly bytes: Uint8Array
  readonly length: number
}

const hexEscape = (
  body: string,
  at: number,
  digits: number,
  letter: string,
): Escape | undefined => {
  const text = body.slice(at + 1, at + 1 + digits)
  if (text.length < digits || !HEX.test(text)) return undefined
  const value = Number.parseInt(text, 16)
  if (letter === 'x') return { bytes: Uint8Array.of(value), length: 1 + digits }
  if (value > 0x10ffff) return undefined
  return { bytes: Buffer.from(String.fromCodePoint(value).toWellFormed()), length: 1 + digits }
}

const readEscape = (body: string, at: number): Escape | undefined => {
  const letter = body[at] ?? ''
  const named = NAMED.get(letter)
  if (named !== undefined) return { bytes: Uint8Array.of(named), length: 1 }
  const digits = HEX_DIGITS.get(letter)
  if (digits !== undefined) return hexEscape(body, at, digits, letter)
  const octal = body.slice(at, at + 3)
  if (!OCTAL.test(octal)) return undefined
  const value = Number.parseInt(octal, 8)
  return value > 255 ? undefined : { bytes: Uint8Array.of(value), length: 3 }
}

/** The end of the `${ … }` that begins at `at`: everything in it stays as written. -1 = it does not end. */
const interpolationEnd = (body: string, at: number): number => {
  let braces = 1
  for (let i = at + 2; i < body.length; i++) {
    if (body[i] === '{') braces++
    else if (body[i] === '}' && --braces === 0) return i + 1
  }
  return -1
}

/**
 * What a quoted string of HCL 1 means, given with its quotes; undefined when an escape is none or a line breaks outside
 * `${ … }`. Byte escapes may spell UTF-8; what is none becomes U+FFFD.
 */
export const unquote = (quoted: string): string | undefined => {
  const body = quoted.slice(1, -1)
  if (!body.includes('\\') && !body.includes('$') && !body.includes('\n')) return body
  const chunks: Uint8Array[] = []
  let plain = 0
  const flush = (to: number): void => {
    if (to > plain) chunks.push(Buffer.from(body.slice(plain, to)))
  }
  for (let at = 0; at < body.length;) {
    const char = body[at]
    if (char === '\n') return undefined
    if (char === '$' && body[at + 1] === '{') {
      at = interpolationEnd(body, at)
      if (at === -1) return undefined
    } else if (char === '\\') {
      const escape = readEscape(body, at + 1)
      if (escape === undefined) return undefined
      flush(at)
      chunks.push(escape.bytes)
      at += 1 + escape.length
      plain = at
    } else at++
  }
  flush(body.length)
  return Buffer.concat(chunks).toString()
}

/**
 * The lines of a heredoc, given from `<<` to the line end after its last line. With `<<-` the indentation of the
 * closing line is taken off, if every line has it.
 */
export const heredocText = (source: string): string => {
  const first = source.indexOf('\n')
  const dashed = source[2] === '-'
  const anchor = source.slice(dashed ? 3 : 2, first)
  const body = source.slice(first + 1)
  const closing = body.lastIndexOf(anchor)
  const kept = body.slice(0, closing)
  if (!dashed) return kept
  const lines = kept.split('\n')
  const indentation = lines.at(-1)!
  if (!lines.every((line) => line.startsWith(indentation))) return trimBlanks(kept)
  return lines.map((line) => line.slice(indentation.length)).join('\n')
}

const trimBlanks = (text: string): string => {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--
  return text.slice(0, end)
}
