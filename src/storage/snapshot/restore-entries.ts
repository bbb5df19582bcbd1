import type { Entry, Key, Store, Write } from '../store.ts'
import { deadlineIn, newVersion } from '../store.ts'
import { storageLimits } from '../limits.ts'
import { isOfThePlace } from './write-snapshot.ts'

/** There until a restore is over: a server must not begin on half of the data. */
const RESTORING_KEY = Buffer.from('meta/restoring')
const SEAL_PREFIX = Buffer.from('meta/')
/** Bytes of a commit: what the store takes, less some for keys. */
const COMMIT_BYTES = storageLimits.commitBytes - 65_536
const COMMIT_MS = 60_000

const isOfSeal = (key: Uint8Array): boolean =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength)
    .subarray(0, SEAL_PREFIX.length)
    .equals(SEAL_PREFIX)

const commit = async (store: Store, writes: readonly Write[]): Promise<void> => {
  const outcome = await store.commit(
    { id: newVersion(), checks: [], writes },
    deadlineIn(COMMIT_MS),
  )
  if (outcome.kind !== 'committed') throw new Error('a commit without checks was refused')
}

/** What is in a store, as far as a restore asks. */
export type Contents = 'empty' | 'half-restored' | 'in-use'

/** Looks whether a store can be restored into. */
export const contentsOf = async (store: Store): Promise<Contents> => {
  const everything = { from: new Uint8Array(0), to: new Uint8Array(513).fill(255) }
  const { items } = await store.list(
    { ...everything, limit: 8, keysOnly: true },
    deadlineIn(COMMIT_MS),
  )
  const [mark] = (await store.read([RESTORING_KEY], deadlineIn(COMMIT_MS))).items
  if (mark!.value !== undefined) return 'half-restored'
  return items.every(({ key }) => isOfThePlace(key)) ? 'empty' : 'in-use'
}

/** Deletes everything in a store that a restore was broken off in. */
export const clearStore = async (store: Store): Promise<void> => {
  let from: Uint8Array = new Uint8Array(0)
  for (;;) {
    const range = { from, to: new Uint8Array(513).fill(255), limit: storageLimits.commitWrites }
    const { items } = await store.list({ ...range, keysOnly: true }, deadlineIn(COMMIT_MS))
    if (items.length === 0) return
    // The mark goes last: without it, half of the data would look like all of it.
    const gone = items.filter(({ key }) => !isOfThePlace(key))
    if (gone.length > 0) {
      await commit(
        store,
        gone.map(({ key }) => ({ key, value: undefined })),
      )
    }
    from = Buffer.concat([items.at(-1)!.key, Uint8Array.of(0)])
  }
}

/**
 * Puts the entries of a snapshot into an empty store. Everything gets a new version, so that nothing that any process remembers
 * of other data holds (architecture.md A6); `stamps` are put even if the snapshot has none of them. The records of the seal come
 * last, in one commit: until then the store is not initialised, and marked. Gives the number of entries.
 */
export const restoreEntries = async (
  store: Store,
  entries: AsyncIterable<Entry>,
  stamps: readonly Key[],
  onProgress: (entries: number) => void,
): Promise<number> => {
  await commit(store, [{ key: RESTORING_KEY, value: Buffer.from('1') }])
  const ofSeal: Write[] = []
  let writes: Write[] = []
  let bytes = 0
  let count = 0
  for await (const { key, value } of entries) {
    if (isOfThePlace(key)) continue
    count++
    const write = { key: new Uint8Array(key), value: new Uint8Array(value) }
    if (isOfSeal(key)) {
      ofSeal.push(write)
      continue
    }
    const more = key.length + value.length
    if (
      writes.length >= storageLimits.commitWrites ||
      (writes.length > 0 && bytes + more > COMMIT_BYTES)
    ) {
      await commit(store, writes)
      onProgress(count)
      writes = []
      bytes = 0
    }
    writes.push(write)
    bytes += more
  }
  if (writes.length > 0) await commit(store, writes)
  const moved = stamps.map((key) => ({ key, value: new Uint8Array(0) }))
  await commit(store, [...moved, ...ofSeal, { key: RESTORING_KEY, value: undefined }])
  return count
}
