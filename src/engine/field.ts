import type { Json } from '../std/json.ts'
import { JsonNumber, compareBytes } from '../std/json.ts'
import { parseVaultDuration } from '../std/go-duration.ts'
import { goLower } from '../std/go-lower.ts'
import { limits } from '../limits.ts'

/** A declared parameter: how its value is coerced (spec/auth.md 1.8, identity.md 0.6) and what it is when not sent. */
export interface Field<T = unknown> {
  readonly type: FieldType
  readonly description: string
  readonly default: unknown
  readonly deprecated: boolean
  /** The typed value of what was sent; throws FieldError with the detail text. `undefined` = treat as not sent. */
  coerce(value: Json): T | undefined
  /** Only for inference. */
  readonly value?: T
}

export type FieldType =
  | 'string'
  | 'lower-string'
  | 'name'
  | 'int'
  | 'float'
  | 'bool'
  | 'duration'
  | 'signed-duration'
  | 'time'
  | 'map'
  | 'kv'
  | 'list'
  | 'string-list'
  | 'comma-list'
  | 'comma-int-list'
  | 'any'

export type Fields = Readonly<Record<string, Field>>
export type InputOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

/** A value that does not fit its field; the core adds `error converting input for field "x": `. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
}

const goTypeName = (value: Json): string => {
  if (Array.isArray(value)) return '[]interface {}'
  if (value === null) return 'nil'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number' || value instanceof JsonNumber) return 'json.Number'
  return 'map[string]interface {}'
}

const expected = (type: string, value: Json): FieldError =>
  new FieldError(`'' expected type '${type}', got unconvertible type '${goTypeName(value)}'`)

const isNumber = (value: Json): value is number | JsonNumber =>
  typeof value === 'number' || value instanceof JsonNumber

const numberText = (value: number | JsonNumber): string =>
  typeof value === 'number' ? String(value) : value.literal

const isMap = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isNumber(value)

const asString = (value: Json): string => {
  if (typeof value === 'string') return value
  if (isNumber(value)) return numberText(value)
  if (value === true) return '1'
  if (value === false) return '0'
  if (value === null) return ''
  throw expected('string', value)
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', ''])

const asBool = (value: Json): boolean => {
  if (typeof value === 'boolean') return value
  if (value === null) return false
  if (typeof value === 'string' || isNumber(value)) {
    const text = typeof value === 'string' ? value : numberText(value)
    if (TRUE.has(text)) return true
    if (FALSE.has(text)) return false
    throw new FieldError(`'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax`)
  }
  throw expected('bool', value)
}

const INT = /^[+-]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)$/

/** Characters of the longest whole number that is read: far longer than any that has room in 64 bits. */
const INT_MOST = 256

