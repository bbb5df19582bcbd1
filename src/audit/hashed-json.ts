import { JsonNumber, compareBytes, stringifyJson } from '../std/json.ts'
import type { Json, JsonObject } from '../std/json.ts'

/** Turns a secret into JSON: a string with its hash, or the text itself where a device is told to log it. */
export type Conceal = (text: string) => string

/** How the data of a request or an answer is written. */
export interface HashedForm {
  readonly conceal: Conceal
  /** Leaves whose nearest member name is listed stay clear. */
  readonly clear: ReadonlySet<string>
  /** An array or object with more members is written as their number. */
  readonly itemsMax: number
}

const PLAIN = /^[\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/

/** A text as a JSON string, as Go's encoder writes it. */
export const quoted = (text: string): string =>
  PLAIN.test(text) ? `"${text}"` : stringifyJson(text)

/** Bounded in all its parts, so that nothing but a time can pass for one. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const isTimestamp = (text: string): boolean =>
  text.length >= 20 && text.length <= 35 && text.charCodeAt(10) === 0x54 && TIMESTAMP.test(text)

const NAMELESS: readonly string[] = []

/** Member names that have a value, in byte order. */
const namesOf = (object: JsonObject): readonly string[] => {
  const names = Object.keys(object)
  if (names.length === 0) return NAMELESS
  let sorted = true
  let present = object[names[0]!] !== undefined
  for (let at = 1; at < names.length; at++) {
    if (sorted && compareBytes(names[at - 1]!, names[at]!) > 0) sorted = false
    if (object[names[at]!] === undefined) present = false
  }
  const kept = present ? names : names.filter((name) => object[name] !== undefined)
  return sorted ? kept : kept.sort(compareBytes)
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)

const write = (value: Json, form: HashedForm, clear: boolean): string => {
  if (typeof value === 'string') {
    return clear || isTimestamp(value) ? quoted(value) : form.conceal(value)
  }
  if (isObject(value)) return hashedObject(value, form)
  if (!Array.isArray(value)) return stringifyJson(value)
  const items = value as readonly Json[]
  if (items.length > form.itemsMax) return String(items.length)
  let text = '['
  for (let at = 0; at < items.length; at++) {
    text += `${at === 0 ? '' : ','}${write(items[at]!, form, clear)}`
  }
  return `${text}]`
}

/**
 * The JSON text of an object in which every string leaf is concealed, but those under exempt names and times; member
 * names, numbers, booleans and null stay clear (spec/sys.md 6.4). Members in byte order.
 */
export const hashedObject = (object: JsonObject, form: HashedForm): string => {
  const names = namesOf(object)
  if (names.length > form.itemsMax) return String(names.length)
  let text = '{'
  for (let at = 0; at < names.length; at++) {
    const name = names[at]!
    text += `${at === 0 ? '' : ','}${quoted(name)}:${write(object[name]!, form, form.clear.has(name))}`
  }
  return `${text}}`
}

/** Calls `visit` with every string leaf that `hashedObject` may conceal, until it answers false. */
export const visitLeaves = (
  value: Json,
  itemsMax: number,
  visit: (text: string) => boolean,
): boolean => {
  if (typeof value === 'string') return visit(value)
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return true
  const items = Array.isArray(value)
    ? (value as readonly Json[])
    : Object.values(value as JsonObject)
  if (items.length > itemsMax) return true
  for (const item of items) {
    if (item !== undefined && !visitLeaves(item, itemsMax, visit)) return false
  }
  return true
}
