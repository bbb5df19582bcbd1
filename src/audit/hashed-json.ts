import { JsonNumber, stringifyJson } from '../std/json.ts'
import type { Json, JsonObject } from '../std/json.ts'
import { isShared } from '../std/shared-json.ts'

/** What stands for a secret: its hash, or the text itself where a device is told to log it. */
export type Conceal = (text: string) => string

/** How the data of a request or an answer is written. */
export interface HashedForm {
  readonly conceal: Conceal
  /** Leaves whose nearest member name is listed stay clear. */
  readonly clear: ReadonlySet<string>
  /** An array or object with more members is written as their number. */
  readonly itemsMax: number
}

/** Bounded in all its parts, so that nothing but a time can pass for one. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

const isTimestamp = (text: string): boolean =>
  text.length >= 20 && text.length <= 35 && text.charCodeAt(10) === 0x54 && TIMESTAMP.test(text)

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)

/** A copy in which every string leaf is concealed. */
const concealed = (value: Json, form: HashedForm, clear: boolean): Json => {
  if (typeof value === 'string') {
    return clear || isTimestamp(value) ? value : form.conceal(value)
  }
  if (isObject(value)) return concealedObject(value, form)
  if (!Array.isArray(value)) return value
  const items = value as readonly Json[]
  if (items.length > form.itemsMax) return items.length
  const copy: Json[] = []
  for (let at = 0; at < items.length; at++) copy.push(concealed(items[at]!, form, clear))
  return copy
}

const concealedObject = (object: JsonObject, form: HashedForm): Json => {
  const names = Object.keys(object).filter((name) => object[name] !== undefined)
  if (names.length > form.itemsMax) return names.length
  const someClear = form.clear.size > 0
  const copy: Record<string, Json> = {}
  for (const name of names) {
    const shown = concealed(object[name]!, form, someClear && form.clear.has(name))
    // Assigned, it would become the prototype.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: shown, enumerable: true })
    else copy[name] = shown
  }
  return copy
}

/**
 * The JSON text of an object in which every string leaf is concealed, but those under exempt names and times; member
 * names, numbers, booleans and null stay clear (spec/sys.md 6.4). Members in byte order.
 */
export const hashedObject = (object: JsonObject, form: HashedForm): string => {
  if (!isShared(object)) return stringifyJson(concealedObject(object, form))
  const known = texts.get(object)
  if (known !== undefined && isSameForm(known.form, form)) return known.text
  const text = stringifyJson(concealedObject(object, form))
  texts.set(object, { form, text })
  return text
}

/** Texts of shared objects, for the device that wrote them last. */
const texts = new WeakMap<object, { readonly form: HashedForm; readonly text: string }>()

const isSameForm = (a: HashedForm, b: HashedForm): boolean =>
  a.conceal === b.conceal && a.clear === b.clear && a.itemsMax === b.itemsMax

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
