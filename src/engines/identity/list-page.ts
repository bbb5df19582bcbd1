import { FieldError, field } from '../../engine/field.ts'
import type { Records, RecordRange, Ref, Scanned } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import type { Json } from '../../std/json.ts'
import { JsonNumber } from '../../std/json.ts'

/**
 * How many keys a page has. What a policy's `pagination_limit` puts in place of the parameter is a number here, 0 for all; it
 * may be more than a page holds. Clients send text, or a number in JSON.
 */
const pageLimit = (value: Json): number => {
  const most = limits.pageKeys
  if (value === 'max') return most
  if (typeof value === 'number' && (value === 0 || value > most)) return most
  const text = value instanceof JsonNumber ? value.literal : JSON.stringify(value)
  const limit = Number(/^"?(\d{1,4})"?$/.exec(text)?.[1] ?? 0)
  if (limit < 1 || limit > most) throw new FieldError(`must be a whole number from 1 to ${most}`)
  return limit
}

/** The parameters of lists that page: spread into a route's fields. With neither of them, all is listed. */
export const pageFields = {
  after: field.string({
    default: '',
    description: 'Begin behind this key: the last one of the page before, or its page.next',
  }),
  limit: {
    ...field.int({ description: `At most so many keys, 1 to ${limits.pageKeys}` }),
    coerce: pageLimit,
  },
}

/** What a list asks of its page; undefined: all of it. */
export interface Page {
  /** Where the page begins; undefined: at the beginning. The key itself need not exist any more. */
  readonly after: Uint8Array | undefined
  readonly limit: number
}

interface PageCall {
  readonly input: { readonly after: string; readonly limit: number | undefined }
  readonly has: (field: 'after' | 'limit') => boolean
}

/** Where `page.next` of lists by name points: a place among the ids, which is there whatever becomes of the name. */
const PLACE = /^id:(.{36})$/

/** What to send as `after`, to go on behind an id in a list whose keys are not ids. */
export const placeOf = (id: string): string => `id:${id}`

const bytesOfPlace = (text: string): Uint8Array | undefined => {
  const id = PLACE.exec(text)?.[1]
  return id === undefined ? undefined : idBytes(id)
}

const limitOf = ({ input }: PageCall): number => input.limit ?? limits.pageKeys

const isPaged = (call: PageCall): boolean => call.has('after') || call.has('limit')

/** The page that a list by id asks for. Throws a Refusal for an `after` that is no id. */
export const pageById = (call: PageCall): Page | undefined => {
  if (!isPaged(call)) return undefined
  const { after } = call.input
  const limit = limitOf(call)
  if (after === '') return { after: undefined, limit }
  const bytes = idBytes(after)
  if (bytes === undefined) {
    throw invalid(
      `after must be an id, the last key of the page before: ${JSON.stringify(after)} is not`,
    )
  }
  return { after: bytes, limit }
}

/**
 * The page that a list by name asks for. The order is that of ids, which names do not change; so `after` is looked up. Throws
 * a Refusal for a name that nobody has: whoever goes on by `page.next` never meets it.
 */
export const pageByName = async (
  call: PageCall & { readonly records: Records },
  nameRef: (name: string) => Ref<{ readonly id: string }>,
): Promise<Page | undefined> => {
  if (!isPaged(call)) return undefined
  const { after } = call.input
  const limit = limitOf(call)
  if (after === '') return { after: undefined, limit }
  const place = bytesOfPlace(after)
  if (place !== undefined) return { after: place, limit }
  const owner = await call.records.get(nameRef(after))
  const bytes = idBytes(owner?.id ?? after)
  if (bytes === undefined) {
    throw invalid(
      `nothing has the name ${JSON.stringify(after)} (any more): go on with the page.next of the page before`,
    )
  }
  return { after: bytes, limit }
}

/** Records of a part of a list that is read whole: others get their turn after a few milliseconds. */
const PART = 64

/** Reads a range from where the page begins, in parts of about what the page needs. */
export const scanPage = <T>(
  records: Records,
  range: RecordRange<T>,
  page: Page | undefined,
): AsyncIterable<readonly Scanned<T>[]> =>
  records.scan(range, {
    ...(page?.after === undefined ? {} : { after: page.after }),
    // One more tells whether there is another page.
    pageSize: page === undefined ? PART : Math.min(page.limit + 1, limits.listPageEntries),
  })
