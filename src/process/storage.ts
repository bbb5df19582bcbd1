import type { StorageConfig, StorageKind } from '../config/server-config.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import type { Log } from './log.ts'

/** An open store and how to give it up. */
export interface OpenStorage {
  readonly store: Store
  /** Frees what dead processes held of it; call at each child's exit and each minute. */
  upkeep(): void
  close(): Promise<void>
}

// Loaded when needed: LMDB is a native module, and memory needs none.
const postgresStore = () => import('../storage/postgres/postgres-store.ts')
const lmdbStore = () => import('../storage/lmdb/lmdb-store.ts')

/** Loads the code with which a worker opens a store of this kind, so that opening it waits for none. */
export const loadStorage = async (kind: StorageKind): Promise<void> => {
  if (kind === 'postgresql') await postgresStore()
  if (kind === 'lmdb') await lmdbStore()
}

/**
 * Opens the configured store. `owner`: this process answers for the data folder and refuses it while another does; the
 * workers of a supervisor open it without; a database has no owner.
 */
export const openStorage = async (
  storage: StorageConfig,
  role: 'owner' | 'worker',
  log: Log,
): Promise<OpenStorage> => {
  if (storage.kind === 'inmem') {
    const store = createMemoryStore()
    return { store, upkeep: () => {}, close: () => store.close() }
  }
  if (storage.kind === 'postgresql') {
    const { openPostgresStore } = await postgresStore()
    const store = await openPostgresStore({ ...storage, log })
    return { store, upkeep: () => {}, close: () => store.close() }
  }
  if (role === 'worker') {
    const { openLmdbStore } = await lmdbStore()
    const store = openLmdbStore({ path: storage.path })
    return { store, upkeep: () => void store.checkReaders(), close: () => store.close() }
  }
  const { claimDataFolder } = await import('../storage/lmdb/data-folder.ts')
  const claimed = await claimDataFolder({ path: storage.path })
  return {
    store: claimed.store,
    upkeep: () => void claimed.store.checkReaders(),
    close: () => claimed.close(),
  }
}
