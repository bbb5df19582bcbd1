import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { createSystemClock } from '../clock.ts'
import type { Deadline, Key, Store, Version } from '../store.ts'
import { deadlineIn, newVersion } from '../store.ts'
import { SwitchingStore } from '../switching-store.ts'
import { removeCopies } from './copied-entries.ts'
import type { LmdbOptions, LmdbStoreHandle } from './lmdb-store.ts'
import { LMDB_FILE, makeFolder, openLmdbStore } from './lmdb-store.ts'
import { openingTurn } from './opening-turn.ts'
import { untilLeft } from './left-open.ts'
import type { OwnerSocket, Probe } from './owner-socket.ts'
import { openSocket, probeSocket, socketName, socketNames } from './owner-socket.ts'

/*
 * One supervisor owns a data folder (architecture.md C4). It listens on a Unix socket of its own in the folder, then puts the
 * socket's name into `meta/owner` by compare-and-swap. Who finds a record connects to its socket: it answers as long as the
 * owner's process lives, however it ends, in any pid namespace of the machine. So no claim waits for a lease to run out.
 */
const OWNER_KEY: Key = Buffer.from('meta/owner')
/** A claim is a few reads and one commit. */
const CLAIM_MS = 10_000
/** Workers of a supervisor that was killed finish what they have begun, and end. */
const LEFT_OPEN_MS = 5_000
/** Others that start have their time for all of that. */
const TURN_MS = CLAIM_MS + LEFT_OPEN_MS

interface OwnerRecord {
  readonly nonce: string
  readonly pid: number
  readonly host: string
}

/** Another process owns the data folder. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse'
  readonly pid: number

  constructor(path: string, owner: { readonly pid: number; readonly host: string }) {
    const where = owner.host === hostname() ? '' : ` on ${owner.host}`
    super(`the data folder ${path} is in use by pid ${owner.pid}${where}`)
    this.pid = owner.pid
  }
}

/** A data folder that this process owns until it closes it or ends. */
export interface ClaimedFolder {
  readonly store: SwitchingStore<LmdbStoreHandle>
  /** Closes the store and gives the folder up: call it when no process writes in the folder any more. */
  close(): Promise<void>
  /**
   * Closes the store and, while nobody else can have the folder, puts another file in the place of its data in one step; the
   * old data is kept under `keptAs`, if given. Then only `close` is left to call.
   */
  replaceWith(file: string, keptAs: string | undefined): Promise<void>
  /**
   * The same, and goes on with the new data under the same `store`: call it when no other process has the data open. Where it
   * fails, the store goes on with whichever data is there. Gives where the old data lies now.
   */
  exchange(file: string): Promise<string>
}

const readOwner = async (
  store: Store,
  deadline: Deadline,
): Promise<{ readonly owner: OwnerRecord | undefined; readonly version: Version }> => {
  const { items } = await store.read([OWNER_KEY], deadline)
  const { version, value } = items[0]!
  if (value === undefined) return { owner: undefined, version }
  return { owner: JSON.parse(Buffer.from(value).toString()) as OwnerRecord, version }
}

/** Puts the record, if the one there still has this version; false when another was faster. */
const swapOwner = async (
  store: Store,
  version: Version,
  record: OwnerRecord,
  deadline: Deadline,
): Promise<boolean> => {
  const outcome = await store.commit(
    {
      id: newVersion(),
      checks: [{ key: OWNER_KEY, version }],
      writes: [{ key: OWNER_KEY, value: Buffer.from(JSON.stringify(record)) }],
    },
    deadline,
  )
  return outcome.kind === 'committed'
}

/** One process's try to own the folder: its record, and the socket that proves that it lives. */
class Claim {
  readonly record: OwnerRecord = {
    nonce: randomBytes(8).toString('hex'),
    pid: process.pid,
    host: hostname(),
  }
  readonly #path: string
  #socket: OwnerSocket | undefined
  #owner = false

  constructor(path: string) {
    this.#path = path
  }

