import type { StorageConfig } from '../config/server-config.ts'
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
  // Loaded when needed: LMDB is a native module, and memory needs none.
  if (storage.kind === 'postgresql') {
    const { openPostgresStore } = await import('../storage/postgres/postgres-store.ts')
    const store = await openPostgresStore({ ...storage, log })
    return { store, upkeep: () => {}, close: () => store.close() }
  }
  if (role === 'worker') {
    const { openLmdbStore } = await import('../storage/lmdb/lmdb-store.ts')
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
