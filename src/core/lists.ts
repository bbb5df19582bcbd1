import type { ListPage } from '../engine/result.ts'

/** `data` of a list; undefined when it is empty. Other work goes on between the pages. */
export const collectList = async (
  pages: AsyncIterable<ListPage>,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const keys: string[] = []
  let keyInfo: Record<string, unknown> | undefined
  for await (const page of pages) {
    for (const key of page.keys) keys.push(key)
    if (page.keyInfo !== undefined) {
      keyInfo ??= Object.create(null) as Record<string, unknown>
      Object.assign(keyInfo, page.keyInfo)
    }
    await new Promise(setImmediate)
  }
  if (keys.length === 0) return undefined
  return keyInfo === undefined ? { keys } : { key_info: keyInfo, keys }
}