  async listen(): Promise<void> {
    this.#socket = await openSocket(this.#path, socketName(this.record.nonce), () => ({
      owner: this.#owner,
      pid: this.record.pid,
      host: this.record.host,
    }))
  }

  /** Puts this claim's record in place of that of an owner who is dead; false if it must be tried anew. Throws DataFolderInUse if one lives. */
  async win(store: Store, deadline: Deadline): Promise<boolean> {
    const { owner, version } = await readOwner(store, deadline)
    if (owner !== undefined) {
      const probe = await probeSocket(this.#path, socketName(owner.nonce))
      if (probe !== 'dead') throw new DataFolderInUse(this.#path, owner)
    }
    if (!(await swapOwner(store, version, this.record, deadline))) return false
    // Somebody who cleaned up may have taken this socket for a dead one: without it the record proves nothing.
    this.#owner = this.#socket?.stands() === true
    return this.#owner
  }

  async close(): Promise<void> {
    await this.#socket?.close()
  }
}

/** The names of the folder's sockets on which nobody listens. Throws DataFolderInUse if an owner answers. */
const deadSockets = async (path: string): Promise<string[]> => {
  const names = socketNames(path)
  const probes: readonly Probe[] = await Promise.all(
    names.map(async (name) => probeSocket(path, name)),
  )
  for (const probe of probes) {
    if (typeof probe === 'object' && probe.owner) throw new DataFolderInUse(path, probe)
  }
  return names.filter((_, index) => probes[index] === 'dead')
}

const claim = async (path: string, store: Store): Promise<Claim> => {
  const deadline = deadlineIn(CLAIM_MS)
  for (;;) {
    const own = new Claim(path)
    let won = false
    try {
      await own.listen()
      won = await own.win(store, deadline)
      if (won) return own
    } finally {
      if (!won) await own.close()
    }
  }
}

/** Makes names that were changed in a folder last. */
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Where the data of a folder is kept that a restore replaces. */
export const keptName = (path: string): string =>
  join(path, `before-restore-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.mdb`)

/** Puts a file in the place of the data, which nobody has open, in one step. */
const putInPlace = async (
  path: string,
  file: string,
  keptAs: string | undefined,
): Promise<void> => {
  const data = join(path, LMDB_FILE)
  if (keptAs !== undefined) await link(data, keptAs)
  try {
    await rename(file, data)
  } catch (error) {
    if (keptAs !== undefined) await rm(keptAs, { force: true })
    throw error
  }
  // Of the old file: who opens the new one makes another.
  await rm(`${data}-lock`, { force: true })
  await syncFolder(path)
}

/** Names this owner in data that is to take the place of the present: the folder is never without one. Its time goes on from `time`. */
const ownIn = async (file: string, record: OwnerRecord, time: number): Promise<void> => {
  const store = openLmdbStore({ path: dirname(file), clock: createSystemClock(time) })
  try {
    const { version } = await readOwner(store, deadlineIn(CLAIM_MS))
    if (!(await swapOwner(store, version, record, deadlineIn(CLAIM_MS)))) {
      throw new Error('somebody else writes in the data that is being restored')
    }
  } finally {
    await store.close()
  }
}

/**
 * Opens the store of a data folder for the one process that may own it, and that starts others on it. Takes over at once
 * from an owner that was killed. Throws DataFolderInUse, or an Error for a folder that cannot be used.
 */
export const claimDataFolder = async (options: LmdbOptions): Promise<ClaimedFolder> => {
  makeFolder(options.path)
  const endTurn = await openingTurn(options.path, TURN_MS)
  try {
    return await claimInTurn(options)
  } finally {
    endTurn()
  }
}

const claimInTurn = async (options: LmdbOptions): Promise<ClaimedFolder> => {
  const { path } = options
  // Before LMDB is opened: its locks go by pid, and the owner may run in another pid namespace.
  const dead = await deadSockets(path)
  const [pid] = await untilLeft(`${join(path, LMDB_FILE)}-lock`, LEFT_OPEN_MS)
  if (pid !== undefined) throw new DataFolderInUse(path, { pid, host: hostname() })
  const store = new SwitchingStore(openLmdbStore(options))
  try {
    const own = await claim(path, store)
    for (const name of dead) rmSync(join(path, name), { force: true })
    const close = async (): Promise<void> => {
      await store.close()
      await own.close()
    }
    removeCopies(path)
    let closing: Promise<void> | undefined
    return {
      store,
      close: async () => (closing ??= close()),
      replaceWith: async (file, keptAs) => {
        await store.close()
        await putInPlace(path, file, keptAs)
      },
      exchange: async (file) => {
        const keptAs = keptName(path)
        await ownIn(file, own.record, store.current.time())
        await store.close()
        try {
          await putInPlace(path, file, keptAs)
        } finally {
          store.switchTo(openLmdbStore(options))
        }
        return keptAs
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
