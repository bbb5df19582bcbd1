import type { Capability } from './capability.ts'
import type { PatternPart } from './template.ts'

/** A policy as its text says, ready to be stored and compiled: plain data, no Maps, no undefined members. */
export interface ParsedPolicy {
  /** In the order of the text; several blocks for one pattern stay apart until they are compiled. */
  readonly rules: readonly ParsedRule[]
  /** Whether some pattern holds `{{ … }}`. */
  readonly templated: boolean
}

/**
 * How a pattern is matched (spec/auth.md 3.5). `template`: known only once it is rendered, because a value may add or
 * end in a wildcard.
 */
export type PatternKind = 'exact' | 'prefix' | 'segments' | 'template'

/** A value a parameter is compared with. Numbers never equal what a request sends (recorded: host/policy/parameters). */
export type ParameterValue =
  | string
  | boolean
  | number
  | readonly ParameterValue[]
  | { readonly [name: string]: ParameterValue }

/** Parameters and their values by lower-cased name, in the order of the text; no values = any value. */
export type ParameterTable = readonly (readonly [name: string, values: readonly ParameterValue[]])[]

/** One `path` block. */
export interface ParsedRule {
  /**
   * Without a leading `/`. A prefix pattern without its `*`; a pattern with segment wildcards as written; a template as
   * written, leading `/` included.
   */
  readonly pattern: string
  readonly kind: PatternKind
  /** Only with kind `template`: the pattern in parts. */
  readonly parts?: readonly PatternPart[]
  /** Each once; `deny` alone when it was among them, and then nothing else is set. */
  readonly capabilities: readonly Capability[]
  readonly allowed?: ParameterTable
  readonly denied?: ParameterTable
  /** Names as written. */
  readonly required?: readonly string[]
  /** Seconds, a fraction if the text had one; absent when 0. */
  readonly minWrappingTtl?: number
  readonly maxWrappingTtl?: number
  /** Entries a list may give at once; may be negative, which limits nothing. */
  readonly paginationLimit?: number
  /** Unix time in ms from which on the block counts for nothing. */
  readonly expiration?: number
  readonly mfaMethods?: readonly string[]
  /** A checked template for filterKey (list-filter.ts). */
  readonly listFilter?: string
}
