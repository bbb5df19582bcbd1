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

const NOTHING: AclRule = {
  pattern: '',
  mask: 0,
  grants: [],
  allowed: undefined,
  denied: undefined,
  required: [],
  minWrappingTtl: 0,
  maxWrappingTtl: 0,
  paginationLimit: 0,
  listFilter: undefined,
}

const mergeTables = (
  old: ParameterMap | undefined,
  table: ParameterTable | undefined,
): ParameterMap | undefined => {
  if (table === undefined) return old
  if (old === undefined) return new Map(table)
  const merged = new Map(old)
  for (const [name, values] of table) {
    const before = old.get(name)
    const any = values.length === 0 || before?.length === 0
    merged.set(name, any ? [] : [...values, ...(before ?? [])])
  }
  return merged
}

/** The smaller of the two that is above zero; 0 when neither is. */
const smaller = (a: number, b: number | undefined): number =>
  b === undefined || b <= 0 ? a : a === 0 ? b : Math.min(a, b)

const addNames = (
  old: readonly string[],
  added: readonly string[] | undefined,
): readonly string[] =>
  added === undefined ? old : [...new Set([...old, ...added.map((name) => goLower(name))])]

/** Adds a policy's block to what is known of its pattern; undefined = nothing yet. */
export const mergeRule = (
  old: AclRule | undefined,
  pattern: string,
  added: ParsedRule,
  policy: string,
): AclRule => {
  const before = old ?? NOTHING
  const mask = maskOf(added.capabilities)
  const grants = [...before.grants, { policy, mask }]
  if (((before.mask | mask) & BIT.deny) !== 0)
    return { ...NOTHING, pattern, mask: BIT.deny, grants }
  return {
    pattern,
    mask: before.mask | mask,
    grants,
    allowed: mergeTables(before.allowed, added.allowed),
    denied: mergeTables(before.denied, added.denied),
    required: addNames(before.required, added.required),
    minWrappingTtl: smaller(before.minWrappingTtl, added.minWrappingTtl),
    maxWrappingTtl: smaller(before.maxWrappingTtl, added.maxWrappingTtl),
    paginationLimit: smaller(before.paginationLimit, added.paginationLimit),
    listFilter: before.listFilter ?? added.listFilter,
  }
}
