import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openLmdbStore } from '../storage/lmdb/lmdb-store.ts'
import { MADE } from './prepared.ts'
import type { Inspected } from './restore.ts'
import { fill } from './restore.ts'

/** Makes a file of LMDB with the data of a snapshot in the folder of a restore. */
export const makeLmdbData = async (
  file: string,
  folder: string,
  inspected: Inspected,
): Promise<void> => {
  const path = join(folder, MADE)
  await mkdir(path, { mode: 0o700 })
  const store = openLmdbStore({ path })
  try {
    await fill(file, store, inspected)
  } finally {
    await store.close()
  }
}
