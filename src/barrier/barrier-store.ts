import type {
  Answer,
  Commit,
  Deadline,
  Entry,
  Key,
  ListRange,
  Outcome,
  Page,
  Store,
  Stored,
} from '../storage/store.ts'
import { BarrierBroken } from './barrier-broken.ts'
import type { BrokenValues } from './broken-values.ts'
import type { Keyring } from './keyring.ts'
import { Sealer } from './sealer.ts'

/** The first key after this one. */
const successorOf = (key: Key): Key => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * What stays plain: stamps and the index of expiry, which cause work and grant nothing, and the seal's own records, which seal
 * themselves.
 */
const PLAIN_PREFIXES = ['st/', 'x/', 'meta/'].map((prefix) => Buffer.from(prefix))

const isPlain = (key: Key): boolean =>
  PLAIN_PREFIXES.some((prefix) => {
    for (const [index, byte] of prefix.entries()) if (key[index] !== byte) return false
    return true
  })

export interface BarrierOptions {
  /**
   * Called when a value names a term that the keyring lacks: another node has rotated (architecture.md F6). It reads the
   * keyring record and has the keyring `adopt` it; a term unknown even to a reload begun after the value was read is BarrierBroken.
   */
  readonly reloadKeyring?: () => Promise<void>
  /** Told of values that do not open; what it wants set aside is left out of lists. */
  readonly broken?: Pick<BrokenValues, 'note'>
  /** Told how many values a commit sealed. */
  readonly onSealed?: (values: number) => void
}

class BarrierStore implements Store {
  readonly #store: Store
  readonly #sealer: Sealer
  readonly #reload: (() => Promise<void>) | undefined
  readonly #broken: Pick<BrokenValues, 'note'> | undefined
  readonly #onSealed: ((values: number) => void) | undefined
  #reloading: Promise<void> | undefined

  constructor(store: Store, keyring: Keyring, options: BarrierOptions) {
    this.#store = store
    this.#sealer = new Sealer(keyring)
    this.#reload = options.reloadKeyring
    this.#broken = options.broken
    this.#onSealed = options.onSealed
  }

  async read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>> {
    const answer = await this.#store.read(keys, deadline)
    return { now: answer.now, items: await this.#openAll(answer.items, (index) => keys[index]!) }
  }

  versions(keys: readonly Key[], deadline: Deadline) {
    return this.#store.versions(keys, deadline)
  }

  async list(range: ListRange, deadline: Deadline): Promise<Page> {
    let { from } = range
    for (;;) {
      const page = await this.#store.list({ ...range, from }, deadline)
      const { items, more } = page
      const opened = await this.#openAll(items, (index) => items[index]!.key, true)
      // A page of nothing but what is set aside must not look like the end.
      if (!more || opened.length > 0) return { ...page, items: opened }
      from = successorOf(items.at(-1)!.key)
    }
  }

  commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    let sealed = 0
    const writes = commit.writes.map((write) => {
      if (write.value === undefined || isPlain(write.key)) return write
      sealed++
      return { key: write.key, value: this.#sealer.seal(write.key, write.value) }
    })
    if (sealed > 0) this.#onSealed?.(sealed)
    return this.#store.commit({ ...commit, writes }, deadline)
  }

  async *snapshot(signal: AbortSignal): AsyncIterable<Entry> {
    for await (const entry of this.#store.snapshot(signal)) {
      const [opened] = await this.#openAll([entry], () => entry.key)
      yield opened!
    }
  }

  epoch() {
    return this.#store.epoch()
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #openAll<T extends Stored>(
    items: readonly T[],
    keyAt: (index: number) => Key,
    maySetAside = false,
  ): Promise<T[]> {
    const opened: T[] = []
    for (const [index, item] of items.entries()) {
      const key = keyAt(index)
      if (item.value === undefined || isPlain(key)) {
        opened.push(item)
        continue
      }
      try {
        const known = this.#sealer.open(key, item.value)
        const value = known === 'unknown-term' ? await this.#openLater(key, item.value) : known
        opened.push({ ...item, value })
      } catch (error) {
        if (!(error instanceof BarrierBroken)) throw error
        const aside = this.#broken?.note(error) ?? false
        if (!aside || !maySetAside) throw error
      }
    }
    return opened
  }

  /** Opens a value whose term is not known here yet. */
  async #openLater(key: Key, sealed: Uint8Array): Promise<Uint8Array> {
    let value: Uint8Array | 'unknown-term' = 'unknown-term'
    if (this.#reloading !== undefined) {
      // It may have read the keyring before this term was made: it helps, but proves nothing (architecture.md A2).
      await this.#reloading
      value = this.#sealer.open(key, sealed)
    }
    if (value === 'unknown-term') {
      await this.#learnTerms()
      value = this.#sealer.open(key, sealed)
    }
    if (value !== 'unknown-term') return value
    throw new BarrierBroken(key, 'is sealed by a term that the keyring lacks')
  }

  /** One reload at a time serves all who wait for it. */
  async #learnTerms(): Promise<void> {
    if (this.#reload === undefined) return
    this.#reloading ??= this.#reload().finally(() => (this.#reloading = undefined))
    await this.#reloading
  }
}

/**
 * The store with every value sealed under its own storage key, but for the keys that begin with `st/` and `meta/`.
 * Reading a value that does not open throws BarrierBroken; versions and keys-only pages prove nothing (architecture.md F3).
 */
export const withBarrier = (store: Store, keyring: Keyring, options: BarrierOptions = {}): Store =>
  new BarrierStore(store, keyring, options)
