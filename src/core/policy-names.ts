import { goLower } from '../std/go-lower.ts'
import { compareBytes } from '../std/json.ts'

/**
 * Policy names as tokens carry them: trimmed, lower case, sorted, once each, blanks left out; `root` swallows all others
 * (spec/auth.md 2.4, 9).
 */
export const cleanPolicies = (names: readonly string[], addDefault: boolean): string[] => {
  const clean = new Set(names.map((name) => goLower(name.trim())).filter((name) => name !== ''))
  if (clean.has('root')) return ['root']
  if (addDefault) clean.add('default')
  return [...clean].sort(compareBytes)
}
