import { goLower } from '../../std/go-lower.ts'
import { compareBytes } from '../../std/json.ts'

/** Names in lower case, trimmed, blanks left out, once each, sorted. */
export const lowerNames = (names: readonly string[]): string[] =>
  [...new Set(names.map((name) => goLower(name.trim())).filter((name) => name !== ''))].sort(
    compareBytes,
  )

/** Names of policies as tokens carry them: `root` alone when it is among them, else with `default` if that is to be added. */
export const policyNames = (names: readonly string[], addDefault: boolean): string[] => {
  const clean = lowerNames(addDefault ? [...names, 'default'] : names)
  return clean.includes('root') ? ['root'] : clean
}
