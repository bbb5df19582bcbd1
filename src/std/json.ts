import { Buffer } from 'node:buffer'
import { JsonNumber } from './json-value.ts'
import type { Json, JsonObject } from './json-value.ts'
import { jsonReads, readJson } from './json-read.ts'
import type { Slices } from './slices.ts'
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

/** What `decodeJson` gives for bytes, in slices. */
export const jsonDecodes = function* (bytes: Uint8Array): Slices<Json | undefined> {
  const start = skipSpace(bytes, 0)
  return start === bytes.length
    ? undefined
    : (yield* jsonReads(bytes, start, 'unexpected EOF')).value
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

/** What JSON.stringify gave, with what Go's encoder escapes besides. */
const escapeUnits = (text: string): string =>
  text.replace(ESCAPED, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Names that an object puts in a place of its own choosing, or that set its prototype. */
const WILFUL = /^(?:\d+|__proto__)$/

/**
 * The value with all members in UTF-16 order, so that JSON.stringify writes them so: itself where they are; undefined where
 * it cannot be had (a JsonNumber, names that objects reorder).
 */
const inOrder = (value: Json): Json | undefined => {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof JsonNumber) return undefined
  return Array.isArray(value) ? itemsInOrder(value) : membersInOrder(value as JsonObject)
}

const itemsInOrder = (items: readonly Json[]): Json | undefined => {
  for (let at = 0; at < items.length; at++) {
    const ordered = inOrder(items[at]!)
    if (ordered === items[at]) continue
    // From the first that had to be put in order on, a copy.
    const copy = items.slice(0, at)
    for (let rest = at; rest < items.length; rest++) {
      const item = inOrder(items[rest]!)
      if (item === undefined) return undefined
      copy.push(item)
    }
    return copy
  }
  return items
}

const membersInOrder = (object: JsonObject): Json | undefined => {
  let same = true
  let last = ''
  // Faster than a list of names; there is nothing inherited to come along.
  for (const name in object) {
    const member = object[name]
    if (name < last) same = false
    else if (typeof member === 'object' && member !== null && inOrder(member) !== member)
      same = false
    if (!same) break
    last = name
  }
  if (same) return object
  const copy: Record<string, Json> = {}
  for (const name of Object.keys(object).sort()) {
    const member = object[name]
    if (member === undefined) continue
    const ordered = inOrder(member)
    if (ordered === undefined || WILFUL.test(name)) return undefined
    copy[name] = ordered
  }
  return copy
}

/**
 * The members of an object as JSON without its braces, in the order they stand in; undefined ones are left out. For objects
 * of a fixed shape, whose order is the code's: one call for many members is what is fast. '' when there are none.
 */
export const stringifyMembers = (object: object): string => {
  const text = JSON.stringify(object)
  return (ODD.test(text) ? escapeUnits(text) : text).slice(1, -1)
}

/** One member: name and value; the order of a list of them is kept. */
export type Member = readonly [name: string, value: Json | undefined]

/** Writes in pieces, to be joined once: strings put together with `+` are made flat later, at twice the cost. */
const write = (out: string[], value: Json): void => {
  if (typeof value !== 'object' || value === null) out.push(JSON.stringify(value))
  else if (value instanceof JsonNumber) out.push(value.literal)
  else if (Array.isArray(value)) writeItems(out, value)
  else {
    const object = value as JsonObject
    let comma = false
    out.push('{')
    for (const name of Object.keys(object).sort(compareBytes)) {
      const member = object[name]
      if (member === undefined) continue
      if (comma) out.push(',')
      comma = true
      out.push(JSON.stringify(name), ':')
      write(out, member)
    }
    out.push('}')
  }
}

const writeItems = (out: string[], items: readonly Json[]): void => {
  out.push('[')
  for (let at = 0; at < items.length; at++) {
    if (at > 0) out.push(',')
    write(out, items[at]!)
  }
  out.push(']')
}

/**
 * The JSON text of a value as Go's encoder writes it: members in ascending byte order of their names, `<`, `>`, `&`,
 * U+2028 and U+2029 escaped, JsonNumbers literally, undefined members left out. No newline.
 */
export const stringifyJson = (value: Json): string => {
  const ordered = inOrder(value)
  if (ordered !== undefined) {
    const text = JSON.stringify(ordered)
    if (!ODD.test(text)) return text
    if (!HIGH.test(text)) return escapeUnits(text)
  }
  const out: string[] = []
  write(out, value)
  return escapeUnits(out.join(''))
}

/** The JSON text of an object whose members keep the given order (the envelope's); their values as in stringifyJson. */
export const stringifyOrdered = (members: readonly Member[]): string => {
  const out: string[] = []
  for (const [name, value] of members) {
    if (value === undefined) continue
    out.push(out.length === 0 ? '{' : ',', escapeUnits(JSON.stringify(name)), ':')
    out.push(stringifyJson(value))
  }
  return out.length === 0 ? '{}' : `${out.join('')}}`
}
