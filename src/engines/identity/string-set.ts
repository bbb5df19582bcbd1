import { goLower } from '../../std/go-lower.ts'
import { compareBytes } from '../../std/json.ts'

/** A list as the reference keeps ids: trimmed, no blanks, each once, sorted. */
export const sortedOnce = (list: readonly string[]): string[] =>
  [...new Set(list.map((text) => text.trim()))].filter((text) => text !== '').sort(compareBytes)

/** A list of policy names as the reference keeps them: lower case besides. */
export const policyNames = (list: readonly string[]): string[] => sortedOnce(list.map(goLower))
