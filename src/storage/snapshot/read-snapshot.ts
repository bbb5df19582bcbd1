import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { Entry } from '../store.ts'
import { storageLimits } from '../limits.ts'
import type { SnapshotHeader } from './format.ts'
import {
  DIGEST_BYTES,
  END_HEAD_BYTES,
  ENTRY_HEAD_BYTES,
  FORMAT,
  HEADER_BYTES,
  LENGTH_BYTES,
  MAGIC,
  SnapshotBroken,
} from './format.ts'

const TORN = 'the file ends too early: it is not a whole snapshot'

/** The bytes of a file as they are asked for. */
class Bytes {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #hash: Hash = createHash('sha256')
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** Whether that many bytes are here already. */
  has(bytes: number): boolean {
    return this.#buffer.length - this.#at >= bytes
  }

  /** The next bytes without going on; throws SnapshotBroken where the file ends before. */
  async peek(bytes: number): Promise<Buffer> {
    if (!this.has(bytes)) {
      const parts: Uint8Array[] = [this.#buffer.subarray(this.#at)]
      for (let have = parts[0]!.length; have < bytes;) {
        const step = await this.#pieces.next()
        if (step.done === true) throw new SnapshotBroken(TORN)
        parts.push(step.value)
        have += step.value.length
      }
      this.#buffer = Buffer.concat(parts)
      this.#at = 0
    }
    return this.#buffer.subarray(this.#at, this.#at + bytes)
  }

  /** The same, and goes on behind them; they count for the checksum. */
  async take(bytes: number): Promise<Buffer> {
    const taken = await this.peek(bytes)
    this.#hash.update(taken)
    this.#at += bytes
    return taken
  }

  /** The checksum of all that was taken. */
  digest(): Buffer {
    return this.#hash.digest()
  }

  /** Whether nothing follows `bytes` more. */
  async endsAfter(bytes: number): Promise<boolean> {
    if (this.has(bytes + 1)) return false
    for (;;) {
      const step = await this.#pieces.next()
      if (step.done === true) return true
      if (step.value.length > 0) return false
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }
}

/** A snapshot file that is being read. */
export interface ReadSnapshot {
  readonly header: SnapshotHeader
  /** Throws SnapshotBroken at the end where the checksum is not right: nothing that was read counts before. */
  readonly entries: AsyncIterable<Entry>
  /** Once all entries were read. */
  readonly digest: () => string
}

/** Reads a snapshot file. Throws SnapshotBroken for what is none, is torn or was changed, or has a newer format. */
export const readSnapshot = async (pieces: AsyncIterable<Uint8Array>): Promise<ReadSnapshot> => {
  const bytes = new Bytes(pieces)
  const magic = await bytes.take(MAGIC.length).catch(() => undefined)
  if (magic === undefined || !magic.equals(MAGIC)) {
    throw new SnapshotBroken('the file is no snapshot of Signet')
  }
  const length = (await bytes.take(LENGTH_BYTES)).readUInt32BE()
  if (length > HEADER_BYTES) throw new SnapshotBroken('the header was changed')
  const header = parseHeader(await bytes.take(length))
  let digest = ''
  const entries = async function* (): AsyncIterable<Entry> {
    let before: Buffer | undefined
    let count = 0
    try {
      for (;;) {
        const keyLength = (await bytes.peek(2)).readUInt16BE()
        if (keyLength === 0) break
        const entry = await readEntry(bytes, keyLength)
        if (before !== undefined && Buffer.compare(before, entry.key) >= 0) {
          throw new SnapshotBroken('the entries are not in order: the file was changed')
        }
        before = Buffer.from(entry.key)
        count++
        yield entry
      }
      const wanted = Number((await bytes.take(END_HEAD_BYTES)).readBigUInt64BE(2))
      const sum = bytes.digest()
      const given = await bytes.peek(DIGEST_BYTES)
      if (wanted !== count || !given.equals(sum) || !(await bytes.endsAfter(DIGEST_BYTES))) {
        throw new SnapshotBroken('the checksum is not right: the file was changed or damaged')
      }
      digest = `sha256:${sum.toString('hex')}`
    } finally {
      await bytes.close()
    }
  }
  return { header, entries: entries(), digest: () => digest }
}

const readEntry = async (bytes: Bytes, keyLength: number): Promise<Entry> => {
  const head = await bytes.take(ENTRY_HEAD_BYTES)
  const version = Number(head.readBigUInt64BE(2))
  const valueLength = head.readUInt32BE(10)
  if (keyLength > storageLimits.keyBytes || valueLength > storageLimits.commitBytes) {
    throw new SnapshotBroken('an entry is larger than any can be: the file was changed')
  }
  const rest = await bytes.take(keyLength + valueLength)
  return { key: rest.subarray(0, keyLength), version, value: rest.subarray(keyLength) }
}

const parseHeader = (text: Buffer): SnapshotHeader => {
  let header: { readonly format: number }
  try {
    header = JSON.parse(text.toString()) as typeof header
  } catch {
    throw new SnapshotBroken('the header was changed')
  }
  if (header.format !== FORMAT) {
    throw new SnapshotBroken(
      `the snapshot has the format ${header.format}, and this Signet reads ${FORMAT} only`,
    )
  }
  return header as SnapshotHeader
}
