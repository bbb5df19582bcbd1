import { invalid } from '../engine/refusal.ts'

/** The options of a device; all values are strings (spec/sys.md 6.2). */
export type DeviceOptions = Readonly<Record<string, string>>

/** The options that every type has. */
export interface CommonOptions {
  readonly hmacAccessor: boolean
  readonly logRaw: boolean
  readonly elideListResponses: boolean
  /** Written before each line as it is. */
  readonly prefix: string
  /** Enable without sending a test entry. */
  readonly skipTest: boolean
}

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** An option's text; undefined when it was not given. */
export const option = (options: DeviceOptions, name: string): string | undefined =>
  Object.hasOwn(options, name) ? options[name] : undefined

const booleanOption = (options: DeviceOptions, name: string, otherwise: boolean): boolean => {
  const value = option(options, name)
  if (value === undefined) return otherwise
  if (TRUE.has(value)) return true
  if (FALSE.has(value)) return false
  throw invalid(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

const checkFormat = (format: string): void => {
  if (format === 'json') return
  if (format === 'jsonx') {
    throw invalid(
      'jsonx formatting has been removed, consider switching to json by omitting "format" or setting it to "json"',
    )
  }
  throw invalid(`unknown format type ${JSON.stringify(format)}`)
}

/** Reads the options of every type; throws a Refusal for what they cannot be. */
export const commonOptions = (options: DeviceOptions): CommonOptions => {
  checkFormat(option(options, 'format') ?? 'json')
  return {
    hmacAccessor: booleanOption(options, 'hmac_accessor', true),
    logRaw: booleanOption(options, 'log_raw', false),
    elideListResponses: booleanOption(options, 'elide_list_responses', false),
    prefix: option(options, 'prefix') ?? '',
    skipTest: option(options, 'skip_test') === 'true',
  }
}
