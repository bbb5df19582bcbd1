import { compareBytes, JsonNumber } from '../../std/json.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { isJsonObject, member } from '../../std/json-object.ts'

/** The claims of a token whose signature was checked. */
export type Claims = JsonObject

const step = (value: Json | undefined, segment: string): Json | undefined => {
  if (Array.isArray(value)) {
    return /^(0|[1-9]\d*)$/.test(segment) ? (value as readonly Json[])[Number(segment)] : undefined
  }
  return isJsonObject(value) ? member(value, segment) : undefined
}

/** A claim by its plain name; undefined when absent or null. */
export const plainClaim = (claims: Claims, name: string): Json | undefined =>
  member(claims, name) ?? undefined

/** A claim by its plain name or, when that begins with `/`, by JSON pointer (RFC 6901); undefined when absent or null. */
export const claimAt = (claims: Claims, name: string): Json | undefined => {
  if (!name.startsWith('/')) return plainClaim(claims, name)
  let value: Json | undefined = claims
  for (const segment of name.slice(1).split('/')) {
    value = step(value, segment.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  return value ?? undefined
}

/** A 64-bit float as Go's `%v` writes it: like JavaScript, but for exponents of one digit and small fractions. */
const floatText = (value: number): string => {
  const magnitude = Math.abs(value)
  const text = magnitude !== 0 && magnitude < 1e-4 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

/** A claim as the reference's errors print it (Go's `%v` of decoded JSON). */
export const goText = (value: Json | undefined): string => {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return floatText(value)
  if (value instanceof JsonNumber) return floatText(value.toNumber())
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goText).join(' ')}]`
  const object = value as JsonObject
  const names = Object.keys(object).sort(compareBytes)
  return `map[${names.map((name) => `${name}:${goText(object[name])}`).join(' ')}]`
}

/** A claim as a list: a list as it is, anything single but an object as a list of one; undefined for objects. */
export const asList = (value: Json): readonly Json[] | undefined => {
  if (Array.isArray(value)) return value as readonly Json[]
  return isJsonObject(value) ? undefined : [value]
}

/** The one written form of a whole number (`1e3` is `1000`); undefined for other numbers. */
const wholeText = (literal: string): string | undefined => {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/.exec(literal)
  if (parts === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const kept = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (/[1-9]/.test(digits.slice(Math.max(0, point)))) return undefined
  return String(BigInt(`${sign}${kept}`))
}

/** Whether a JSON value is a whole number. */
export const isWholeNumber = (value: Json): boolean => wholeOf(value) !== undefined

const wholeOf = (value: Json): string | undefined => {
  if (typeof value === 'number') return wholeText(String(value))
  return value instanceof JsonNumber ? wholeText(value.literal) : undefined
}

/** Whether two claim values are the same string, boolean or whole number; never across types (`"true"` is not `true`). */
export const sameScalar = (a: Json, b: Json): boolean => {
  if (typeof a === 'string' || typeof a === 'boolean') return a === b
  const whole = wholeOf(a)
  return whole !== undefined && whole === wholeOf(b)
}
