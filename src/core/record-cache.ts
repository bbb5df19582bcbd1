import { LRUCache } from 'lru-cache'
import type { Ref } from '../engine/records.ts'
import { limits } from '../limits.ts'
import { freezeDeep } from '../std/freeze.ts'
import type { SeenLately } from '../std/seen-lately.ts'
import type { Version } from '../storage/store.ts'

/** A record as it was read: version 0 and no value when it was absent. */
export interface CachedRecord {
  readonly ref: Ref<unknown>
  readonly version: Version
  readonly value: unknown
  /** The store's epoch when the version was last known to hold, read before it (architecture.md A3). */
  epoch: Version | undefined
  /** Others changed it since it was first read: it is not worth a guess that it still is as it was. */
  restless?: boolean
}

/** What an entry takes beside its key and its value's JSON: the cache's own places and the objects' headers, bytes. */
const ENTRY_BYTES = 400
/** Decoded, a record takes about this many times its JSON. */
const DECODED_TIMES = 3

/**
 * Decoded records of this process. Nothing in it may inform an answer before the store has confirmed its version: by the epoch, by
 * `versions`, or as a check of a commit. Values are frozen, since all requests share them.
 *
 * It keeps absent records, too: a commit that makes one must move the epoch, so it cannot be marked `quiet` (architecture.md A9).
 */
export class RecordCache {
  readonly #entries: LRUCache<string, CachedRecord>
  readonly #onLookup: ((hit: boolean) => void) | undefined
  readonly #seen: SeenLately | undefined

  constructor(
    options: {
      readonly maxBytes?: number
      /** Given: a record is kept from the second time on that it is read, as most are read once in a long time. */
      readonly seen?: SeenLately
      /** Told of each look; a hit may yet turn out to be stale. */
      readonly onLookup?: (hit: boolean) => void
    } = {},
  ) {
    const { maxBytes = limits.cachedRecordBytes, onLookup, seen } = options
    this.#seen = seen
    this.#onLookup = onLookup
    this.#entries = new LRUCache({ maxSize: maxBytes, maxEntrySize: limits.cachedRecordBytesEach })
  }

  get(ref: Ref<unknown>): CachedRecord | undefined {
    const found = this.#entries.get(ref.id)
    this.#onLookup?.(found !== undefined)
    return found
  }

  /** What is there, without counting as a use. */
  peek(ref: Ref<unknown>): CachedRecord | undefined {
    return this.#entries.peek(ref.id)
  }

  /** For what this process has just changed. */
  forget(id: string): void {
    this.#entries.delete(id)
  }

  /** Keeps what was read, from the second time on where `seen` was given; `bytes` is the length of the value as JSON. */
  keep(record: CachedRecord, bytes: number): void {
    const { id } = record.ref
    const before = this.#entries.peek(id)
    if (before === undefined && this.#seen?.again(id) === false) return
    freezeDeep(record.value)
    if (before !== undefined && (before.restless === true || before.version !== record.version)) {
      record.restless = true
    }
    this.#entries.set(id, record, { size: ENTRY_BYTES + 2 * id.length + DECODED_TIMES * bytes })
  }
}
