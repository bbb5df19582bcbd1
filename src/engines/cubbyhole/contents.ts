import { dropRange } from '../../engine/drop-range.ts'
import type { Leaf, TreePlace } from '../../engine/name-tree.ts'
import type { CubbyholePort, CubbyholeScope } from '../../engine/ports/cubbyhole.ts'
import type { Reader, Records, Ref, Tx } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import type { JsonObject } from '../../std/json.ts'
import { stringifyJson } from '../../std/json.ts'
import { contentNames, contents } from './records.ts'

/** A path of a cubbyhole in storage. */
export interface ContentSpot {
  readonly leaf: Leaf
  readonly ref: Ref<JsonObject>
}

const spotOf = ({ namespace, root }: TreePlace, leaf: Leaf): ContentSpot => ({
  leaf,
  ref: contents.at(namespace, root, leaf.id),
})

/** The place of a path; undefined when nothing can be there. */
export const contentAt = (place: TreePlace, path: string): ContentSpot | undefined => {
  const leaf = contentNames.leaf(place, path)
  return leaf === undefined ? undefined : spotOf(place, leaf)
}

/** As `contentAt`; throws 400 for a path beyond the bounds. */
export const spotToWrite = (place: TreePlace, path: string): ContentSpot =>
  spotOf(place, contentNames.leafToWrite(place, path))

/** Throws 413 for what one commit cannot hold. */
export const checkContentSize = (content: JsonObject, most: number = limits.secretBytes): void => {
  const bytes = Buffer.byteLength(stringifyJson(content))
  if (bytes > most) {
    throw new Refusal(
      'too-large',
      `the content has ${bytes} bytes as JSON; at most ${most} can be stored in a cubbyhole`,
    )
  }
}

/** What is stored at a path. */
export const getContent = async (
  reader: Reader,
  place: TreePlace,
  path: string,
): Promise<JsonObject | undefined> => {
  const spot = contentAt(place, path)
  return spot === undefined ? undefined : reader.get(spot.ref)
}

/** Stores in place of what was there. */
export const putContent = async (tx: Tx, spot: ContentSpot, content: JsonObject): Promise<void> => {
  const before = await tx.get(spot.ref)
  tx.put(spot.ref, content)
  if (before === undefined) contentNames.plant(tx, spot.leaf)
}

/** Removes what is at a path, if anything. */
export const deleteContent = async (tx: Tx, records: Records, spot: ContentSpot): Promise<void> => {
  if ((await tx.get(spot.ref)) === undefined) return
  tx.delete(spot.ref)
  await contentNames.uproot(tx, records, spot.leaf)
}

/** Pages of the names in a folder. */
export const listContents = (
  records: Records,
  place: TreePlace,
  path: string,
): AsyncIterable<readonly string[]> =>
  contentNames.list(records, place, path === '' || path.endsWith('/') ? path : `${path}/`)

const scopePlace = ({ namespace, names, tokenKey }: CubbyholeScope): TreePlace => ({
  namespace: namespace.number,
  root: tokenKey,
  names,
})

/** Cubbyholes as the core uses them. */
export const cubbyholePort: CubbyholePort = {
  put: async (tx, scope, path, content) => {
    checkContentSize(content, limits.wrappedBytes)
    await putContent(tx, spotToWrite(scopePlace(scope), path), content)
  },
  get: (reader, scope, path) =>
    getContent(reader, scopePlace(scope), path) as ReturnType<CubbyholePort['get']>,
  drop: async (records, { namespace, tokenKey }) => {
    await dropRange(records, contents.under(namespace.number, tokenKey))
    await dropRange(records, contentNames.all(namespace.number, tokenKey))
  },
}
