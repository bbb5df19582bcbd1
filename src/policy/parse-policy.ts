import { errorList } from '../engine/refusal.ts'
import type { HclItem, HclNode, HclObject } from '../std/hcl/ast.ts'
import { decodeString, select } from '../std/hcl/decode.ts'
import { parseHcl } from '../std/hcl/hcl.ts'
import { HclError } from '../std/hcl/hcl-error.ts'
import { goQuote } from '../std/go-quote.ts'
import type { ParsedPolicy, ParsedRule } from './parsed-policy.ts'
import { PolicyError } from './policy-error.ts'
import { readRule } from './read-rule.ts'
import { parsePattern } from './template.ts'

const TOP_KEYS = new Set(['name', 'path'])
const RULE_KEYS = new Set([
  'comment',
  'policy',
  'capabilities',
  'allowed_parameters',
  'denied_parameters',
  'required_parameters',
  'min_wrapping_ttl',
  'max_wrapping_ttl',
  'mfa_methods',
  'pagination_limit',
  'expiration',
  'list_scan_response_keys_filter_path',
])

/** One text for each key that nobody knows; blocks have no `=`, which the reference shows as line 0. */
const unknownKeys = (object: HclObject, known: ReadonlySet<string>): readonly string[] =>
  object.items.flatMap(({ keys, assign }) => {
    const key = keys[0]?.value ?? ''
    return known.has(key) ? [] : [`invalid key ${goQuote(key)} on line ${assign?.line ?? 0}`]
  })

const checkKeys = (object: HclObject, known: ReadonlySet<string>, prefix: string): void => {
  const errors = unknownKeys(object, known)
  if (errors.length > 0) throw new PolicyError(errorList(errors.map((text) => prefix + text)))
}

const bodyOf = (value: HclNode, prefix: string): HclObject => {
  if (value.kind === 'object') return value
  const type = value.kind === 'list' ? '*ast.ListType' : '*ast.LiteralType'
  throw new PolicyError(`${prefix}cannot check HCL keys of type ${type}`)
}

/** Runs what may refuse a value's type; its text then begins with `path "…": `. */
const within = <T>(prefix: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof HclError) throw new PolicyError(prefix + error.message)
    throw error
  }
}

const ruleOf = ({ keys, value }: HclItem): ParsedRule => {
  // A block without a label is one for the path "path": a curiosity of the reference.
  const pattern = keys[0]?.value ?? 'path'
  const parts = parsePattern(pattern)
  const prefix = `path ${goQuote(pattern)}: `
  const body = bodyOf(value, prefix)
  checkKeys(body, RULE_KEYS, prefix)
  return within(prefix, () => readRule(pattern, parts, body))
}

const parse = (text: string | Uint8Array): ParsedPolicy => {
  const document = parseHcl(text)
  checkKeys(document, TOP_KEYS, '')
  decodeString('root.name', select(document, 'name'))
  const rules = select(document, 'path').map(ruleOf)
  return { rules, templated: rules.some(({ kind }) => kind === 'template') }
}

/**
 * Reads the text of a policy, HCL or JSON. Bytes are for texts that came as base64: they need not be UTF-8. Throws
 * PolicyError; its message is what the reference says after `failed to parse policy: ` (spec/auth.md 3.3).
 */
export const parsePolicy = (text: string | Uint8Array): ParsedPolicy => {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof HclError) throw new PolicyError(error.message)
    throw error
  }
}
