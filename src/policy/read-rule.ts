import { DurationError, parseVaultNanoseconds } from '../std/go-duration.ts'
import { goLower } from '../std/go-lower.ts'
import type { HclObject } from '../std/hcl/ast.ts'
import {
  decodeAny,
  decodeInteger,
  decodeLists,
  decodeString,
  decodeStrings,
  select,
} from '../std/hcl/decode.ts'
import type { HclValue } from '../std/hcl/value.ts'
import type { Capability } from './capability.ts'
import { isCapability, LEGACY } from './capability.ts'
import { goQuote } from '../std/go-quote.ts'
import { checkListFilter } from './list-filter.ts'
import type { ParameterTable, ParsedRule } from './parsed-policy.ts'
import { classify, isForbidden, withoutLeadingSlash } from './pattern.ts'
import { PolicyError } from './policy-error.ts'
import type { PatternPart } from './template.ts'
import { timeOf } from './time.ts'

/** What a block says, by type, before it is judged. */
interface Fields {
  readonly policy: string
  readonly capabilities: readonly string[]
  readonly minWrappingTtl: HclValue | undefined
  readonly maxWrappingTtl: HclValue | undefined
  readonly allowed: ReadonlyMap<string, readonly HclValue[]> | undefined
  readonly denied: ReadonlyMap<string, readonly HclValue[]> | undefined
  readonly required: readonly string[]
  readonly mfaMethods: readonly string[]
  readonly paginationLimit: number
  readonly expiration: string | undefined
  readonly listFilter: string
}

/** In the order of the reference, which decides what is complained of first. */
const fieldsOf = (body: HclObject): Fields => ({
  // Error texts name these two as the reference's own fields.
  policy: decodeString('root.Policy', select(body, 'policy')) ?? '',
  capabilities: decodeStrings('root.Capabilities', select(body, 'capabilities')) ?? [],
  minWrappingTtl: decodeAny(select(body, 'min_wrapping_ttl')),
  maxWrappingTtl: decodeAny(select(body, 'max_wrapping_ttl')),
  allowed: decodeLists('root.allowed_parameters', select(body, 'allowed_parameters')),
  denied: decodeLists('root.denied_parameters', select(body, 'denied_parameters')),
  required: decodeStrings('root.required_parameters', select(body, 'required_parameters')) ?? [],
  mfaMethods: decodeStrings('root.mfa_methods', select(body, 'mfa_methods')) ?? [],
  paginationLimit: Number(
    decodeInteger('root.pagination_limit', select(body, 'pagination_limit')) ?? 0n,
  ),
  expiration: decodeString('root.expiration', select(body, 'expiration')),
  listFilter:
    decodeString(
      'root.list_scan_response_keys_filter_path',
      select(body, 'list_scan_response_keys_filter_path'),
    ) ?? '',
})

const capabilitiesOf = (
  { policy, capabilities }: Fields,
  prefix: string,
): readonly Capability[] => {
  const legacy = LEGACY.get(policy)
  if (policy !== '' && legacy === undefined)
    throw new PolicyError(`${prefix}invalid policy ${goQuote(policy)}`)
  const words = new Set<Capability>()
  for (const word of policy === 'deny' ? ['deny'] : [...capabilities, ...(legacy ?? [])]) {
    // What follows a deny is not looked at.
    if (word === 'deny') return ['deny']
    if (!isCapability(word)) throw new PolicyError(`${prefix}invalid capability ${goQuote(word)}`)
    words.add(word)
  }
  return [...words]
}

/** Names without case; where two differ in case only, the last counts. */
const tableOf = (
  lists: ReadonlyMap<string, readonly HclValue[]> | undefined,
): ParameterTable | undefined =>
  lists && [...new Map([...lists].map(([name, values]) => [goLower(name), values]))]

const secondsOf = (name: string, value: HclValue | undefined): number => {
  if (value === undefined) return 0
  try {
    if (typeof value === 'number') return Math.trunc(value)
    if (typeof value !== 'string') throw new DurationError('could not parse duration from input')
    return Number(parseVaultNanoseconds(value)) / 1e9
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    throw new PolicyError(`error parsing ${name}: ${error.message}`)
  }
}

/** The TTLs between which a wrapping must lie; absent when 0. */
const wrappingOf = (fields: Fields): Pick<ParsedRule, 'minWrappingTtl' | 'maxWrappingTtl'> => {
  const min = secondsOf('min_wrapping_ttl', fields.minWrappingTtl)
  const max = secondsOf('max_wrapping_ttl', fields.maxWrappingTtl)
  if (min !== 0 && max !== 0 && max < min)
    throw new PolicyError('max_wrapping_ttl cannot be less than min_wrapping_ttl')
  return { ...(min !== 0 && { minWrappingTtl: min }), ...(max !== 0 && { maxWrappingTtl: max }) }
}

const expirationOf = ({ expiration }: Fields, prefix: string): Pick<ParsedRule, 'expiration'> => {
  if (expiration === undefined || expiration === '') return {}
  const time = timeOf(expiration)
  if (time === undefined) {
    throw new PolicyError(
      `${prefix}invalid expiration time: could not parse string as date and time`,
    )
  }
  return { expiration: time }
}

const listFilterOf = (
  { listFilter }: Fields,
  capabilities: readonly Capability[],
): Pick<ParsedRule, 'listFilter'> => {
  if (listFilter === '') return {}
  if (!capabilities.includes('list') && !capabilities.includes('scan')) {
    throw new PolicyError(
      'list_scan_response_keys_filter_path needs to be used on a path with the list capability',
    )
  }
  checkListFilter(listFilter)
  return { listFilter }
}

const patternOf = (
  pattern: string,
  parts: readonly PatternPart[] | undefined,
): Pick<ParsedRule, 'pattern' | 'kind' | 'parts'> => {
  const bare = withoutLeadingSlash(pattern)
  if (isForbidden(bare)) {
    throw new PolicyError(`path ${goQuote(bare)}: invalid use of wildcards ('+*' is forbidden)`)
  }
  if (parts !== undefined) return { pattern, kind: 'template', parts }
  const { text, kind } = classify(bare)
  return { pattern: text, kind }
}

/**
 * Reads the body of a `path` block whose keys are known. Throws HclError for values of another type and PolicyError for
 * values that say nothing.
 */
export const readRule = (
  pattern: string,
  parts: readonly PatternPart[] | undefined,
  body: HclObject,
): ParsedRule => {
  const fields = fieldsOf(body)
  const prefix = `path ${goQuote(pattern)}: `
  const matched = patternOf(pattern, parts)
  const capabilities = capabilitiesOf(fields, prefix)
  if (capabilities.includes('deny')) return { ...matched, capabilities }
  const allowed = tableOf(fields.allowed)
  const denied = tableOf(fields.denied)
  const { required, mfaMethods, paginationLimit } = fields
  return {
    ...matched,
    capabilities,
    ...(allowed && { allowed }),
    ...(denied && { denied }),
    ...wrappingOf(fields),
    ...(required.length > 0 && { required }),
    ...(mfaMethods.length > 0 && { mfaMethods }),
    ...(paginationLimit !== 0 && { paginationLimit }),
    ...expirationOf(fields, prefix),
    ...listFilterOf(fields, capabilities),
  }
}
