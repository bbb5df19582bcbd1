import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StorageConfig, StorageKind } from '../config/server-config.ts'
import { createSystemClock } from '../storage/clock.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { SwitchingStore } from '../storage/switching-store.ts'
import type { Log } from './log.ts'
import type { RestoreSite } from './prepared.ts'

/** An open store and how to give it up. */
export interface OpenStorage {
  readonly store: Store
  /** Frees what dead processes held of it; call at each child's exit and each minute. */
  upkeep(): void
  close(): Promise<void>
  /** How a restore is done by a process that serves from it; undefined for a worker that others must let go with it. */
  readonly site: RestoreSite | undefined
}

// Loaded when needed: LMDB is a native module, and memory needs none.
const postgresStore = () => import('../storage/postgres/postgres-store.ts')
const lmdbStore = () => import('../storage/lmdb/lmdb-store.ts')

/** Loads the code with which a worker opens a store of this kind, so that opening it waits for none. */
export const loadStorage = async (kind: StorageKind): Promise<void> => {
  if (kind === 'postgresql') await postgresStore()
  if (kind === 'lmdb') await lmdbStore()
}

/** The storage as the owner of a data folder has it. */
export interface OwnedFolder extends OpenStorage {
  /** Removes what a process that has ended left of snapshots and restores. */
  removeLeftBy(pid: number): Promise<void>
  /** Puts the data made in this folder in the place of the present, which no process may have open; gives where the old lies. */
  exchange(folder: string): Promise<string>
}

/** The storage as a worker beside others has it: the data can be exchanged while it has let go. */
export interface SharedFolder extends OpenStorage {
  readonly path: string
  letGo(): Promise<void>
  takeUp(): void
  /** Resolves when nothing is written any more, until `release`: another process opens the data meanwhile. */
  hold(): Promise<void>
  release(): void
}

export const isOwned = (storage: OpenStorage): storage is OwnedFolder => 'exchange' in storage
export const isShared = (storage: OpenStorage): storage is SharedFolder => 'letGo' in storage

/**
 * Opens the configured store. `owner`: this process answers for the data folder and refuses it while another does; the
 * workers of a supervisor open it without; a database has no owner.
 */
export const openStorage = async (
  storage: StorageConfig,
  role: 'owner' | 'worker',
  log: Log,
): Promise<OpenStorage> => {
  if (storage.kind === 'inmem') return openMemory()
  if (storage.kind === 'postgresql') {
    const { openPostgresStore } = await postgresStore()
    const store = await openPostgresStore({ ...storage, log })
    return {
      store,
      upkeep: () => {},
      close: () => store.close(),
      site: {
        mustRest: false,
        folder: temporaryFolder,
        prepare: async (file, _folder, inspected) => {
          const { replaceDatabase } = await import('./restore.ts')
          const replacement = await replaceDatabase(file, store, inspected)
          return {
            exchange: async () => {
              await replacement.exchange()
              return undefined
            },
            drop: () => replacement.drop(),
          }
        },
      },
    }
  }
  return role === 'worker' ? openShared(storage.path) : openOwned(storage.path)
}

const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'signet-restore-'))

const openMemory = (): OpenStorage => {
  // One for the data of before a restore and of after it: time is not set back.
  const clock = createSystemClock()
  const store = new SwitchingStore(createMemoryStore({ clock }))
  return {
    store,
    upkeep: () => {},
    close: () => store.close(),
    site: {
      mustRest: true,
      folder: temporaryFolder,
      prepare: async (file, _folder, inspected) => {
        const { fill } = await import('./restore.ts')
        const made = createMemoryStore({ clock })
        await fill(file, made, inspected)
        return {
          exchange: async () => {
            await store.close()
            store.switchTo(made)
            return undefined
          },
          drop: async () => {},
        }
      },
    },
  }
}

/** A folder of a restore in the folder of the data: the same disk, so that a file can change its place by its name. */
export const folderIn = async (path: string): Promise<string> => {
  const { restoreFolderName } = await import('../storage/lmdb/copied-entries.ts')
  const folder = join(path, restoreFolderName())
  await mkdir(folder, { mode: 0o700 })
  return folder
}

const openShared = async (path: string): Promise<SharedFolder> => {
  const { openLmdbStore } = await lmdbStore()
  const store = new SwitchingStore(openLmdbStore({ path }))
  return {
    store,
    path,
    upkeep: () => void store.current.checkReaders(),
    close: () => store.close(),
    site: undefined,
    letGo: () => store.close(),
    takeUp: () => store.switchTo(openLmdbStore({ path })),
    hold: () => store.current.hold(),
    release: () => store.current.release(),
  }
}

const openOwned = async (path: string): Promise<OwnedFolder> => {
  const [{ claimDataFolder }, { removeCopiesOf }, { LMDB_FILE }, { MADE }] = await Promise.all([
    import('../storage/lmdb/data-folder.ts'),
    import('../storage/lmdb/copied-entries.ts'),
    lmdbStore(),
    import('./prepared.ts'),
  ])
  const claimed = await claimDataFolder({ path })
  const exchange = (folder: string): Promise<string> =>
    claimed.exchange(join(folder, MADE, LMDB_FILE))
  return {
    store: claimed.store,
    upkeep: () => void claimed.store.current.checkReaders(),
    close: () => claimed.close(),
    removeLeftBy: (pid) => removeCopiesOf(path, pid),
    exchange,
    site: {
      mustRest: true,
      folder: () => folderIn(path),
      prepare: async (file, folder, inspected) => {
        const { makeLmdbData } = await import('./lmdb-data.ts')
        await makeLmdbData(file, folder, inspected)
        return { exchange: () => exchange(folder), drop: async () => {} }
      },
    },
  }
}
