import { createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StorageConfig } from '../config/server-config.ts'
import { stampRef } from '../core/records.ts'
import { isSealConfig, readSealConfig, sealNonceOf } from '../seal/seal.ts'
import type { SnapshotHeader } from '../storage/snapshot/format.ts'
import { SnapshotBroken } from '../storage/snapshot/format.ts'
import { readSnapshot } from '../storage/snapshot/read-snapshot.ts'
import { clearStore, contentsOf, restoreEntries } from '../storage/snapshot/restore-entries.ts'
import { isOfThePlace } from '../storage/snapshot/write-snapshot.ts'
import type { PostgresStoreHandle } from '../storage/postgres/postgres-store.ts'
import type { Replacement } from '../storage/postgres/replacement.ts'
import type { Entry, Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'

/** What a snapshot file holds, once all of it was read and its checksum was right. */
export interface Inspected {
  readonly header: SnapshotHeader
  readonly entries: number
  /** `sha256:` and hexadecimal digits. */
  readonly digest: string
  /** How many entries there are of each kind of record (ARCHITECTURE.md names them). */
  readonly kinds: Readonly<Record<string, number>>
}

/** Reads a snapshot file from its beginning to its end. Throws an Error for one that is not whole or was changed. */
export const inspectSnapshot = async (file: string): Promise<Inspected> => {
  const { header, entries, digest } = await readSnapshot(createReadStream(file))
  const kinds = new Map<string, number>()
  let count = 0
  for await (const { key, value } of entries) {
    count++
    const kind = Buffer.from(key).toString('latin1').split('/', 1)[0]!
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (isSealConfig(key) && sealNonceOf(value) !== header.seal.nonce) {
      throw new SnapshotBroken('the seal of the data is another than the header says')
    }
  }
  if (!kinds.has('meta'))
    throw new SnapshotBroken('the snapshot has no seal: nothing could open it')
  return { header, entries: count, digest: digest(), kinds: Object.fromEntries(kinds) }
}

/** What a restore is told, besides the file. */
export interface RestoreOptions {
  /** Puts the data of another seal in the place of what is there. */
  readonly force: boolean
  readonly onProgress: (entries: number, of: number) => void
}

/** What a restore did. */
export interface Restored extends Inspected {
  /** Where the data that was there before lies now; undefined: there was none. */
  readonly replaced: string | undefined
}

/**
 * Puts the data of a snapshot into the storage of a server that does not run. Throws an Error that says what stands in the way, and
 * changes nothing then: a file that is not whole, another seal, a folder in use, a database that holds data.
 */
export const restoreSnapshot = async (
  file: string,
  storage: StorageConfig,
  options: RestoreOptions,
): Promise<Restored> => {
  const inspected = await inspectSnapshot(file)
  switch (storage.kind) {
    case 'inmem':
      throw new Error('a server in memory keeps nothing that could be restored')
    case 'lmdb': {
      const replaced = await restoreFolder(file, storage.path, inspected, options)
      return { ...inspected, replaced }
    }
    case 'postgresql': {
      const { openPostgresStore } = await import('../storage/postgres/postgres-store.ts')
      const store = await openPostgresStore(storage)
      try {
        await restoreDatabase(file, store, inspected, options)
      } finally {
        await store.close()
      }
      return { ...inspected, replaced: undefined }
    }
  }
}

const READ_MS = 10_000

/** The data that is there is of another seal than the snapshot. */
export class OtherSeal extends Error {
  override readonly name = 'OtherSeal'
}

/** Throws OtherSeal, unless forced, with the way to force it; gives whether there is data. */
export const refuseOtherSeal = async (
  store: Store,
  { header }: Inspected,
  force: boolean,
  howToForce = 'use -force',
): Promise<boolean> => {
  const present = await readSealConfig(store, deadlineIn(READ_MS))
  if (present !== undefined && present.nonce !== header.seal.nonce && !force) {
    throw new OtherSeal(
      `the snapshot is of another seal (${header.seal.nonce}, cluster ${header.cluster.name}) than the data that is there ` +
        `(${present.nonce}): afterwards only the unseal keys of the snapshot open it; ${howToForce} if that is meant`,
    )
  }
  return present !== undefined
}

/** The number of the one namespace there is. */
const ROOT = 0

/** Every restore moves these: which data it is, and what every commit checks. */
export const RESTORE_STAMPS = (['incarnation', 'keyring'] as const).map(
  (name) => stampRef(name, ROOT).key,
)

/** Puts a snapshot that was read whole before into an empty store. Throws an Error if it is another by now. */
export const fill = async (
  file: string,
  store: Store,
  inspected: Inspected,
  onProgress: RestoreOptions['onProgress'] = () => {},
): Promise<void> => {
  const { entries, digest } = await readSnapshot(createReadStream(file))
  await restoreEntries(store, entries, RESTORE_STAMPS, (done) =>
    onProgress(done, inspected.entries),
  )
  if (digest() !== inspected.digest) throw new Error('the file changed while it was restored')
}

/** The same for a database that is in use: nothing changes until it is put in place. */
export const replaceDatabase = async (
  file: string,
  store: PostgresStoreHandle,
  inspected: Inspected,
): Promise<Replacement> => {
  const { entries, digest } = await readSnapshot(createReadStream(file))
  const replacement = await store.prepareReplacement(
    withoutThoseOfThePlace(entries),
    RESTORE_STAMPS,
  )
  if (digest() === inspected.digest) return replacement
  await replacement.drop()
  throw new Error('the file changed while it was restored')
}

const withoutThoseOfThePlace = async function* (
  entries: AsyncIterable<Entry>,
): AsyncIterable<Entry> {
  for await (const entry of entries) if (!isOfThePlace(entry.key)) yield entry
}

/** A new file is made beside the old one and takes its place in one step. */
const restoreFolder = async (
  file: string,
  path: string,
  inspected: Inspected,
  options: RestoreOptions,
): Promise<string | undefined> => {
  const [{ claimDataFolder, keptName }, { restoreFolderName }, { makeLmdbData }] =
    await Promise.all([
      import('../storage/lmdb/data-folder.ts'),
      import('../storage/lmdb/copied-entries.ts'),
      import('./lmdb-data.ts'),
    ])
  const claimed = await claimDataFolder({ path })
  const made = join(path, restoreFolderName())
  try {
    const hadData = await refuseOtherSeal(claimed.store, inspected, options.force)
    const data = await makeLmdbData(file, made, inspected, {
      ...options,
      time: claimed.store.current.time(),
    })
    const kept = hadData ? keptName(path) : undefined
    await claimed.replaceWith(data, kept)
    return kept
  } finally {
    await claimed.close()
    rmSync(made, { recursive: true, force: true })
  }
}

const restoreDatabase = async (
  file: string,
  store: Store,
  inspected: Inspected,
  options: RestoreOptions,
): Promise<void> => {
  await refuseOtherSeal(store, inspected, options.force)
  const contents = await contentsOf(store)
  if (contents === 'in-use') {
    throw new Error(
      'the database holds data already: restore into an empty one, or into another schema, and point the servers there',
    )
  }
  // A restore was broken off here before.
  if (contents === 'half-restored') await clearStore(store)
  await fill(file, store, inspected, options.onProgress)
}
