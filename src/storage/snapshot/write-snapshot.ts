import { createHash } from 'node:crypto'
import type { Entry, Key } from '../store.ts'
import type { SnapshotHeader } from './format.ts'
import { END_HEAD_BYTES, ENTRY_HEAD_BYTES, LENGTH_BYTES, MAGIC } from './format.ts'

/** Pieces are about this large: fewer than the entries, small enough to be sent on at once. */
const PIECE_BYTES = 65_536

/** The file of a snapshot, piece by piece. */
export interface WrittenSnapshot {
  readonly pieces: AsyncIterable<Uint8Array>
  /** Once all pieces are there: how many entries, and the checksum. */
  readonly summary: () => {
    readonly entries: number
    readonly bytes: number
    readonly digest: string
  }
}

/** Writes entries as a snapshot file. `keeps` leaves out what belongs to the place and not to the data. */
export const writeSnapshot = (
  header: SnapshotHeader,
  entries: AsyncIterable<Entry>,
  keeps: (entry: Entry) => boolean,
): WrittenSnapshot => {
  const hash = createHash('sha256')
  let count = 0
  let bytes = 0
  let digest = ''
  const made = (parts: readonly Uint8Array[]): Buffer => {
    const piece = Buffer.concat(parts)
    hash.update(piece)
    bytes += piece.length
    return piece
  }
  const pieces = async function* (): AsyncIterable<Uint8Array> {
    const text = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(text.length)
    yield made([MAGIC, length, text])
    let parts: Uint8Array[] = []
    let size = 0
    for await (const entry of entries) {
      if (!keeps(entry)) continue
      count++
      parts.push(entryHead(entry), entry.key, entry.value)
      size += ENTRY_HEAD_BYTES + entry.key.length + entry.value.length
      if (size < PIECE_BYTES) continue
      yield made(parts)
      parts = []
      size = 0
    }
    const end = Buffer.alloc(END_HEAD_BYTES)
    end.writeBigUInt64BE(BigInt(count), 2)
    const last = made([...parts, end])
    const sum = hash.digest()
    digest = `sha256:${sum.toString('hex')}`
    bytes += sum.length
    yield Buffer.concat([last, sum])
  }
  return { pieces: pieces(), summary: () => ({ entries: count, bytes, digest }) }
}

const entryHead = ({ key, version, value }: Entry): Buffer => {
  const head = Buffer.allocUnsafe(ENTRY_HEAD_BYTES)
  head.writeUInt16BE(key.length)
  head.writeBigUInt64BE(BigInt(version), 2)
  head.writeUInt32BE(value.length, 10)
  return head
}

/** Who has the data folder (`meta/owner`), and the marks of a restore: they are of the place, not of the data. */
const OF_THE_PLACE = ['meta/owner', 'meta/restoring'].map((key) => Buffer.from(key))

/** Whether an entry belongs to the place where the data lies. */
export const isOfThePlace = (key: Key): boolean => OF_THE_PLACE.some((one) => one.equals(key))
