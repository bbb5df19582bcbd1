import { errorList } from '../../engine/refusal.ts'
import { HclError } from '../../std/hcl/hcl-error.ts'
import { parseHcl } from '../../std/hcl/hcl.ts'
import type { HclBlock, HclValue } from '../../std/hcl/value.ts'
import { hclToValue } from '../../std/hcl/value.ts'

/** At least so many characters are out of these. */
export interface CharsetRule {
  readonly characters: readonly string[]
  readonly atLeast: number
}

/** What a password policy says. */
export interface PasswordPolicy {
  /** In characters. */
  readonly length: number
  /** All characters that may be used, each once. */
  readonly characters: readonly string[]
  readonly rules: readonly CharsetRule[]
}

/** A text that is no password policy; its message says why, in the words of the reference where it has them. */
export class BadPasswordPolicy extends Error {
  override readonly name = 'BadPasswordPolicy'
}

/** Lengths a password may have. */
export const PASSWORD_LENGTHS = { least: 4, most: 100 } as const

const bad = (text: string): BadPasswordPolicy => new BadPasswordPolicy(text)

const isBlock = (value: HclValue | undefined): value is HclBlock =>
  typeof value === 'object' && !Array.isArray(value)

const listOfValue = (value: HclValue | undefined): readonly HclValue[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly HclValue[]) : [value]

const goType = (value: HclValue): string => {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'string' : 'float64'
}

/** Names are taken whatever the case of their letters. */
const member = (block: HclBlock, name: string): HclValue | undefined => {
  const found = Object.keys(block).find((key) => key.toLowerCase() === name)
  return found === undefined ? undefined : block[found]
}

const integer = (block: HclBlock, name: string): number => {
  const value = member(block, name)
  if (value === undefined) return 0
  if (typeof value === 'number') return Math.trunc(value)
  throw bad(
    `failed to decode configuration: decoding failed due to the following error(s):\n\n'${name}' expected type 'int', got unconvertible type '${goType(value)}'`,
  )
}

const charsetRule = (block: HclBlock): CharsetRule => {
  const charset = member(block, 'charset') ?? ''
  if (typeof charset !== 'string') {
    throw bad(
      `unable to parse rules: unable to parse rule charset: 'charset' expected type 'string', got unconvertible type '${goType(charset)}'`,
    )
  }
  return { characters: [...new Set(charset)].sort(), atLeast: integer(block, 'min-chars') }
}

const rulesOf = (value: HclValue | undefined): CharsetRule[] =>
  listOfValue(value).flatMap((named) => {
    if (!isBlock(named)) throw bad('unable to parse rules: a rule must be a block with a name')
    return Object.entries(named).flatMap(([type, blocks]) => {
      if (type !== 'charset') {
        throw bad(
          `unable to parse rules: unable to parse rule ${type}: unrecognized rule type ${type}`,
        )
      }
      return listOfValue(blocks).map((block) => {
        if (!isBlock(block)) throw bad('unable to parse rules: a rule must be a block with a name')
        return charsetRule(block)
      })
    })
  })

/** Reads a policy. Throws BadPasswordPolicy. */
export const parsePasswordPolicy = (text: string): PasswordPolicy => {
  let values: HclValue
  try {
    values = hclToValue(parseHcl(text))
  } catch (error) {
    if (error instanceof HclError) throw bad(`unable to decode: ${error.message}`)
    throw error
  }
  if (!isBlock(values)) throw bad('unable to decode: there must be names and values')
  const length = integer(values, 'length')
  const rules = rulesOf(member(values, 'rule'))
  const characters = [...new Set(rules.flatMap((rule) => rule.characters))].sort()
  const faults = faultsOf({ length, rules, characters })
  if (faults.length > 0) throw bad(errorList(faults))
  return { length, rules, characters }
}

const faultsOf = ({ length, rules, characters }: PasswordPolicy): string[] => {
  const least = rules.reduce((sum, { atLeast }) => sum + Math.max(0, atLeast), 0)
  return [
    ...(length > 0 ? [] : ['length must be > 0']),
    ...(length < least
      ? [`specified rules require at least ${least} characters but ${length} is specified`]
      : []),
    ...(characters.length > 0 ? [] : ['no charset specified']),
    ...(characters.every((character) => /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character))
      ? []
      : ['non-printable character in charset']),
  ]
}

/** Whether no password can keep to it: a rule asks for characters and names none. */
export const isImpossible = ({ rules }: PasswordPolicy): boolean =>
  rules.some(({ atLeast, characters }) => atLeast > 0 && characters.length === 0)

type RandomBytes = (length: number) => Buffer

/** A whole number from 0 and below `bound`, each as likely as the other. */
const below = (bound: number, randomBytes: RandomBytes): number => {
  const most = 2 ** 32 - (2 ** 32 % bound)
  for (;;) {
    const drawn = randomBytes(4).readUInt32BE(0)
    if (drawn < most) return drawn % bound
  }
}

/** A random password that keeps to a policy which is not impossible: what the rules ask for, the rest out of all characters, mixed. */
export const drawPassword = (policy: PasswordPolicy, randomBytes: RandomBytes): string => {
  const drawn: string[] = []
  const draw = (characters: readonly string[], count: number): void => {
    for (let at = 0; at < count; at++) {
      drawn.push(characters[below(characters.length, randomBytes)]!)
    }
  }
  for (const { characters, atLeast } of policy.rules) draw(characters, atLeast)
  draw(policy.characters, policy.length - drawn.length)
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = below(at + 1, randomBytes)
    const kept = drawn[at]!
    drawn[at] = drawn[other]!
    drawn[other] = kept
  }
  return drawn.join('')
}
