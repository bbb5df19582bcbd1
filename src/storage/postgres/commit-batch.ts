import { keyText } from '../../std/key-text.ts'
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Commit, Key, Outcome } from '../store.ts'
import { byteaArray, int4Array, int8Array } from './binary-array.ts'
import { STRIPES } from './schema-sql.ts'

/** Distinct keys of a batch, so that two of them fit in the lock table (architecture.md D2); one commit may have more by itself. */
const BATCH_KEYS = 512
const BATCH_COMMITS = 64
const BATCH_BYTES = 4_194_304

const stripeOf = (key: Key): number => crc32(key) % STRIPES

/** The 128-bit id of a transaction: its time in ms first, so that new ones stand at the end of the index. */
export const transactionId = (now: number): string =>
  now.toString(16).padStart(12, '0') + randomBytes(10).toString('hex')

/** The least id that a transaction of this time can have. */
export const firstIdAt = (now: number): string => now.toString(16).padStart(12, '0').padEnd(32, '0')

const bytesOf = (commit: Commit): number => {
  let bytes = 0
  for (const { key, value } of commit.writes) bytes += key.length + (value?.length ?? 0)
  return bytes
}

/** How many of the commits, from the first on, make one batch: at least one. */
export const batchLength = (commits: Iterable<Commit>): number => {
  const keys = new Set<string>()
  let length = 0
  let bytes = 0
  for (const commit of commits) {
    for (const { key } of commit.checks) keys.add(keyText(key))
    for (const { key } of commit.writes) keys.add(keyText(key))
    bytes += bytesOf(commit)
    const full = keys.size > BATCH_KEYS || bytes > BATCH_BYTES || length === BATCH_COMMITS
    if (full && length > 0) return length
    length += 1
  }
  return length
}

/** Numbers for keys from 1, in the order they come. */
class Slots {
  readonly #slots = new Map<string, number>()
  readonly keys: Key[] = []

  of(key: Key): number {
    const text = keyText(key)
    const known = this.#slots.get(text)
    if (known !== undefined) return known
    this.keys.push(key)
    this.#slots.set(text, this.keys.length)
    return this.keys.length
  }
}

const locksOf = (commits: readonly Commit[]): number[] => {
  const locks = new Map<number, number>()
  for (const { checks, writes } of commits) {
    for (const { key } of checks) {
      const stripe = stripeOf(key)
      if (!locks.has(stripe)) locks.set(stripe, 0)
    }
    for (const { key } of writes) locks.set(stripeOf(key), 1)
  }
  return [...locks].map(([stripe, exclusive]) => stripe * 2 + exclusive).sort((a, b) => a - b)
}

/** The parameters of `kv_commit_many` for these commits. */
export const encodeCommits = (
  id: string,
  lockMs: number,
  commits: readonly Commit[],
): readonly unknown[] => {
  const slots = new Slots()
  const checks = commits.flatMap((commit) => commit.checks)
  const writes = commits.flatMap((commit) => commit.writes)
  const checkSlots = checks.map(({ key }) => slots.of(key))
  const checkedKeys = byteaArray(slots.keys)
  const writeSlots = writes.map(({ key, value }) =>
    value === undefined ? -slots.of(key) : slots.of(key),
  )
  return [
    id,
    lockMs,
    int4Array(locksOf(commits)),
    checkedKeys,
    slots.keys.length,
    int8Array(commits.map((commit) => commit.id)),
    int4Array(ends(commits, (commit) => commit.checks.length)),
    int4Array(checkSlots),
    int8Array(checks.map(({ version }) => version)),
    int4Array(ends(commits, (commit) => commit.writes.length)),
    int4Array(writeSlots),
    byteaArray(writes.map(({ key }) => key)),
    byteaArray(writes.map(({ value }) => value)),
  ]
}

const ends = (commits: readonly Commit[], length: (commit: Commit) => number): number[] => {
  let end = 0
  return commits.map((commit) => (end += length(commit)))
}

/** What became of each commit of a batch: `stale` numbers its failed checks, from 1, over all commits. */
export const outcomesOf = (
  commits: readonly Commit[],
  stale: readonly number[],
  now: number,
): Outcome[] => {
  const failed = new Set(stale)
  let at = 0
  return commits.map(({ checks }) => {
    const keys = checks.filter(() => failed.has((at += 1))).map(({ key }) => key)
    return keys.length > 0 ? { kind: 'conflict', stale: keys } : { kind: 'committed', now }
  })
}
