import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import type { Entry } from '../store.ts'
import { Unavailable } from '../store.ts'
import { nextTurn } from '../../std/next-turn.ts'

/** The table that the seam shows, and how every table is kept. */
export const RECORDS = 'records'
export const TABLE = { keyEncoding: 'binary', encoding: 'binary', useVersions: true } as const

const PREFIX = 'snapshot-'
/** Entries read at once: a turn of the event loop. */
const PAGE_ENTRIES = 256

/** Where a restore makes the new data. */
export const RESTORE_PREFIX = 'restore-'

/** The name of a folder of this process, of its own, for a restore. */
export const restoreFolderName = (): string =>
  `${RESTORE_PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`

/** Removes what killed processes left of snapshots and restores: only while no process can be at it. */
export const removeCopies = (path: string): void => {
  for (const name of readdirSync(path)) {
    if (name.startsWith(PREFIX) || name.startsWith(RESTORE_PREFIX))
      rmSync(join(path, name), { recursive: true, force: true })
  }
}

/** The same for one process, which has ended. */
export const removeCopiesOf = async (path: string, pid: number): Promise<void> => {
  for (const name of await readdir(path)) {
    if (name.startsWith(`${PREFIX}${pid}-`) || name.startsWith(`${RESTORE_PREFIX}${pid}-`))
      await rm(join(path, name), { recursive: true, force: true })
  }
}

/**
 * The entries of a database as it is now, from a copy of its own that is gone afterwards. `onCopying` hears of the time in which the
 * database must stay open. Throws Unavailable if there is no room.
 */
export const copiedEntries = async function* (
  root: RootDatabase<Uint8Array, Uint8Array>,
  path: string,
  signal: AbortSignal,
  onCopying: (done: Promise<unknown>) => void,
): AsyncIterable<Entry> {
  const folder = join(path, `${PREFIX}${process.pid}-${randomBytes(6).toString('hex')}`)
  mkdirSync(folder, { mode: 0o700 })
  try {
    const file = join(folder, 'copy.mdb')
    const copying = root.backup(file, false)
    onCopying(copying)
    await copying.catch((error: unknown) => {
      throw new Unavailable(`the data could not be copied: ${messageOf(error)}`)
    })
    signal.throwIfAborted()
    const copy = open<Uint8Array, Uint8Array>({ path: file, readOnly: true, ...TABLE })
    try {
      yield* entriesOf(copy.openDB<Uint8Array, Uint8Array>({ name: RECORDS, ...TABLE }), signal)
    } finally {
      await copy.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const entriesOf = async function* (
  records: Database<Uint8Array, Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Entry> {
  let start: Uint8Array | undefined
  for (;;) {
    const page: Entry[] = []
    const range = records.getRange({
      ...(start !== undefined && { start }),
      limit: PAGE_ENTRIES,
      versions: true,
    })
    for (const { key, value, version } of range) page.push({ key, value, version: version! })
    if (page.length === 0) return
    for (const entry of page) {
      signal.throwIfAborted()
      yield entry
    }
    start = Buffer.concat([page.at(-1)!.key, Uint8Array.of(0)])
    // The values come from the disk, and others have requests.
    await nextTurn()
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
