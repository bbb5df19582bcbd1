import type { Json } from './json.ts'
import { JsonNumber } from './json.ts'

/** A text that is no duration, in the words of Go's time.ParseDuration. */
export class DurationError extends Error {
  override readonly name = 'DurationError'
}

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])
const SECOND = 1_000_000_000n
const MOST = (1n << 63n) - 1n
/** Characters of the longest text that is looked at: the cost of long numbers grows faster than their length. */
const TEXT_MOST = 256

const checkLength = (text: string): void => {
  if (text.length <= TEXT_MOST) return
  throw new DurationError(
    `time: invalid duration of ${text.length} characters; at most ${TEXT_MOST} are read`,
  )
}

/** A text between quotation marks as Go's `%q` of the time package writes it: bytes that are not printable ASCII as `\xhh`. */
const quote = (text: string): string => {
  let out = '"'
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte)
    if (char === '"' || char === '\\') out += `\\${char}`
    else if (byte < 0x20 || byte >= 0x7f) out += `\\x${byte.toString(16).padStart(2, '0')}`
    else out += char
  }
  return `${out}"`
}

/** Nanoseconds of a text in Go's form (`1h30m`, `-1.5s`). Throws DurationError with the texts of Go's time.ParseDuration. */
export const parseGoDuration = (text: string): bigint => {
  checkLength(text)
  const invalid = (): DurationError => new DurationError(`time: invalid duration ${quote(text)}`)
  let rest = text
  const negative = rest.startsWith('-')
  if (negative || rest.startsWith('+')) rest = rest.slice(1)
  if (rest === '0') return 0n
  if (rest === '') throw invalid()
  let total = 0n
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)!
    const [whole, digits = '', fraction = ''] = number
    if (digits === '' && fraction === '') throw invalid()
    rest = rest.slice(whole.length)
    const unitText = /^[^.\d]*/.exec(rest)![0]
    if (unitText === '') throw new DurationError(`time: missing unit in duration ${quote(text)}`)
    rest = rest.slice(unitText.length)
    const unit = UNITS.get(unitText)
    if (unit === undefined) {
      throw new DurationError(`time: unknown unit ${quote(unitText)} in duration ${quote(text)}`)
    }
    // More digits than 18 say nothing that a nanosecond could show.
    const shown = fraction.slice(0, 18)
    total += BigInt(digits || '0') * unit
    if (shown !== '') total += (BigInt(shown) * unit) / 10n ** BigInt(shown.length)
    if (total > (negative ? MOST + 1n : MOST)) throw invalid()
  }
  return negative ? -total : total
}

/** Nanoseconds of what Vault takes for a duration: seconds as a number or digits, `<n>d` in days, else Go's form; '' is 0. Throws DurationError. */
export const parseVaultNanoseconds = (value: string): bigint => {
  if (value === '') return 0n
  checkLength(value)
  if (/^[+-]?\d+$/.test(value)) {
    const nanoseconds = BigInt(value) * SECOND
    if (nanoseconds > MOST || nanoseconds < -MOST - 1n) {
      throw new DurationError(`time: invalid duration ${quote(value)}`)
    }
    return nanoseconds
  }
  const days = /^([+-]?\d+)d$/.exec(value)
  if (days !== null) {
    const nanoseconds = BigInt(days[1]!) * 86_400n * SECOND
    if (nanoseconds > MOST || nanoseconds < -MOST - 1n) {
      throw new DurationError(`time: invalid duration ${quote(value)}`)
    }
    return nanoseconds
  }
  return parseGoDuration(value)
}

/**
 * Whole seconds of a duration parameter (spec/auth.md 1.8), cut towards zero. Throws DurationError, also for a negative
 * one unless `signed`.
 */
export const parseVaultDuration = (
  value: Json,
  options: { readonly signed?: boolean } = {},
): number => {
  const text =
    typeof value === 'number'
      ? String(value)
      : value instanceof JsonNumber
        ? value.literal
        : typeof value === 'string'
          ? value
          : undefined
  if (text === undefined) throw new DurationError('could not parse duration from input')
  const seconds = Number(parseVaultNanoseconds(text) / SECOND)
  if (seconds < 0 && options.signed !== true) {
    throw new DurationError(`cannot provide negative value '${seconds}'`)
  }
  return seconds
}

/** Seconds as the reference writes them in warnings: `768h`, `1h30m`, `45s`; zero trailing units are left out. */
export const compactDuration = (seconds: number): string => {
  if (seconds <= 0) return `${seconds}s`
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = seconds % 60
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 || (hours > 0 && rest > 0) ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`
}
