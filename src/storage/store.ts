import { drawnBytes } from '../std/drawn-bytes.ts'

/** 1..512 bytes, compared as unsigned bytes, in every store. */
export type Key = Uint8Array

/** A random 52-bit integer drawn per commit; 0 = absent. Compared for equality only, never ordered. */
export type Version = number

/** Until when a call may take: absolute milliseconds of `performance.now()`. */
export type Deadline = number

/** What stands under a key: version 0 and no value when absent. Never change the bytes of a value that was read. */
export interface Stored {
  readonly version: Version
  readonly value: Uint8Array | undefined
}

/** One answer, one snapshot. `now` is the store's clock (whole ms), never behind one given to this process before. */
export interface Answer<T> {
  readonly now: number
  readonly items: readonly T[]
}

/** One put; an undefined value deletes. */
export interface Write {
  readonly key: Key
  readonly value: Uint8Array | undefined
}

/** A change that happens as a whole or not at all. Bounds: storage/limits.ts. */
export interface Commit {
  /** Drawn by the caller once per attempt (`newVersion`); becomes the version of everything put. */
  readonly id: Version
  /** All must hold at the instant of the commit; 0 asserts absence. Checks alone are a validation. At most 512. */
  readonly checks: readonly { readonly key: Key; readonly version: Version }[]
  /** A key at most once; a key without a check is a blind write. At most 200, at most 1 MiB. */
  readonly writes: readonly Write[]
  /** True only if no answer anyone may have cached changes: does not move the epoch (architecture.md A9). */
  readonly quiet?: boolean
}

/** `stale` names the checked keys that differ now; it is empty when what differed has come back since. */
export type Outcome =
  | { readonly kind: 'committed'; readonly now: number }
  | { readonly kind: 'conflict'; readonly stale: readonly Key[] }

/** Entries with from <= key < to. A bound may be one byte longer than a key, so that "just after this key" can be said. */
export interface ListRange {
  readonly from: Key
  readonly to: Key
  /** At least 1; a page holds at most 256 entries whatever is asked. */
  readonly limit: number
  /** Leaves the values undefined. */
  readonly keysOnly?: boolean
  /** A key whose version the page tells, of its own snapshot. */
  readonly witness?: Key
}

/** One entry of a page. */
export interface Listed extends Stored {
  readonly key: Key
}

/**
 * One page of a list. Without `more`, this snapshot has nothing behind it in the range. With `more` there may be: ask again from
 * just after the last key, and know that the two pages are of two instants: what moved in between may show twice or not at all.
 */
export interface Page extends Answer<Listed> {
  /** False for an empty page. */
  readonly more: boolean
  /** The version of the range's witness, if it has one. */
  readonly witness?: Version
}

/** One entry of a snapshot. */
export interface Entry {
  readonly key: Key
  readonly version: Version
  readonly value: Uint8Array
}

/**
 * An ordered map shared by all processes and nodes. Strict: every call sees each commit that was acknowledged
 * anywhere before the call BEGAN (an adapter may merge calls only into a query not yet sent), and each call sees one snapshot.
 * Failures: `Unavailable` = certainly nothing happened; `Unknown` = past the deadline, undecided. Beyond these only
 * a RangeError is thrown, for a call outside the bounds of storage/limits.ts, which is the caller's bug.
 */
export interface Store {
  /** Values and versions, in the order asked, absent ones included. */
  read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>>
  /** Versions only: what confirms a cache. */
  versions(keys: readonly Key[], deadline: Deadline): Promise<Answer<Version>>
  /**
   * Entries in key order, a bounded page copied out; no cursor outlives the call. A page may be shorter than
   * its limit; whether it is the last is said by `more`. Two pages are two snapshots.
   */
  list(range: ListRange, deadline: Deadline): Promise<Page>
  /** Durable when it resolves. The adapter resolves a lost connection by the id before it answers. */
  commit(commit: Commit, deadline: Deadline): Promise<Outcome>
  /**
   * Fresh and synchronous: a value that differs whenever a commit not marked quiet was acknowledged, by any process,
   * since it was last read; `undefined` where knowing that costs a round trip (PostgreSQL): then `versions` decides.
   */
  epoch(): Version | undefined
  /**
   * Every entry of ONE snapshot in key order, for backup: it has each commit that was acknowledged before the call began. Writers go
   * on; each adapter says what it costs them. Whoever stops before the end ends the iteration (`return`), as `for await` does.
   * Throws Unavailable when the store is not there, and the signal's reason once it is aborted.
   */
  snapshot(signal: AbortSignal): AsyncIterable<Entry>
  /** Waits for commits under way; every later call is Unavailable. */
  close(): Promise<void>
}

/** The store cannot be reached or is full: certainly nothing happened. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** The deadline passed while a commit was under way: it may or may not have happened. */
export class Unknown extends Error {
  override readonly name = 'Unknown'
}

/** The deadline this many milliseconds from now. */
export const deadlineIn = (milliseconds: number): Deadline => performance.now() + milliseconds

/** Throws Unavailable when the deadline has passed before anything was done. */
export const ensureBefore = (deadline: Deadline): void => {
  if (performance.now() > deadline)
    throw new Unavailable('the deadline passed before the store was asked')
}

/** A fresh id for a commit: 52 random bits, never 0 (architecture.md A6: fits LMDB's float64 and PostgreSQL's bigint). */
export const newVersion = (): Version => {
  for (;;) {
    const bytes = drawnBytes(7)
    const version = bytes.readUIntBE(0, 6) * 16 + (bytes[6]! & 15)
    if (version !== 0) return version
  }
}
