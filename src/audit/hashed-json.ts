import type { Breather } from '../std/breather.ts'
import { JsonNumber, compareBytes, stringifyJson } from '../std/json.ts'
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

/** Leaves written without looking at the time: some tens of microseconds. */
const AT_ONCE = 16

/** Writes what is long while other requests run. */
class LongText {
  readonly #form: Omit<HashedForm, 'conceal'>
  readonly #conceal: (text: string) => string | Promise<string>
  readonly #breather: Breather
  readonly #joined: string[] = []
  #pieces: string[] = []
  #leaves = 0

  constructor(
    form: Omit<HashedForm, 'conceal'>,
    conceal: (text: string) => string | Promise<string>,
    breather: Breather,
  ) {
    this.#form = form
    this.#conceal = conceal
    this.#breather = breather
  }

  async value(value: Json, clear: boolean): Promise<void> {
    if (typeof value === 'string') {
      const shown = clear || isTimestamp(value) ? value : this.#conceal(value)
      this.#pieces.push(stringifyJson(typeof shown === 'string' ? shown : await shown))
    } else if (isObject(value)) await this.#object(value)
    else if (Array.isArray(value)) await this.#list(value as readonly Json[], clear)
    else this.#pieces.push(stringifyJson(value))
    if (++this.#leaves % AT_ONCE === 0) {
      // Few long pieces are joined at once in the end, where many short ones would take their time.
      this.#joined.push(this.#pieces.join(''))
      this.#pieces = []
      await this.#breather.due()
    }
  }

  async #list(items: readonly Json[], clear: boolean): Promise<void> {
    if (items.length > this.#form.itemsMax) {
      this.#pieces.push(String(items.length))
      return
    }
    for (let at = 0; at < items.length; at++) {
      this.#pieces.push(at === 0 ? '[' : ',')
      await this.value(items[at]!, clear)
    }
    this.#pieces.push(items.length === 0 ? '[]' : ']')
  }

  async #object(object: JsonObject): Promise<void> {
    const names = Object.keys(object).filter((name) => object[name] !== undefined)
    if (names.length > this.#form.itemsMax) {
      this.#pieces.push(String(names.length))
      return
    }
    let comma = '{'
    for (const name of names.sort(compareBytes)) {
      this.#pieces.push(comma, stringifyJson(name), ':')
      comma = ','
      await this.value(object[name]!, this.#form.clear.has(name))
    }
    this.#pieces.push(names.length === 0 ? '{}' : '}')
  }

  text(): string {
    return this.#joined.join('') + this.#pieces.join('')
  }
}

/** What `hashedObject` gives, made while other requests run: for objects of very many leaves, or long ones. */
export const longHashedObject = async (
  object: JsonObject,
  form: Omit<HashedForm, 'conceal'>,
  conceal: (text: string) => string | Promise<string>,
  breather: Breather,
): Promise<string> => {
  const long = new LongText(form, conceal, breather)
  await long.value(object, false)
  return long.text()
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
