import { Breather } from '../../std/breather.ts'
import { goLower } from '../../std/go-lower.ts'
import { compareBytes } from '../../std/json.ts'
import { sortInSlices } from '../../std/sort-in-slices.ts'

/** A list as the reference keeps ids: trimmed, no blanks, each once, sorted. */
export const sortedOnce = (list: readonly string[]): string[] =>
  [...new Set(list.map((text) => text.trim()))].filter((text) => text !== '').sort(compareBytes)

/** Longer lists are looked at while others run. */
const AT_ONCE = 256

/** The same as `sortedOnce`, of a list that may be long. */
export const longSortedOnce = async (list: readonly string[]): Promise<readonly string[]> => {
  if (list.length <= AT_ONCE) return sortedOnce(list)
  const breather = new Breather()
  const once: string[] = []
  const sorted = await sortInSlices(list, (a, b) => compareBytes(a.trim(), b.trim()), breather)
  for (let at = 0; at < sorted.length; at++) {
    const text = sorted[at]!.trim()
    if (text !== '' && text !== once.at(-1)) once.push(text)
    if (at % AT_ONCE === 0) await breather.due()
  }
  return once
}

/** A list of policy names as the reference keeps them: lower case besides. */
export const policyNames = (list: readonly string[]): string[] => sortedOnce(list.map(goLower))
