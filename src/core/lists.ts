import type { ListPage } from '../engine/result.ts'
import { auditLimits } from '../audit/limits.ts'
import type { Json } from '../std/json.ts'
import { stringifyJson } from '../std/json.ts'
import { nextTurn } from '../std/next-turn.ts'

type Keeps = ((key: string) => boolean) | undefined

/**
 * `data` of a list, of the keys that `keeps` lets through; undefined when it is empty. With `limit`, of the first so many of
 * them, and where to go on: a key that is not shown is never named there either. Other work goes on between the pages.
 */
export const collectList = async (
  pages: AsyncIterable<ListPage>,
  keeps: Keeps,
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
    await nextTurn()
  }
  if (keys.length === 0) return undefined
  return {
    ...(keyInfo === undefined ? {} : { key_info: keyInfo }),
    keys,
    ...(limit === undefined ? {} : { page: { next: more ? last : null } }),
  }
}

/**
 * A list of so many keys that its text is not held, but sent while it is read: a million entities with what is shown of each
 * are some hundred megabytes, and making them in one go would hold up everybody else (architecture.md E1).
 */
export class LongList {
  /** The text of `data`. */
  readonly data: AsyncIterable<Uint8Array>
  #keys = 0
  readonly #hasInfo: boolean

  constructor(pages: AsyncIterable<ListPage>, hasInfo: boolean) {
    this.#hasInfo = hasInfo
    this.data = hasInfo ? this.#withInfo(pages) : this.#keysAlone(pages)
  }

  /** What the audit entry shows: counts, as of every answer with so many members. */
  summary(): Readonly<Record<string, Json>> {
    return { ...(this.#hasInfo ? { key_info: this.#keys } : {}), keys: this.#keys }
  }

  async *#keysAlone(pages: AsyncIterable<ListPage>): AsyncGenerator<Uint8Array> {
    let before = '{"keys":['
    for await (const { keys } of pages) {
      yield this.#part(before, keys)
      before = ','
    }
    yield Buffer.from(']}')
  }

  /** `key_info` comes first on the wire, so the keys wait: as bytes, outside of the heap. */
  async *#withInfo(pages: AsyncIterable<ListPage>): AsyncGenerator<Uint8Array> {
    const waiting: Uint8Array[] = []
    let before = '{"key_info":{'
    for await (const { keys, keyInfo = {} } of pages) {
      waiting.push(this.#part(waiting.length === 0 ? '},"keys":[' : ',', keys))
      const members = stringifyJson(keyInfo as Json).slice(1, -1)
      if (members === '') continue
      yield Buffer.from(`${before}${members}`)
      before = ','
    }
    yield* waiting
    yield Buffer.from(']}')
  }

  #part(before: string, keys: readonly string[]): Uint8Array {
    this.#keys += keys.length
    return Buffer.from(`${before}${stringifyJson(keys).slice(1, -1)}`)
  }
}

/** The keys of a page that may be seen, with what is shown of them. */
const kept = (page: ListPage, keeps: Keeps): ListPage => {
  if (keeps === undefined) return page
  const keys = page.keys.filter(keeps)
  const { keyInfo } = page
  if (keyInfo === undefined) return { keys }
  const shown = keys.filter((key) => Object.hasOwn(keyInfo, key))
  return { keys, keyInfo: Object.fromEntries(shown.map((key) => [key, keyInfo[key]])) }
}

/**
 * A list of everything: collected, or as a LongList once it has more keys than an audit entry shows. Pages without a key that
 * may be seen are left out.
 */
export const wholeList = async (
  pages: AsyncIterable<ListPage>,
  keeps: Keeps,
): Promise<Readonly<Record<string, unknown>> | LongList | undefined> => {
  const iterator = pages[Symbol.asyncIterator]()
  const held: ListPage[] = []
  let keys = 0
  while (keys <= auditLimits.listKeys) {
    const step = await iterator.next()
    if (step.done === true) return collectList(fromStart(held), undefined)
    const page = kept(step.value, keeps)
    if (page.keys.length > 0) held.push(page)
    keys += page.keys.length
    await nextTurn()
  }
  const hasInfo = held.some(({ keyInfo }) => keyInfo !== undefined)
  return new LongList(goingOn(held, iterator, keeps), hasInfo)
}

const fromStart = async function* (held: readonly ListPage[]): AsyncGenerator<ListPage> {
  yield* held
}

const goingOn = async function* (
  held: ListPage[],
  iterator: AsyncIterator<ListPage>,
  keeps: Keeps,
): AsyncGenerator<ListPage> {
  try {
    for (const page of held.splice(0)) {
      yield page
      await nextTurn()
    }
    for (;;) {
      const step = await iterator.next()
      if (step.done === true) return
      const page = kept(step.value, keeps)
      if (page.keys.length > 0) yield page
      await nextTurn()
    }
  } finally {
    await iterator.return?.()
  }
}
