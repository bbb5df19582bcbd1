/** One list in the order of `keyOf` out of several that are in it; of equal keys, that of the earlier list first. */
export const mergeSorted = async function* <T>(
  lists: readonly AsyncIterable<T>[],
  keyOf: (item: T) => string,
): AsyncGenerator<T> {
  const heads: { readonly from: AsyncIterator<T>; item: T; key: string }[] = []
  for (const list of lists) {
    const from = list[Symbol.asyncIterator]()
    const { done, value } = await from.next()
    if (done !== true) heads.push({ from, item: value, key: keyOf(value) })
  }
  try {
    while (heads.length > 0) {
      let least = heads[0]!
      for (const head of heads) if (head.key < least.key) least = head
      yield least.item
      const { done, value } = await least.from.next()
      if (done === true) heads.splice(heads.indexOf(least), 1)
      else {
        least.item = value
        least.key = keyOf(value)
      }
    }
  } finally {
    for (const { from } of heads) await from.return?.()
  }
}
