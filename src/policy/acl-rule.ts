import { goLower } from '../std/go-lower.ts'
import { BIT, maskOf } from './capability.ts'
import type { ParameterTable, ParameterValue, ParsedRule } from './parsed-policy.ts'

/** Values by lower-cased parameter name; an empty list = any value. */
export type ParameterMap = ReadonlyMap<string, readonly ParameterValue[]>

/** Which policy put which capabilities into a rule. */
export interface Grant {
  readonly policy: string
  readonly mask: number
}

/** All blocks for one pattern, merged (spec/auth.md 3.6). */
export interface AclRule {
  /** As a policy would write it. */
  readonly pattern: string
  readonly mask: number
  readonly grants: readonly Grant[]
  /** Undefined: no block restricts them; an empty map restricts nothing either, but is merged as a map. */
  readonly allowed: ParameterMap | undefined
  readonly denied: ParameterMap | undefined
  /** Lower-cased, each once. */
  readonly required: readonly string[]
  /** Seconds; 0 = none. */
  readonly minWrappingTtl: number
  readonly maxWrappingTtl: number
  /** 0 = none. */
  readonly paginationLimit: number
  readonly listFilter: string | undefined
}

/** The smaller of the two that is above zero; 0 when neither is. */
const smaller = (a: number, b: number | undefined): number =>
  b === undefined || b <= 0 ? a : a === 0 ? b : Math.min(a, b)

/** Adds a block's parameters: an empty list on either side means any value, else the lists add up. */
const addTable = (
  known: Map<string, ParameterValue[]> | undefined,
  added: ParameterTable | undefined,
): Map<string, ParameterValue[]> | undefined => {
  if (added === undefined) return known
  if (known === undefined) return new Map(added.map(([name, values]) => [name, [...values]]))
  for (const [name, values] of added) {
    const before = known.get(name)
    if (before === undefined) known.set(name, [...values])
    else if (before.length === 0 || values.length === 0) known.set(name, [])
    else for (const value of values) before.push(value)
  }
  return known
}

/** Merges the blocks for one pattern, in the order of the policies' names (spec/auth.md 3.6). */
export class RuleBuilder {
  readonly #pattern: string
  readonly #grants = new Map<string, number>()
  readonly #required = new Set<string>()
  #mask = 0
  #allowed: Map<string, ParameterValue[]> | undefined
  #denied: Map<string, ParameterValue[]> | undefined
  #minWrappingTtl = 0
  #maxWrappingTtl = 0
  #paginationLimit = 0
  #listFilter: string | undefined

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  add(rule: ParsedRule, policy: string): void {
    const mask = maskOf(rule.capabilities)
    this.#grants.set(policy, (this.#grants.get(policy) ?? 0) | mask)
    this.#mask |= mask
    if ((this.#mask & BIT.deny) !== 0) return
    for (const name of rule.required ?? []) this.#required.add(goLower(name))
    this.#allowed = addTable(this.#allowed, rule.allowed)
    this.#denied = addTable(this.#denied, rule.denied)
    this.#minWrappingTtl = smaller(this.#minWrappingTtl, rule.minWrappingTtl)
    this.#maxWrappingTtl = smaller(this.#maxWrappingTtl, rule.maxWrappingTtl)
    this.#paginationLimit = smaller(this.#paginationLimit, rule.paginationLimit)
    this.#listFilter ??= rule.listFilter
  }

  build(): AclRule {
    const denied = (this.#mask & BIT.deny) !== 0
    return {
      pattern: this.#pattern,
      mask: denied ? BIT.deny : this.#mask,
      grants: Array.from(this.#grants, ([policy, mask]) => ({ policy, mask })),
      allowed: denied ? undefined : this.#allowed,
      denied: denied ? undefined : this.#denied,
      required: denied ? [] : [...this.#required],
      minWrappingTtl: denied ? 0 : this.#minWrappingTtl,
      maxWrappingTtl: denied ? 0 : this.#maxWrappingTtl,
      paginationLimit: denied ? 0 : this.#paginationLimit,
      listFilter: denied ? undefined : this.#listFilter,
    }
  }
}
