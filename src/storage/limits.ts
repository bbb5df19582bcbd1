import { keyText } from '../std/key-text.ts'
import type { Commit, Key, ListRange, Version } from './store.ts'

/** Bounds of the storage seam, the same for every store, so that no caller learns to lean on a lenient one. */
export const storageLimits = {
  /** LMDB would take 1,978 bytes and PostgreSQL's index 2,700; names stand in keys as hashes, so 512 is plenty. */
  keyBytes: 512,
  /** A read set past this is a design fault (architecture.md B1). */
  commitChecks: 512,
  /** Larger LMDB transactions leave a free list that slows every later commit (measured). */
  commitWrites: 200,
  /** Keys and values of one commit together. */
  commitBytes: 1_048_576,
  /** Bounds how long a page pins LMDB's pages and the event loop. */
  pageEntries: 256,
  /** Keys and values of one page together; a single larger entry is a page of its own. */
  pageBytes: 262_144,
} as const

/** Throws RangeError unless the key has 1 to 512 bytes. */
export const checkKey = (key: Key): void => {
  if (key.length === 0 || key.length > storageLimits.keyBytes) {
    throw new RangeError(
      `a storage key has 1 to ${storageLimits.keyBytes} bytes, not ${key.length}`,
    )
  }
}

/** `checkKey` for each key of a read. */
export const checkKeys = (keys: readonly Key[]): void => {
  for (const key of keys) checkKey(key)
}

const checkVersion = (version: number): void => {
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new RangeError(`a version is a whole number from 0, not ${version}`)
  }
}

/** What a page tells of the range's witness. */
export const witnessed = (
  { witness }: ListRange,
  versionOf: (key: Key) => Version,
): { readonly witness?: Version } => (witness === undefined ? {} : { witness: versionOf(witness) })

/** Throws RangeError for a commit outside the bounds: counts, key lengths, bytes, a key put twice, id 0. */
export const checkCommit = (commit: Commit): void => {
  const { checks, writes } = commit
  checkVersion(commit.id)
  if (commit.id === 0) throw new RangeError('a commit needs an id other than 0, which means absent')
  if (checks.length > storageLimits.commitChecks) {
    throw new RangeError(
      `a commit has at most ${storageLimits.commitChecks} checks, not ${checks.length}`,
    )
  }
  if (writes.length > storageLimits.commitWrites) {
    throw new RangeError(
      `a commit has at most ${storageLimits.commitWrites} writes, not ${writes.length}`,
    )
  }
  for (const check of checks) {
    checkKey(check.key)
    checkVersion(check.version)
  }
  let bytes = 0
  const seen = writes.length > 1 ? new Set<string>() : undefined
  for (const { key, value } of writes) {
    checkKey(key)
    bytes += key.length + (value?.length ?? 0)
    seen?.add(keyText(key))
  }
  if (bytes > storageLimits.commitBytes) {
    throw new RangeError(`a commit has at most ${storageLimits.commitBytes} bytes, not ${bytes}`)
  }
  if (seen !== undefined && seen.size !== writes.length) {
    throw new RangeError('a commit writes a key at most once')
  }
}

/** Throws RangeError for a bound longer than 513 bytes or a limit below 1; gives the number of entries a page may have. */
export const pageLimit = (range: ListRange): number => {
  if (
    range.from.length > storageLimits.keyBytes + 1 ||
    range.to.length > storageLimits.keyBytes + 1
  ) {
    throw new RangeError(`the bound of a range has at most ${storageLimits.keyBytes + 1} bytes`)
  }
  if (!Number.isSafeInteger(range.limit) || range.limit < 1) {
    throw new RangeError(`the limit of a page is a whole number from 1, not ${range.limit}`)
  }
  return Math.min(range.limit, storageLimits.pageEntries)
}
