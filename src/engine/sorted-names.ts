import type { RecordRange, Records } from './records.ts'
import { field } from './field.ts'
import { invalid } from './refusal.ts'
import type { ListResult } from './result.ts'
import { listOf } from './result.ts'
import { limits } from '../limits.ts'

/** The parameters of lists that page: spread into a route's fields. */
export const pageFields = {
  after: field.string({ default: '', description: 'Begin after this key' }),
  limit: field.int({ default: 0, description: 'At most so many keys; 0 = all' }),
}

export interface PageInput {
  readonly after: string
  readonly limit: number
}

/**
 * Names of the records of a range in the order of names, which the keys do not have (they are hashes). Holds one page's names
 * at a time; a list of all refuses (400) when it is longer than `limits.sortedNames`. For names of ASCII.
 */
export const sortedNames = async <T>(
  records: Records,
  range: RecordRange<T>,
  nameOf: (value: T) => string,
  page: PageInput,
): Promise<ListResult> => {
  const wanted = page.limit > 0 ? Math.min(page.limit, limits.sortedNames) : limits.sortedNames
  let names: string[] = []
  let more = false
  const keepFirst = (): void => {
    if (names.length <= wanted) return
    names = names.sort().slice(0, wanted)
    more = true
  }
  for await (const part of records.scan(range)) {
    for (const { value } of part) {
      const name = nameOf(value)
      if (name > page.after) names.push(name)
    }
    if (names.length > 2 * wanted) keepFirst()
  }
  keepFirst()
  if (more && page.limit <= 0) {
    throw invalid(
      `there are more than ${limits.sortedNames} names; list them in pages with limit and after`,
    )
  }
  return listOf(names.sort())
}
