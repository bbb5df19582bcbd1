import type { ListPage } from '../engine/result.ts'

/**
 * `data` of a list, of the keys that `keeps` lets through; undefined when it is empty. With `limit`, of the first so many of
 * them, and where to go on: a key that is not shown is never named there either. Other work goes on between the pages.
 */
export const collectList = async (
  pages: AsyncIterable<ListPage>,
  keeps: ((key: string) => boolean) | undefined,
  limit?: number,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const most = limit ?? Infinity
  const keys: string[] = []
  let keyInfo: Record<string, unknown> | undefined
  let last: string | null = null
  let more = false
  for await (const page of pages) {
    if (page.keyInfo !== undefined) keyInfo ??= Object.create(null) as Record<string, unknown>
    for (const [index, key] of page.keys.entries()) {
      if (keeps !== undefined && !keeps(key)) continue
      if (keys.length === most) {
        more = true
        break
      }
      keys.push(key)
      last = page.cursors?.[index] ?? key
      if (keyInfo !== undefined && page.keyInfo !== undefined && Object.hasOwn(page.keyInfo, key)) {
        keyInfo[key] = page.keyInfo[key]
      }
    }
    if (more) break
    await new Promise(setImmediate)
  }
  if (keys.length === 0) return undefined
  return {
    ...(keyInfo === undefined ? {} : { key_info: keyInfo }),
    keys,
    ...(limit === undefined ? {} : { page: { next: more ? last : null } }),
  }
}
