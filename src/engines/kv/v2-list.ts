import type { ListPage, Result } from '../../engine/result.ts'
import { listPages } from '../../engine/result.ts'
import { folderPath } from './folder-path.ts'
import { placeOf, secretNames, secretRef } from './records.ts'
import type { ListCall, MetadataCall } from './v2-fields.ts'
import { metadataView } from './v2-metadata-read.ts'

type AnyListCall = ListCall | MetadataCall

const listed = (call: AnyListCall): AsyncIterable<readonly string[]> =>
  secretNames.list(call.records, placeOf(call), folderPath(call.input.path), {
    after: call.input.after,
    limit: call.input.limit,
  })

const scanned = (call: AnyListCall): AsyncIterable<readonly string[]> =>
  secretNames.scan(call.records, placeOf(call), folderPath(call.input.path))

const plain = async function* (pages: AsyncIterable<readonly string[]>): AsyncIterable<ListPage> {
  for await (const keys of pages) yield { keys }
}

/** The pages with the metadata of each secret; nothing is said of folders. A secret deleted meanwhile is left out. */
const detailed = async function* (
  call: AnyListCall,
  pages: AsyncIterable<readonly string[]>,
): AsyncIterable<ListPage> {
  const place = placeOf(call)
  const folder = folderPath(call.input.path)
  for await (const names of pages) {
    const leaves = names.flatMap((name) => {
      const leaf = name.endsWith('/') ? undefined : secretNames.leaf(place, folder + name)
      return leaf === undefined ? [] : [{ name, ref: secretRef(call, leaf.id) }]
    })
    const found = await call.records.getMany(leaves.map(({ ref }) => ref))
    const keyInfo = Object.create(null) as Record<string, unknown>
    for (const name of names) if (name.endsWith('/')) keyInfo[name] = {}
    for (const [index, { name }] of leaves.entries()) {
      const secret = found[index]
      if (secret !== undefined) keyInfo[name] = metadataView(secret)
    }
    yield { keys: names.filter((name) => Object.hasOwn(keyInfo, name)), keyInfo }
  }
}

/** `LIST metadata/<path>` */
export const listMetadataRoute = (call: AnyListCall): Result => listPages(plain(listed(call)))

/** `SCAN metadata/<path>`: everything below; `after` and `limit` are for lists. */
export const scanMetadataRoute = (call: AnyListCall): Result => listPages(plain(scanned(call)))

/** `LIST detailed-metadata/<path>` */
export const listDetailedRoute = (call: AnyListCall): Result =>
  listPages(detailed(call, listed(call)))

/** `SCAN detailed-metadata/<path>` */
export const scanDetailedRoute = (call: AnyListCall): Result =>
  listPages(detailed(call, scanned(call)))
