import { goLower } from '../../std/go-lower.ts'

/** Order of the UTF-8 bytes, as the reference sorts. */
export const byBytes = (a: string, b: string): number => {
  if (a === b) return 0
  // Code units are in the order of bytes but for surrogates.
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

const SURROGATE = /[\ud800-\udfff]/

/** A list as the reference keeps ids: trimmed, no blanks, each once, sorted. */
export const sortedOnce = (list: readonly string[]): string[] =>
  [...new Set(list.map((text) => text.trim()))].filter((text) => text !== '').sort(byBytes)

/** A list of policy names as the reference keeps them: lower case besides. */
export const policyNames = (list: readonly string[]): string[] => sortedOnce(list.map(goLower))