const intOfText = (text: string): number => {
  if (text === '') return 0
  if (text.length > INT_MOST) {
    throw new FieldError(`'' cannot parse value as 'int': strconv.ParseInt: value out of range`)
  }
  if (!INT.test(text)) {
    throw new FieldError(`'' cannot parse value as 'int': strconv.ParseInt: invalid syntax`)
  }
  const sign = text.startsWith('-') ? -1n : 1n
  let digits = text.replace(/^[+-]/, '')
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`
  const big = sign * BigInt(digits)
  if (big > 9223372036854775807n || big < -9223372036854775808n) {
    throw new FieldError(`'' cannot parse value as 'int': strconv.ParseInt: value out of range`)
  }
  return Number(big)
}

const asInt = (value: Json): number => {
  if (typeof value === 'string') return intOfText(value)
  if (isNumber(value)) {
    const text = numberText(value)
    if (!/^-?\d+$/.test(text)) {
      throw new FieldError(
        `error decoding json.Number into '' : strconv.ParseInt: parsing "${text}": invalid syntax`.replace(
          ' : ',
          ': ',
        ),
      )
    }
    return intOfText(text)
  }
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === null) return 0
  throw expected('int', value)
}

const asFloat = (value: Json): number => {
  if (isNumber(value)) return Number(numberText(value))
  if (value === null || value === '') return 0
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
    return Number(value)
  if (typeof value === 'string') {
    throw new FieldError(`'' cannot parse value as 'float64': strconv.ParseFloat: invalid syntax`)
  }
  throw expected('float64', value)
}

/** How Go prints a value, as the recorded texts show it. */
const goText = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (value === null) return '<nil>'
  if (isNumber(value)) return numberText(value)
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  const map = value as Readonly<Record<string, Json>>
  const keys = Object.keys(map).sort(compareBytes)
  return `map[${keys.map((key) => `${key}:${goText(map[key]!)}`).join(' ')}]`
}

/** Complaints about the elements of a list that cannot be texts. */
const elementFaults = (list: readonly Json[]): readonly { text: string; value: Json }[] =>
  list.flatMap((value, index) =>
    Array.isArray(value) || isMap(value)
      ? [
          {
            text: `'[${index}]' expected type 'string', got unconvertible type '${goTypeName(value)}'`,
            value,
          },
        ]
      : [],
  )

const asStringList = (value: Json, split: boolean): string[] => {
  if (value === null || value === '') return []
  if (Array.isArray(value) || isMap(value)) {
    const list = Array.isArray(value) ? value : [value]
    const faults = elementFaults(list)
    if (faults.length > 0) {
      const lines = faults.map((fault) => `* ${fault.text}, value: '${goText(fault.value)}'`)
      throw new FieldError(`${faults.length} error(s) decoding:\n\n${lines.join('\n')}`)
    }
    return list.map((item) => asString(item).trim())
  }
  const text = asString(value)
  const parts = split ? text.split(',', limits.listItems + 1) : [text]
  if (parts.length > limits.listItems) {
    throw new FieldError(`a list of more than ${limits.listItems} elements`)
  }
  return parts.map((item) => item.trim()).filter((item, _, all) => all.length > 1 || item !== '')
}

/** Whole numbers of an array, of one number, or of a text cut at commas; complains of each element that is none. */
const asIntList = (value: Json): number[] => {
  const items = Array.isArray(value) ? value : isNumber(value) ? [value] : asStringList(value, true)
  const faults: string[] = []
  const numbers = items.map((item: Json, index) => {
    try {
      return asInt(item)
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      faults.push(error.message.replace("''", `'[${index}]'`))
      return 0
    }
  })
  if (faults.length > 0) {
    throw new FieldError(`decoding failed due to the following error(s):\n\n${faults.join('\n')}`)
  }
  return numbers
}

const asMap = (value: Json): Readonly<Record<string, Json>> => {
  if (value === null) return {}
  if (isMap(value)) return value
  if (Array.isArray(value) && value.length === 1 && isMap(value[0]!)) return value[0]
  if (Array.isArray(value) && value.length === 0) return {}
  throw expected('map[string]interface {}', value)
}

const asKeyValues = (value: Json): Readonly<Record<string, string>> => {
  const out: Record<string, string> = Object.create(null) as Record<string, string>
  if (value === null) return out
  const pairs = Array.isArray(value) ? value : [value]
  const flat = (item: Json): boolean => !Array.isArray(item) && !isMap(item)
  if (pairs.every((map) => isMap(map) && Object.values(map).every(flat))) {
    for (const map of pairs) {
      for (const [key, item] of Object.entries(map as object)) out[key] = asString(item as Json)
    }
    return out
  }
  const faults = elementFaults(pairs)
  if (faults.length > 0) {
    const lines = faults.map(({ text }) => text)
    throw new FieldError(`decoding failed due to the following error(s):\n\n${lines.join('\n')}`)
  }
  for (const pair of pairs) {
    const text = asString(pair)
    const at = text.indexOf('=')
    if (at <= 0) throw new FieldError(`invalid key pair ${JSON.stringify(text)}`)
    out[text.slice(0, at)] = text.slice(at + 1)
  }
  return out
}

const make =
  <T>(type: FieldType, coerce: (value: Json) => T | undefined) =>
  <D extends T | undefined = undefined>(
    options: {
      readonly default?: D
      readonly description?: string
      readonly deprecated?: boolean
    } = {},
  ): Field<D extends undefined ? T | undefined : T> =>
    ({
      type,
      description: options.description ?? '',
      default: options.default,
      deprecated: options.deprecated ?? false,
      coerce,
    }) as Field<D extends undefined ? T | undefined : T>

/** The field makers. Without `default` a field not sent is `undefined`. */
export const field = {
  string: make<string>('string', asString),
  lowerString: make<string>('lower-string', (value) => goLower(asString(value))),
  /** `\w(([\w-.]+)?\w)?` else `field does not match the formatting rules`. */
  name: make<string>('name', (value) => {
    const text = asString(value)
    if (!/^\w(([\w\-.]+)?\w)?$/.test(text))
      throw new FieldError('field does not match the formatting rules')
    return text
  }),
  int: make<number>('int', asInt),
  float: make<number>('float', asFloat),
  bool: make<boolean>('bool', asBool),
  /** Whole seconds; null = not sent; negative refused. */
  duration: make<number>('duration', (value) =>
    value === null ? undefined : durationSeconds(value, false),
  ),
  signedDuration: make<number>('signed-duration', (value) =>
    value === null ? undefined : durationSeconds(value, true),
  ),
  /** Milliseconds since the epoch, from RFC 3339 or epoch seconds. */
  time: make<number>('time', (value) => {
    if (isNumber(value)) return Math.trunc(Number(numberText(value)) * 1000)
    if (typeof value === 'string') {
      if (/^-?\d+$/.test(value)) return Number(value) * 1000
      const parsed = Date.parse(value)
      if (
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
        Number.isFinite(parsed)
      )
        return parsed
      if (value === '') return undefined
      throw new FieldError('could not parse string as date and time')
    }
    if (value === null) return undefined
    throw expected('string', value)
  }),
  map: make<Readonly<Record<string, Json>>>('map', asMap),
  /** String to string; null-prototype. */
  keyValues: make<Readonly<Record<string, string>>>('kv', asKeyValues),
  list: make<readonly Json[]>('list', (value) =>
    Array.isArray(value) ? value : value === null ? [] : [value],
  ),
  /** A bare string is one element ("strarray"). */
  stringList: make<readonly string[]>('string-list', (value) => asStringList(value, false)),
  /** A bare string is split at commas ("strlist"); elements of an array are not. */
  commaList: make<readonly string[]>('comma-list', (value) => asStringList(value, true)),
  commaIntList: make<readonly number[]>('comma-int-list', asIntList),
  any: make<Json>('any', (value) => value),
} as const

const durationSeconds = (value: Json, signed: boolean): number => {
  if (typeof value === 'boolean' || Array.isArray(value) || isMap(value)) {
    throw new FieldError(`could not parse duration from input`)
  }
  try {
    return parseVaultDuration(value, { signed })
  } catch (error) {
    if (error instanceof FieldError) throw error
    throw new FieldError(error instanceof Error ? error.message : String(error))
  }
}
