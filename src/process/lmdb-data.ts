import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createSystemClock } from '../storage/clock.ts'
import { LMDB_FILE, openLmdbStore } from '../storage/lmdb/lmdb-store.ts'
import { MADE } from './prepared.ts'
import type { Inspected, RestoreOptions } from './restore.ts'
import { fill } from './restore.ts'

/**
 * Makes a file of LMDB with the data of a snapshot in the folder of a restore, which is made if absent; gives where. Its time is not
 * behind `time`.
 */
export const makeLmdbData = async (
  file: string,
  folder: string,
  inspected: Inspected,
  {
    onProgress,
    time = 0,
  }: Partial<Pick<RestoreOptions, 'onProgress'>> & { readonly time?: number } = {},
): Promise<string> => {
  const path = join(folder, MADE)
  await mkdir(path, { mode: 0o700, recursive: true })
  const store = openLmdbStore({ path, clock: createSystemClock(time) })
  try {
    await fill(file, store, inspected, onProgress)
  } finally {
    await store.close()
  }
  return join(path, LMDB_FILE)
}
