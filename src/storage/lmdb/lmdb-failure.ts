import type { RootDatabase } from 'lmdb'
import { Unavailable, Unknown } from '../store.ts'

/**
 * EIO. LMDB says so when a full disk takes only part of a page, and when pages cannot be flushed: in both cases the
 * transaction ends before its meta page. If the meta page itself fails, LMDB opens no transaction any more, not even to read.
 */
const IO_ERROR = 5

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** The cause that lmdb-js keeps in a promise of its own beside its "Commit failed". */
const causeOf = async (error: unknown): Promise<unknown> => {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error
  try {
    await error.commitError
    return error
  } catch (cause) {
    return cause
  }
}

/**
 * What a failed LMDB transaction means at the seam: full disk, full map and closed store are Unavailable.
 * `stillReads` says whether LMDB opens a new snapshot; it is asked only when that decides.
 */
export const commitFailure = async (error: unknown, stillReads: () => boolean): Promise<Error> => {
  const cause = await causeOf(error)
  const text = `LMDB: ${messageOf(cause)}`
  return codeOf(cause) === IO_ERROR && !stillReads()
    ? new Unknown(text, { cause })
    : new Unavailable(text, { cause })
}

const nothing = (): void => {}

/**
 * For each turn of the event loop lmdb-js makes one more promise, which it shows to nobody: without a handler
 * its rejection, by a full disk, would end the process. `committed` reaches it once the turn's callbacks have run.
 */
export const handleUnseenFailures = (root: RootDatabase<Uint8Array, Uint8Array>): void => {
  root.on('beforecommit', () => {
    queueMicrotask(() => {
      root.committed.then(nothing, nothing)
    })
  })
}

/** A failing read is Unavailable; what is not an Error of LMDB goes on as it is. */
export const readFailure = (error: unknown): Unavailable =>
  new Unavailable(`LMDB: ${messageOf(error)}`, { cause: error })
