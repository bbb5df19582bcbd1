import { limits } from '../limits.ts'
import { compareBytes } from '../std/json.ts'
import type { Names, RecordKind, RecordRange, Records, Ref, Tx } from './records.ts'
import { invalid } from './refusal.ts'

/**
 * Paths with folders over hashed keys: `a/b/c` is the leaf `c` in the folder `a/b/`. One record a name,
 * `<prefix>/<ns><root 16><folder hash 16><path hash 16>`, so that a folder is a range; the clear name is sealed inside.
 *
 * A folder must be listed exactly while a leaf is somewhere below it. Nobody counts:
 * - who makes a leaf puts the entries of all folders above it blindly: makers never wait for one another;
 * - who removes a leaf looks whether its folder holds anything else. If not, it reads the folder's entry, looks again, and
 *   removes the entry in the same commit, then goes on upwards. A maker in between has put that entry, so the commit fails
 *   and is decided anew;
 * - two who remove the last two leaves at once may each see the other's and leave an empty folder's entry behind: therefore
 *   lists look into every folder before they show it.
 * The caller keeps a record of its own per leaf, under `Leaf.id`, and checks it in the same transaction: that is what orders
 * two writers of one path.
 */
export interface NameTree {
  /** The leaf of a path; undefined when nothing can be there: no name at its end, or beyond the bounds. */
  leaf(place: TreePlace, path: string): Leaf | undefined
  /** As `leaf`, for writes: throws a clear 400 instead. */
  leafToWrite(place: TreePlace, path: string): Leaf
  /** Enters a leaf that is not there. */
  plant(tx: Tx, leaf: Leaf): void
  /** Takes out a leaf that is there, and the folders that it leaves empty. `records` is what `tx` runs over. */
  uproot(tx: Tx, records: Records, leaf: Leaf): Promise<void>
  /** Pages of the names in a folder ('' or ending in '/'), in byte order; folders end in '/'. Throws 400 for too many at once. */
  list(
    records: Records,
    place: TreePlace,
    folder: string,
    page?: NamePage,
  ): AsyncIterable<readonly string[]>
  /** Pages of all paths below a folder, relative to it: a folder's leaves, then its folders, the last one first (recorded). */
  scan(records: Records, place: TreePlace, folder: string): AsyncIterable<readonly string[]>
  /** All names of a root, to be dropped. */
  all(namespace: number, root: Uint8Array): RecordRange<NameEntry>
}

/** Where a tree stands. `root`: 16 bytes, a mount's or a token's. */
export interface TreePlace {
  readonly namespace: number
  readonly root: Uint8Array
  readonly names: Names
}

/** A name in its folder; a folder's ends in '/'. */
export interface NameEntry {
  readonly name: string
}

/** Which names of a folder are wanted. */
export interface NamePage {
  /** Names after this text only. */
  readonly after?: string
  /** At most so many; 0 or less = all. */
  readonly limit?: number
}

/** A path of which only hashes are left. */
export interface Leaf {
  /** 16 bytes: stands for the whole path in keys. */
  readonly id: Uint8Array
  /** The leaf's own spot, then its folders', up to the root; hashed at the first call, since reads do not need them. */
  readonly spots: () => readonly Spot[]
}

interface Spot {
  readonly ref: Ref<NameEntry>
  readonly name: string
  /** The folder that it is in. */
  readonly folder: RecordRange<NameEntry>
}

const NAMES_PER_PAGE = limits.listPageEntries

/** What is wrong with a path for a leaf, in a text for the client; undefined when nothing is. */
const pathFault = (path: string): string | undefined => {
  if (path === '' || path.endsWith('/')) return "cannot write to a path ending in '/'"
  const bytes = Buffer.byteLength(path)
  if (bytes > limits.pathBytes) {
    return `the path has ${bytes} bytes; at most ${limits.pathBytes} are supported`
  }
  const depth = path.split('/').length
  if (depth > limits.pathDepth) {
    return `the path has ${depth} segments; at most ${limits.pathDepth} are supported`
  }
  return undefined
}

/** The beginnings of a path that are folders, and itself: `a/`, `a/b/`, `a/b/c`. */
const prefixesOf = (path: string): string[] => {
  const prefixes: string[] = []
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    prefixes.push(path.slice(0, at + 1))
  }
  prefixes.push(path)
  return prefixes
}

/** Whether a range holds anything but this key. */
const holdsOther = async (
  records: Records,
  range: RecordRange<NameEntry>,
  own: Ref<NameEntry>,
): Promise<boolean> => {
  for await (const page of records.scan(range, { pageSize: 2 })) {
    if (page.some(({ key }) => Buffer.compare(key, own.key) !== 0)) return true
  }
  return false
}

/** The first `wanted` names of a range after a text, in byte order, and whether there are more. */
const firstNames = async (
  records: Records,
  range: RecordRange<NameEntry>,
  after: string,
  wanted: number,
): Promise<{ readonly names: readonly string[]; readonly more: boolean }> => {
  let names: string[] = []
  let more = false
  const keepFirst = (): void => {
    names.sort(compareBytes)
    if (names.length <= wanted) return
    names = names.slice(0, wanted)
    more = true
  }
  for await (const page of records.scan(range)) {
    for (const { value } of page) {
      if (after === '' || compareBytes(value.name, after) > 0) names.push(value.name)
    }
    if (names.length > 2 * wanted) keepFirst()
  }
  keepFirst()
  return { names, more }
}

