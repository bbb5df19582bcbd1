import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, isRawNumber, sortedKeys } from '../client/literal-json.ts'

/** A value as the reference's tables print it: `[a b]`, `map[k:v]`, `<nil>` (spec/cli.md 4.1). */
export function goText(value: LiteralValue): string {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return value
  if (isRawNumber(value)) return value.rawJSON
  if (Array.isArray(value)) return `[${value.map((item) => goText(item)).join(' ')}]`
  if (isObject(value)) return goMapText(value)
  return String(value as number | boolean)
}

function goMapText(value: LiteralObject): string {
  const pairs = sortedKeys(value).map((key) => `${key}:${goText(value[key] ?? null)}`)
  return `map[${pairs.join(' ')}]`
}

/** A list of names in quotes: `["default" "x"]`. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
}

/** Whole seconds as a duration without its trailing zero units: `768h`, `1h30m`, `45s`, `0s`. */
export function durationText(seconds: number): string {
  if (seconds === 0) return '0s'
  const size = Math.abs(seconds)
  const hours = Math.floor(size / 3600)
  const minutes = Math.floor((size % 3600) / 60)
  const rest = size % 60
  let text = hours > 0 ? `${hours}h` : ''
  if (minutes > 0 || (hours > 0 && rest > 0)) text += `${minutes}m`
  if (rest > 0) text += `${rest}s`
  return seconds < 0 ? `-${text}` : text
}

/** Whether integers under this key of `data` are seconds to be printed as a duration. */
export function isDurationKey(key: string): boolean {
  return (
    /^(?:ttl|period|duration|lease_max|ttl_max)$/.test(key) || /_(?:ttl|period|duration)$/.test(key)
  )
}
