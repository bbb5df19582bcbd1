/*
 * A snapshot file: MAGIC; a header of JSON (4 bytes of length before it); the entries in key order, each as key length (2),
 * version (8), value length (4), key, value; then an end: key length 0, count of entries (8), SHA-256 of all before it (32).
 * Numbers are big endian. Values are as the store had them: sealed, but for the seal's own records and the stamps.
 */

/** How every snapshot file begins. */
export const MAGIC = Buffer.from('SIGNET-SNAPSHOT\n')

/** The version of the format that is written, and the only one that is read. */
export const FORMAT = 1

export const LENGTH_BYTES = 4
/** Key length, version, value length. */
export const ENTRY_HEAD_BYTES = 14
/** Key length 0, count. */
export const END_HEAD_BYTES = 10
export const DIGEST_BYTES = 32
/** A header is a few hundred bytes: a longer one is no header. */
export const HEADER_BYTES = 65_536

/** Whose data a snapshot holds, and of when. */
export interface SnapshotHeader {
  readonly format: typeof FORMAT
  /** RFC 3339 */
  readonly created: string
  /** The server that took it, and where it kept its data (`lmdb`, `postgresql` …). */
  readonly version: string
  readonly storage: string
  readonly cluster: { readonly name: string; readonly id: string }
  /** The seal under which the data lies: only its unseal keys open it. The nonce changes with the keys. */
  readonly seal: {
    readonly type: string
    readonly threshold: number
    readonly shares: number
    readonly nonce: string
  }
}

/** A file that is no snapshot, not all of one, or not as it was written. */
export class SnapshotBroken extends Error {
  override readonly name = 'SnapshotBroken'
}