/** A tree whose names are records of this kind. Its prefix also names the sub-key of the hashes. */
export const nameTree = (kind: RecordKind<NameEntry>): NameTree => {
  const hash = ({ names, root }: TreePlace, path: string): Uint8Array =>
    names.hash(kind.prefix, `${Buffer.from(root).toString('hex')}/${path}`)

  const folderRange = (place: TreePlace, folder: string): RecordRange<NameEntry> =>
    kind.under(place.namespace, place.root, hash(place, folder))

  const spotsOf = (place: TreePlace, path: string, id: Uint8Array): readonly Spot[] => {
    const spots: Spot[] = []
    let folder = ''
    let folderHash = hash(place, '')
    for (const prefix of prefixesOf(path)) {
      const own = prefix === path ? id : hash(place, prefix)
      spots.unshift({
        ref: kind.at(place.namespace, place.root, folderHash, own),
        name: prefix.slice(folder.length),
        folder: kind.under(place.namespace, place.root, folderHash),
      })
      folder = prefix
      folderHash = own
    }
    return spots
  }

  const leafAt = (place: TreePlace, path: string): Leaf => {
    const id = hash(place, path)
    let spots: readonly Spot[] | undefined
    return { id, spots: () => (spots ??= spotsOf(place, path, id)) }
  }

  const holdsLeaf = async (
    records: Records,
    place: TreePlace,
    folder: string,
  ): Promise<boolean> => {
    for await (const page of records.scan(folderRange(place, folder), { pageSize: 8 })) {
      if (page.some(({ value }) => !value.name.endsWith('/'))) return true
      for (const { value } of page) {
        if (await holdsLeaf(records, place, folder + value.name)) return true
      }
    }
    return false
  }

  const livingNames = async (
    records: Records,
    place: TreePlace,
    folder: string,
    names: readonly string[],
  ): Promise<readonly string[]> => {
    const living: string[] = []
    for (const name of names) {
      if (!name.endsWith('/') || (await holdsLeaf(records, place, folder + name))) living.push(name)
    }
    return living
  }

  const list = async function* (
    records: Records,
    place: TreePlace,
    folder: string,
    page: NamePage = {},
  ): AsyncIterable<readonly string[]> {
    const limited = page.limit !== undefined && page.limit > 0
    let left = limited ? page.limit! : limits.sortedNames
    let after = page.after ?? ''
    while (left > 0) {
      const wanted = Math.min(left, limits.sortedNames)
      const { names, more } = await firstNames(records, folderRange(place, folder), after, wanted)
      if (more && !limited) {
        throw invalid(
          `there are more than ${limits.sortedNames} names in this folder; list them in pages with limit and after`,
        )
      }
      for (let at = 0; at < names.length; at += NAMES_PER_PAGE) {
        const part = names.slice(at, at + NAMES_PER_PAGE)
        const living = await livingNames(records, place, folder, part)
        left -= living.length
        if (living.length > 0) yield living
      }
      if (!more) return
      // Folders that turned out to be empty made room for more names.
      after = names[names.length - 1]!
    }
  }

  const scan = async function* (
    records: Records,
    place: TreePlace,
    folder: string,
  ): AsyncIterable<readonly string[]> {
    const waiting = [folder]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const inside = at.slice(folder.length)
      const { names, more } = await firstNames(
        records,
        folderRange(place, at),
        '',
        limits.sortedNames,
      )
      if (more) {
        throw invalid(
          `there are more than ${limits.sortedNames} names in the folder ${at}; list it in pages with limit and after`,
        )
      }
      let leaves: string[] = []
      for (const name of names) {
        if (name.endsWith('/')) waiting.push(at + name)
        else leaves.push(inside + name)
        if (leaves.length === NAMES_PER_PAGE) {
          yield leaves
          leaves = []
        }
      }
      if (leaves.length > 0) yield leaves
    }
  }

  return {
    leaf: (place, path) => (pathFault(path) === undefined ? leafAt(place, path) : undefined),
    leafToWrite: (place, path) => {
      const fault = pathFault(path)
      if (fault !== undefined) throw invalid(fault)
      return leafAt(place, path)
    },
    plant: (tx, leaf) => {
      for (const { ref, name } of leaf.spots()) tx.put(ref, { name })
    },
    uproot: async (tx, records, leaf) => {
      const spots = leaf.spots()
      for (const [index, { ref, folder }] of spots.entries()) {
        tx.delete(ref)
        const entry = spots[index + 1]
        if (entry === undefined || (await holdsOther(records, folder, ref))) return
        // From here on a maker of anything in the folder conflicts with this commit; what it made before is seen.
        await tx.get(entry.ref)
        if (await holdsOther(records, folder, ref)) return
      }
    },
    list,
    scan,
    all: (namespace, root) => kind.under(namespace, root),
  }
}
