import { Unavailable, Unknown } from '../store.ts'

/** A failing flush leaves open what is on the disk; every other failure ends the transaction before its meta page. */
const UNDECIDED = new Set([5])

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

/** What a failed LMDB transaction means at the seam: full disk, full map and closed store are Unavailable. */
export const commitFailure = async (error: unknown): Promise<Error> => {
  const cause = await causeOf(error)
  const text = `LMDB: ${messageOf(cause)}`
  return UNDECIDED.has(codeOf(cause) as number)
    ? new Unknown(text, { cause })
    : new Unavailable(text, { cause })
}

/** A failing read is Unavailable; what is not an Error of LMDB goes on as it is. */
export const readFailure = (error: unknown): Unavailable =>
  new Unavailable(`LMDB: ${messageOf(error)}`, { cause: error })
