import { Buffer } from 'node:buffer'
import { JsonNumber } from './json-value.ts'
import type { Json, JsonObject } from './json-value.ts'
import { readJson } from './json-read.ts'
import { decodeUtf8, skipSpace, unexpected } from './json-scan.ts'
export { JsonNumber, JsonSyntaxError } from './json-value.ts'
export type { Json, JsonObject } from './json-value.ts'

/**
 * Texts for which JSON.parse might differ from Go's decoder: number literals that a float may not give back, and
 * escaped surrogates, which may be alone. Matches inside strings only cost time.
 */
const SLOW = /(?:^|[:,[\s])-?(?:\d+[.eE]|\d{16}|0(?<=-0))|\\u[dD]/

/** The value of a text that is one value which JSON.parse reads exactly as Go would; undefined when that is not sure. */
export const parseFast = (text: string): { readonly value: Json } | undefined => {
  if (SLOW.test(text)) return undefined
  try {
    return { value: JSON.parse(text) as Json }
  } catch {
    // Not JSON, or not only JSON: the exact reader says what is wrong with it.
    return undefined
  }
}

const bytesOf = (json: string | Uint8Array): Uint8Array =>
  typeof json === 'string' ? Buffer.from(json) : json

/** The text of JSON as it came; bytes that are not UTF-8 become U+FFFD. */
export const textOf = (json: string | Uint8Array): string =>
  typeof json === 'string' ? json.toWellFormed() : decodeUtf8(json)

/**
 * Reads a whole text (or UTF-8 bytes) as JSON, as Go's json.Unmarshal with numbers kept. Throws JsonSyntaxError; the
 * end of the input in the middle says `unexpected end of JSON input`, text after the value is refused.
 */
export const parseJson = (json: string | Uint8Array): Json => {
  const fast = parseFast(textOf(json))
  if (fast) return fast.value
  const bytes = bytesOf(json)
  const { value, end } = readJson(bytes, 0, 'unexpected end of JSON input')
  const after = bytes[skipSpace(bytes, end)]
  if (after !== undefined) throw unexpected(after, 'after top-level value')
  return value
}

/**
 * Reads the first value of a stream, as Go's json.Decoder: what follows it is ignored, the end in the middle says
 * `unexpected EOF`. Undefined when there is only white space. Throws JsonSyntaxError.
 */
export const decodeJson = (json: string | Uint8Array): Json | undefined => {
  const fast = parseFast(textOf(json))
  if (fast) return fast.value
  const bytes = bytesOf(json)
  const start = skipSpace(bytes, 0)
  return start === bytes.length ? undefined : readJson(bytes, start, 'unexpected EOF').value
}

/** Orders names by their UTF-8 bytes, which UTF-16 units do not where surrogates meet U+E000 and above. */
export const compareBytes = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xHigh = x >= 0xd800 && x < 0xe000
    const yHigh = y >= 0xd800 && y < 0xe000
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1
  }
  return a.length - b.length
}

/** What JSON.stringify leaves and Go escapes, and units from which on UTF-16 order is not byte order. */
const ODD = /[<>&\u2028\u2029\ud800-\uffff]/
const HIGH = /[\ud800-\uffff]/
const ESCAPED = /[<>&\u2028\u2029]/g

const escapeUnits = (text: string): string =>
  text.replace(ESCAPED, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Whether JSON.stringify would write this as it is: members in UTF-16 order, no JsonNumber. */
const isPlain = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item)) return false
    return true
  }
  if (value instanceof JsonNumber) return false
  let last = ''
  for (const name of Object.keys(value)) {
    if (name < last || !isPlain((value as JsonObject)[name])) return false
    last = name
  }
  return true
}

/** One member: name and value; the order of a list of them is kept. */
export type Member = readonly [name: string, value: Json | undefined]

const write = (value: Json): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (value instanceof JsonNumber) return value.literal
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(write).join(',')}]`
  const object = value as JsonObject
  const names = Object.keys(object).sort(compareBytes)
  return writeMembers(names.map((name) => [name, object[name]]))
}

const writeMembers = (members: readonly Member[]): string => {
  let text = ''
  for (const [name, value] of members)
    if (value !== undefined)
      text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${write(value)}`
  return `{${text}}`
}

/**
 * The JSON text of a value as Go's encoder writes it: members in ascending byte order of their names, `<`, `>`, `&`,
 * U+2028 and U+2029 escaped, JsonNumbers literally, undefined members left out. No newline.
 */
export const stringifyJson = (value: Json): string => {
  if (isPlain(value)) {
    const text = JSON.stringify(value)
    if (!ODD.test(text)) return text
    if (!HIGH.test(text)) return escapeUnits(text)
  }
  return escapeUnits(write(value))
}

/** The JSON text of an object whose members keep the given order (the envelope's); their values as in stringifyJson. */
export const stringifyOrdered = (members: readonly Member[]): string => {
  let text = ''
  for (const [name, value] of members)
    if (value !== undefined)
      text += `${text === '' ? '' : ','}${escapeUnits(JSON.stringify(name))}:${stringifyJson(value)}`
  return `{${text}}`
}
