import { createHash } from 'node:crypto'
import { Buffer } from 'node:buffer'

/** What a template computes with; undefined prints as `<no value>`. */
export type FilterValue = string | number | boolean | undefined

/** A text that cannot be rendered: a function was given what it does not take. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
}

export interface FilterFunction {
  /** Arguments it takes: at least and at most. */
  readonly least: number
  readonly most: number
  readonly apply: (args: readonly FilterValue[]) => FilterValue
}

/** As Go's templates print it. */
export const show = (value: FilterValue): string =>
  value === undefined ? '<no value>' : String(value)

/** Empty texts, zero, false and missing values count as false. */
export const isTrue = (value: FilterValue): boolean => Boolean(value)

const text = (value: FilterValue): string => {
  if (typeof value === 'string') return value
  throw new FilterError(`wrong type for value; expected string; got ${typeof value}`)
}

const length = (value: FilterValue): number => {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value
  throw new FilterError('max length must be > 0 but was ' + show(value))
}

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex')

/** Hex digits that stand for what was cut off. */
const HASH_DIGITS = 8

const truncateHashed = (most: number, value: string): string => {
  if (most <= HASH_DIGITS) throw new FilterError(`max length must be > ${HASH_DIGITS}`)
  if (value.length <= most) return value
  const kept = value.slice(0, most - HASH_DIGITS)
  return kept + sha256(value.slice(kept.length)).slice(0, HASH_DIGITS)
}

const of = (
  least: number,
  most: number,
  apply: (args: readonly FilterValue[]) => FilterValue,
): FilterFunction => ({ least, most, apply })

const onText = (apply: (value: string) => string): FilterFunction =>
  of(1, 1, ([value]) => apply(text(value)))

/**
 * What a list filter may call: Go's `and`, `or`, `not`, `eq`, `ne`, `print`, and the text functions of the reference's
 * templates. Those that give chance or the time are left out: a filter names paths.
 */
export const FUNCTIONS: ReadonlyMap<string, FilterFunction> = new Map([
  ['and', of(1, Infinity, (args) => args.find((value) => !isTrue(value)) ?? args.at(-1))],
  ['or', of(1, Infinity, (args) => args.find(isTrue) ?? args.at(-1))],
  ['not', of(1, 1, ([value]) => !isTrue(value))],
  ['eq', of(2, Infinity, ([first, ...others]) => others.includes(first))],
  ['ne', of(2, 2, ([a, b]) => a !== b)],
  ['print', of(0, Infinity, (args) => args.map(show).join(''))],
  ['lowercase', onText((value) => value.toLowerCase())],
  ['uppercase', onText((value) => value.toUpperCase())],
  ['sha256', onText(sha256)],
  ['base64', onText((value) => Buffer.from(value).toString('base64'))],
  ['truncate', of(2, 2, ([most, value]) => text(value).slice(0, length(most)))],
  ['truncate_sha256', of(2, 2, ([most, value]) => truncateHashed(length(most), text(value)))],
  ['replace', of(3, 3, ([from, to, value]) => text(value).replaceAll(text(from), () => text(to)))],
])
