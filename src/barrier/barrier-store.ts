import type {
  Answer,
  Commit,
  Deadline,
  Entry,
  Key,
  Listed,
  ListRange,
  Outcome,
  Store,
  Stored,
} from '../storage/store.ts'
import { BarrierBroken } from './barrier-broken.ts'
import type { Keyring } from './keyring.ts'
import { Sealer } from './sealer.ts'

/** What stays plain: stamps, which cause work and grant nothing, and the seal's own records, which seal themselves. */
const PLAIN_PREFIXES = ['st/', 'meta/'].map((prefix) => Buffer.from(prefix))

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
}

class BarrierStore implements Store {
  readonly #store: Store
  readonly #sealer: Sealer
  readonly #reload: (() => Promise<void>) | undefined
  #reloading: Promise<void> | undefined

  constructor(store: Store, keyring: Keyring, options: BarrierOptions) {
    this.#store = store
    this.#sealer = new Sealer(keyring)
    this.#reload = options.reloadKeyring
  }

  async read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>> {
    const answer = await this.#store.read(keys, deadline)
    return { now: answer.now, items: await this.#openAll(answer.items, (index) => keys[index]!) }
  }

  versions(keys: readonly Key[], deadline: Deadline) {
    return this.#store.versions(keys, deadline)
  }

  async list(range: ListRange, deadline: Deadline): Promise<Answer<Listed>> {
    const answer = await this.#store.list(range, deadline)
    return {
      now: answer.now,
      items: await this.#openAll(answer.items, (index) => answer.items[index]!.key),
    }
  }

  commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    const writes = commit.writes.map((write) =>
      write.value === undefined || isPlain(write.key)
        ? write
        : { key: write.key, value: this.#sealer.seal(write.key, write.value) },
    )
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
  ): Promise<T[]> {
    const opened: T[] = []
    for (const [index, item] of items.entries()) {
      const key = keyAt(index)
      if (item.value === undefined || isPlain(key)) {
        opened.push(item)
        continue
      }
      let value = this.#sealer.open(key, item.value)
      if (value === 'unknown-term' && this.#reloading !== undefined) {
        // It may have read the keyring before this term was made: it helps, but proves nothing (architecture.md A2).
        await this.#reloading
        value = this.#sealer.open(key, item.value)
      }
      if (value === 'unknown-term') {
        await this.#learnTerms()
        value = this.#sealer.open(key, item.value)
      }
      if (value === 'unknown-term')
        throw new BarrierBroken(key, 'is sealed by a term that the keyring lacks')
      opened.push({ ...item, value })
    }
    return opened
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
