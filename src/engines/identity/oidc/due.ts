import type { Names, Ref, Tx } from '../../../engine/records.ts'
import type { KeyRecord } from './records.ts'
import { oidcDue } from './records.ts'
import type { Place } from './refs.ts'

/** What is to be looked at when its time has come. */
export const DUE_KEY = 1
export const DUE_CODE = 2
export const DUE_SESSION = 3
export const DUE_REVOKED = 4
export const DUE_DEVICE = 5
export const DUE_USER_CODE = 6
export const DUE_GUESSES = 7

/** Bytes of an entry's key behind the range's prefix: time, kind, hash. */
const TIME_BYTES = 6

/** The part of a due entry's key that orders by time (ms). */
export const timePart = (time: number): Uint8Array => {
  const bytes = Buffer.alloc(TIME_BYTES)
  bytes.writeUIntBE(Math.max(0, Math.min(Math.floor(time), 2 ** 48 - 1)), 0, TIME_BYTES)
  return bytes
}

/** Where the entry of a key, or of what ends by time, is; `hash` is a hash or the bytes of an id. */
export const dueRef = (
  { namespace }: Pick<Place, 'namespace'>,
  kind: number,
  hash: Uint8Array,
  time: number,
): Ref<{ readonly due: true }> =>
  oidcDue.at(namespace.number, timePart(time), Uint8Array.of(kind), hash)

/** Kind and hash of an entry by the tail of its key. */
export const dueTarget = (
  tail: Uint8Array,
): { readonly kind: number; readonly hash: Uint8Array } => ({
  kind: tail[TIME_BYTES]!,
  hash: tail.subarray(TIME_BYTES + 1),
})

/** Moves the entry of a key that is put, to where its next rotation is. */
export const moveDue = (
  tx: Tx,
  place: Place,
  name: string,
  before: KeyRecord | undefined,
  after: KeyRecord | undefined,
): void => {
  const [from, to] = [before?.nextRotationAt, after?.nextRotationAt]
  if (from === to) return
  const hash = keyHash(place.names, name)
  if (from !== undefined) tx.delete(dueRef(place, DUE_KEY, hash, from))
  if (to !== undefined) tx.put(dueRef(place, DUE_KEY, hash, to), { due: true })
}

const keyHash = (names: Names, name: string): Uint8Array => names.hash('oidc-key', name)
