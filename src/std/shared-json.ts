import { freezeDeep } from './freeze.ts'
import type { Json, JsonObject } from './json-value.ts'
import { stringifyJson } from './json.ts'

/** The texts of shared values; '' until asked for. */
const texts = new WeakMap<object, string>()

/**
 * Declares that an object is answered again and again while nothing changes, and freezes it: what is made of it may be kept as
 * long as it lives. Whoever shares it bounds how many live, and how large they are.
 */
export const shareJson = <T extends object>(object: T): T => {
  freezeDeep(object)
  texts.set(object, '')
  return object
}

/** Whether `shareJson` had this very object. */
export const isShared = (object: object): boolean => texts.has(object)

/** `stringifyJson`, made once for a shared object. */
export const sharedText = (value: Json): string => {
  if (typeof value !== 'object' || value === null) return stringifyJson(value)
  const known = texts.get(value as JsonObject)
  if (known === undefined) return stringifyJson(value)
  if (known !== '') return known
  const text = stringifyJson(value)
  texts.set(value as JsonObject, text)
  return text
}
