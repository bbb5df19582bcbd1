import { keyText } from '../../std/key-text.ts'
import { createSystemClock, StoreClock } from '../clock.ts'
import { checkCommit, checkKeys, pageLimit, storageLimits, witnessed } from '../limits.ts'
import type {
  Answer,
  Commit,
  Deadline,
  Entry,
  Key,
  Listed,
  ListRange,
  Outcome,
  Page,
  Store,
  Stored,
  Version,
} from '../store.ts'
import { ensureBefore, Unavailable } from '../store.ts'
import { SortedKeys } from './sorted-keys.ts'

interface MemoryEntry {
  readonly version: Version
  readonly value: Uint8Array
}

const ABSENT: Stored = { version: 0, value: undefined }

class MemoryStore implements Store {
  readonly #entries = new Map<string, MemoryEntry>()
  readonly #order = new SortedKeys()
  readonly #clock: StoreClock
  #epoch: Version = 0
  #closed = false

  constructor(clock: StoreClock) {
    this.#clock = clock
  }

  async read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>> {
    checkKeys(keys)
    this.#ensureOpen(deadline)
    return {
      now: this.#clock.now(),
      items: keys.map((key) => this.#entries.get(keyText(key)) ?? ABSENT),
    }
  }

  async versions(keys: readonly Key[], deadline: Deadline): Promise<Answer<Version>> {
    checkKeys(keys)
    this.#ensureOpen(deadline)
    return { now: this.#clock.now(), items: keys.map((key) => this.#versionOf(key)) }
  }

  async list(range: ListRange, deadline: Deadline): Promise<Page> {
    const limit = pageLimit(range)
    this.#ensureOpen(deadline)
    const items: Listed[] = []
    let bytes = 0
    let more = false
    for (const text of this.#order.range(keyText(range.from), keyText(range.to))) {
      const { version, value } = this.#entries.get(text)!
      bytes += text.length + (range.keysOnly === true ? 0 : value.length)
      if (items.length === limit || (items.length > 0 && bytes > storageLimits.pageBytes)) {
        more = true
        break
      }
      const key = new Uint8Array(Buffer.from(text, 'latin1'))
      items.push({ key, version, value: range.keysOnly === true ? undefined : value })
    }
    const beside = witnessed(range, (key) => this.#versionOf(key))
    return { now: this.#clock.now(), items, more, ...beside }
  }

  async commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    checkCommit(commit)
    this.#ensureOpen(deadline)
    const stale = commit.checks.filter(({ key, version }) => this.#versionOf(key) !== version)
    if (stale.length > 0) return { kind: 'conflict', stale: stale.map(({ key }) => key) }
    for (const { key, value } of commit.writes) {
      const text = keyText(key)
      if (value === undefined) {
        if (this.#entries.delete(text)) this.#order.delete(text)
      } else {
        if (!this.#entries.has(text)) this.#order.add(text)
        this.#entries.set(text, { version: commit.id, value: new Uint8Array(value) })
      }
    }
    if (commit.writes.length > 0 && commit.quiet !== true) this.#epoch = commit.id
    return { kind: 'committed', now: this.#clock.now() }
  }

  /** Writers wait as long as the list of entries takes to copy; the values are shared, since nobody changes them. */
  snapshot(signal: AbortSignal): AsyncIterable<Entry> {
    if (this.#closed) throw new Unavailable('the store is closed')
    const entries: [text: string, entry: MemoryEntry][] = []
    for (const text of this.#order.range('', '\u0100')) {
      entries.push([text, this.#entries.get(text)!])
    }
    return (async function* () {
      for (const [text, { version, value }] of entries) {
        signal.throwIfAborted()
        yield { key: new Uint8Array(Buffer.from(text, 'latin1')), version, value }
      }
    })()
  }

  epoch(): Version {
    if (this.#closed) throw new Unavailable('the store is closed')
    return this.#epoch
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #versionOf(key: Key): Version {
    return this.#entries.get(keyText(key))?.version ?? 0
  }

  #ensureOpen(deadline: Deadline): void {
    if (this.#closed) throw new Unavailable('the store is closed')
    ensureBefore(deadline)
  }
}

/** A store in this process's memory: dev mode and tests. `clock` gives ms since 1970; the machine's time if absent. */
export const createMemoryStore = (options: { readonly clock?: () => number } = {}): Store =>
  new MemoryStore(new StoreClock(options.clock ?? createSystemClock()))
