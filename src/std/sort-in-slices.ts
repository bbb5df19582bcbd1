import type { Breather } from './breather.ts'

/** Items sorted, or merged, without looking at the time: some tens of microseconds. */
const AT_ONCE = 128

/**
 * The items in order, equal ones as they stood, as `toSorted` gives them; others run meanwhile. Where they are in order already
 * it costs one look at each.
 */
export const sortInSlices = async <T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  breather: Breather,
): Promise<T[]> => {
  if (await isInOrder(items, compare, breather)) return [...items]
  let from: T[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) {
    from.push(...items.slice(at, at + AT_ONCE).sort(compare))
    await breather.due()
  }
  for (let width = AT_ONCE; width < from.length; width *= 2) {
    const into: T[] = []
    for (let at = 0; at < from.length; at += 2 * width) {
      const middle = Math.min(at + width, from.length)
      const end = Math.min(at + 2 * width, from.length)
      let left = at
      let right = middle
      while (left < middle || right < end) {
        const fromLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0)
        into.push(fromLeft ? from[left++]! : from[right++]!)
        if (into.length % AT_ONCE === 0) await breather.due()
      }
    }
    from = into
  }
  return from
}

const isInOrder = async <T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  breather: Breather,
): Promise<boolean> => {
  for (let at = 1; at < items.length; at++) {
    if (compare(items[at - 1]!, items[at]!) > 0) return false
    if (at % AT_ONCE === 0) await breather.due()
  }
  return true
}
