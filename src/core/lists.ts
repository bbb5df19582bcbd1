import type { ListPage } from '../engine/result.ts'

/** `data` of a list, of the keys that `keeps` lets through; undefined when it is empty. Other work goes on between the pages. */
export const collectList = async (
  pages: AsyncIterable<ListPage>,
  keeps: ((key: string) => boolean) | undefined,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const keys: string[] = []
  let keyInfo: Record<string, unknown> | undefined
  for await (const page of pages) {
    for (const key of page.keys) if (keeps === undefined || keeps(key)) keys.push(key)
    if (page.keyInfo !== undefined) {
      keyInfo ??= Object.create(null) as Record<string, unknown>
      for (const [key, info] of Object.entries(page.keyInfo)) {
        if (keeps === undefined || keeps(key)) keyInfo[key] = info
      }
    }
    await new Promise(setImmediate)
  }
  if (keys.length === 0) return undefined
  return keyInfo === undefined ? { keys } : { key_info: keyInfo, keys }
}
