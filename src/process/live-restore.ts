import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BrokenBody } from '../engine/broken-body.ts'
import type { RestoredSnapshot, SnapshotPort } from '../engine/ports/snapshots.ts'
import { invalid, Refusal } from '../engine/refusal.ts'
import { SnapshotBroken } from '../storage/snapshot/format.ts'
import type { Store } from '../storage/store.ts'
import { Unavailable, Unknown } from '../storage/store.ts'
import type { Log } from './log.ts'
import type { Prepared, RestoreSite } from './prepared.ts'
import type { Inspected } from './restore.ts'
import { inspectSnapshot, OtherSeal, refuseOtherSeal } from './restore.ts'

/** What a restore needs of the process that serves. */
export interface LiveRestoreParts {
  readonly store: Store
  /** Absent: this process cannot be restored while it serves. */
  readonly site: RestoreSite | undefined
  /**
   * Puts it in force in this process and, where it has others beside it, in all; gives where the old data is kept, and why this
   * process cannot serve from the new, if so.
   */
  readonly enforce: (prepared: Prepared) => Promise<Enforced>
  readonly isSealed: () => boolean
  readonly log: Log
}

/** What came of putting data in force. */
export interface Enforced {
  readonly keptAs: string | undefined
  readonly problem: string | undefined
}

/** The disk, the database, or what stands in the way there. */
const notPossible = (what: string, error: unknown): unknown => {
  if (error instanceof Refusal || error instanceof Unknown) return error
  if (error instanceof BrokenBody) return invalid(`${error.message}; nothing was changed`)
  if (error instanceof SnapshotBroken || error instanceof OtherSeal) return invalid(error.message)
  const text = error instanceof Error ? error.message : String(error)
  const kind = error instanceof Unavailable ? 'unavailable' : 'failed'
  return new Refusal(kind, `${what}: ${text}; nothing was changed`)
}

/** Restores into a server that serves: one after the other. */
export const makeLiveRestore = (parts: LiveRestoreParts): SnapshotPort['restore'] => {
  let busy = false
  return async (body, force) => {
    if (busy) throw new Refusal('unavailable', 'another restore is under way')
    busy = true
    try {
      return await restoreLive(parts, body, force)
    } finally {
      busy = false
    }
  }
}

const restoreLive = async (
  { store, site, enforce, isSealed, log }: LiveRestoreParts,
  body: AsyncIterable<Uint8Array>,
  force: boolean,
): Promise<RestoredSnapshot> => {
  if (site === undefined) {
    throw new Refusal('unsupported', 'this server cannot be restored while it runs; stop it first')
  }
  const within = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      throw notPossible(what, error)
    }
  }
  const folder = await within('there is no place for the snapshot', () => site.folder())
  try {
    const file = join(folder, 'uploaded')
    const { bytes, inspected } = await within('the snapshot could not be taken in', async () => ({
      bytes: await writeBody(body, file),
      inspected: await inspectSnapshot(file),
    }))
    const check = () => refuseOtherSeal(store, inspected, force, FORCE)
    await within('the present data could not be read', check)
    log(`restoring a snapshot of ${inspected.header.created} (${inspected.digest})`)
    const prepared = await within('the data could not be made', () =>
      site.prepare(file, folder, inspected),
    )
    let enforced: Enforced
    try {
      // New unseal keys may have been made since.
      await within('the present data could not be read', check)
      enforced = await within('the data could not be put in place', () => enforce(prepared))
    } finally {
      await prepared.drop()
    }
    log(`restored the snapshot of ${inspected.header.created} (${inspected.entries} entries)`)
    return tell(inspected, bytes, enforced, isSealed())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const FORCE = 'write it to sys/storage/snapshot-force'

/** Writes a body to a file; gives its length. */
const writeBody = async (body: AsyncIterable<Uint8Array>, file: string): Promise<number> => {
  const handle = await open(file, 'wx', 0o600)
  let bytes = 0
  try {
    for await (const piece of body) {
      await handle.writeFile(piece)
      bytes += piece.length
    }
  } finally {
    await handle.close()
  }
  return bytes
}

const tell = (
  { header, entries, digest }: Inspected,
  bytes: number,
  enforced: Enforced,
  sealed: boolean,
): RestoredSnapshot => ({
  ...enforced,
  created: header.created,
  version: header.version,
  storageType: header.storage,
  clusterName: header.cluster.name,
  clusterId: header.cluster.id,
  sealNonce: header.seal.nonce,
  entries,
  bytes,
  checksum: digest,
  sealed,
})
