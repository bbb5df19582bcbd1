import type {
  Reader,
  RecordRange,
  Records,
  Ref,
  Scanned,
  StampName,
  Tx,
} from '../engine/records.ts'
import { keyId, recordKind } from '../engine/records.ts'
import { Refusal, invalid } from '../engine/refusal.ts'
import type { Key, Outcome, Store, Version } from '../storage/store.ts'
import { deadlineIn, newVersion, Unavailable, Unknown } from '../storage/store.ts'
import { limits } from '../limits.ts'

export interface Check {
  readonly key: Key
  readonly version: Version
}

/** The caller's authority was changed while the request ran: the request is decided anew (architecture.md A7, A8). */
export class StaleAuthority extends Error {
  override readonly name = 'StaleAuthority'
}

/** Stamps are empty and plain: their version is all (architecture.md F3). */
export const stamps = recordKind<undefined>('st', {
  encode: () => new Uint8Array(0),
  decode: () => undefined,
})

const STAMP_BYTES: Readonly<Record<StampName, Uint8Array>> = {
  tree: Uint8Array.of(1),
  keyring: Uint8Array.of(2),
  incarnation: Uint8Array.of(3),
  mounts: Uint8Array.of(4),
  policies: Uint8Array.of(5),
  groups: Uint8Array.of(6),
  audit: Uint8Array.of(7),
}

/** Where a stamp lives. */
export const stampRef = (name: StampName, namespace: number): Ref<undefined> =>
  stamps.at(namespace, STAMP_BYTES[name])

interface Seen {
  readonly ref: Ref<unknown>
  readonly version: Version
  readonly value: unknown
}

/** Turns what a store throws into the refusal a client gets; anything else is a bug and goes on up. */
export const asRefusal = (error: unknown): unknown => {
  if (error instanceof Unavailable) {
    return new Refusal(
      'unavailable',
      'the storage is not available; nothing was changed, try again',
    )
  }
  if (error instanceof Unknown) {
    return new Refusal(
      'unavailable',
      'the storage did not confirm the change in time; read it back before trying again',
    )
  }
  return error
}

/** Reads that remember the versions they saw: the dependencies of a cached answer or the checks of a commit. */
export class TrackedReader implements Reader {
  readonly seen = new Map<string, Seen>()
  /** Store calls so far; more than one means that the reads may not belong to one snapshot. */
  snapshots = 0
  /** The store's clock with the last read, ms. */
  now = 0
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async get<T>(ref: Ref<T>): Promise<T | undefined> {
    const known = this.seen.get(ref.id)
    if (known !== undefined) return known.value as T | undefined
    const [value] = await this.getMany([ref])
    return value
  }

  async getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const missing = refs.filter((ref) => !this.seen.has(ref.id))
    if (missing.length > 0) await this.#load(missing)
    return refs.map((ref) => this.seen.get(ref.id)!.value as T | undefined)
  }

  async #load(refs: readonly Ref<unknown>[]): Promise<void> {
    for (let at = 0; at < refs.length; at += limits.storeReadKeys) {
      const part = refs.slice(at, at + limits.storeReadKeys)
      this.snapshots++
      const answer = await this.#store.read(
        part.map((ref) => ref.key),
        deadlineIn(limits.storeWaitMs),
      )
      this.now = answer.now
      for (const [index, ref] of part.entries()) {
        const item = answer.items[index]!
        if (this.seen.has(ref.id)) continue
        this.seen.set(ref.id, {
          ref,
          version: item.version,
          value: item.value === undefined ? undefined : ref.kind.decode(item.value),
        })
      }
    }
  }

  /** The version seen of a key; undefined when it was not read. */
  versionOf(ref: Ref<unknown>): Version | undefined {
    return this.seen.get(ref.id)?.version
  }

  checks(): Check[] {
    return [...this.seen.values()].map(({ ref, version }) => ({ key: ref.key, version }))
  }

  /** Whether all that was read still holds; one call, none when everything came from one snapshot. */
  async stillHolds(): Promise<boolean> {
    if (this.snapshots <= 1) return true
    const seen = [...this.seen.values()]
    const answer = await this.#store.versions(
      seen.map(({ ref }) => ref.key),
      deadlineIn(limits.storeWaitMs),
    )
    return seen.every(({ version }, index) => answer.items[index] === version)
  }
}

class Transaction implements Tx {
  readonly reads: TrackedReader
  readonly writes = new Map<
    string,
    { readonly ref: Ref<unknown>; readonly value: unknown; readonly gone: boolean }
  >()
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    this.reads = new TrackedReader(store)
  }

  async get<T>(ref: Ref<T>): Promise<T | undefined> {
    const own = this.writes.get(ref.id)
    if (own !== undefined) return own.value as T | undefined
    return this.reads.get(ref)
  }

  async getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values = await this.reads.getMany(refs)
    return refs.map((ref, index) => {
      const own = this.writes.get(ref.id)
      return own === undefined ? values[index] : (own.value as T | undefined)
    })
  }

  async peek<T>(ref: Ref<T>): Promise<T | undefined> {
    return (await this.#peekMany([ref]))[0]
  }

  get unchecked(): Reader {
    return {
      get: (ref) => this.peek(ref),
      getMany: (refs) => this.#peekMany(refs),
    }
  }

  async #peekMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values = await new TrackedReader(this.#store).getMany(refs)
    return refs.map((ref, index) => {
      const own = this.writes.get(ref.id)
      return own === undefined ? values[index] : (own.value as T | undefined)
    })
  }

  put<T>(ref: Ref<T>, value: T): void {
    this.writes.set(ref.id, { ref, value, gone: false })
  }

  delete(ref: Ref<unknown>): void {
    this.writes.set(ref.id, { ref, value: undefined, gone: true })
  }

  stamp(name: StampName, namespace: number): void {
    this.put(stampRef(name, namespace), undefined)
  }

  async checkStamp(name: StampName, namespace: number): Promise<void> {
    await this.reads.get(stampRef(name, namespace))
  }
}

/** One queue per key that conflicts: contention is settled by order, not by timers (architecture.md B5). */
export class ConflictQueues {
  readonly #tails = new Map<string, Promise<void>>()

  /** Waits for its turn on the key; the function it gives back ends the turn. */
  async enter(key: string): Promise<() => void> {
    const before = this.#tails.get(key)
    let leave!: () => void
    const turn = new Promise<void>((resolve) => (leave = resolve))
    this.#tails.set(key, turn)
    await before
    return () => {
      if (this.#tails.get(key) === turn) this.#tails.delete(key)
      leave()
    }
  }
}

export interface RecordsOptions {
  readonly store: Store
  readonly queues: ConflictQueues
  /**
   * Checks added to every commit: the caller's authority, the mount, the keyring. Keys that an earlier commit through the same
   * records wrote are checked for the version they got there: a request may change what it rests on.
   */
  readonly authority?: () => readonly Check[]
  /** Told of a key so contended that 16 attempts lost. */
  readonly onHotKey?: (key: Key) => void
}

/** Typed records over a (sealed) store; see engine/records.ts for the promises. */
export const createRecords = (options: RecordsOptions): Records => {
  const { store, queues, authority = () => [] } = options
  /** What went through here already, and the version it has since: a request may change what it rests on. */
  const written = new Map<string, Version>()

  const commit = async (tx: Transaction): Promise<Outcome | 'stale-authority'> => {
    const checks = new Map<string, Check>()
    for (const seen of tx.reads.seen.values()) {
      checks.set(seen.ref.id, { key: seen.ref.key, version: seen.version })
    }
    const own = new Set<string>()
    for (const { key, version: decided } of authority()) {
      const id = keyId(key)
      const version = written.get(id) ?? decided
      own.add(id)
      const read = checks.get(id)
      if (read !== undefined && read.version !== version) return 'stale-authority'
      checks.set(id, { key, version })
    }
    if (tx.writes.size > limits.commitWrites || checks.size > limits.commitChecks) {
      throw invalid(
        `the request changes too much at once: ${tx.writes.size} records to write (at most ${limits.commitWrites}) and ` +
          `${checks.size} to check (at most ${limits.commitChecks}); split it into smaller requests`,
      )
    }
    const writes = [...tx.writes.values()].map(({ ref, value, gone }) => ({
      key: ref.key,
      value: gone ? undefined : ref.kind.encode(value),
    }))
    const bytes = writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
    if (bytes > limits.commitBytes) {
      throw invalid(
        `the request stores too much at once: ${bytes} bytes (at most ${limits.commitBytes})`,
      )
    }
    const id = newVersion()
    const outcome = await store.commit(
      { id, checks: [...checks.values()], writes },
      deadlineIn(limits.storeWaitMs),
    )
    if (outcome.kind === 'committed') {
      for (const [key, { gone }] of tx.writes) written.set(key, gone ? 0 : id)
      return outcome
    }
    return outcome.stale.some((key) => own.has(keyId(key))) ? 'stale-authority' : outcome
  }

  const attempt = async <T>(
    run: (tx: Tx) => Promise<T>,
  ): Promise<
    | { readonly done: true; readonly value: T }
    | { readonly done: false; readonly hot: Key | undefined }
  > => {
    const tx = new Transaction(store)
    let value: T
    let outcome: Outcome | 'stale-authority'
    try {
      value = await run(tx)
      if (tx.writes.size === 0) {
        const holds = await tx.reads.stillHolds()
        return holds ? { done: true, value } : { done: false, hot: undefined }
      }
      outcome = await commit(tx)
    } catch (error) {
      // What became of a commit is not known, or the store is not there: trying again is not ours to decide.
      if (error instanceof Unknown || error instanceof Unavailable) throw error
      // A refusal, too, must rest on reads that belong together (architecture.md A4); so must a fault.
      if (!(await tx.reads.stillHolds())) return { done: false, hot: undefined }
      throw error
    }
    if (outcome === 'stale-authority') throw new StaleAuthority()
    if (outcome.kind === 'committed') return { done: true, value }
    return { done: false, hot: outcome.stale[0] }
  }

  const transact = async <T>(run: (tx: Tx) => Promise<T>): Promise<T> => {
    let leave: (() => void) | undefined
    let hot: Key | undefined
    try {
      for (let tries = 0; tries < limits.commitAttempts; tries++) {
        const outcome = await attempt(run)
        if (outcome.done) return outcome.value
        hot = outcome.hot ?? hot
        if (leave === undefined && outcome.hot !== undefined)
          leave = await queues.enter(keyId(outcome.hot))
      }
    } catch (error) {
      throw asRefusal(error)
    } finally {
      leave?.()
    }
    if (hot !== undefined) options.onHotKey?.(hot)
    throw new Refusal('unavailable', 'too many requests change the same record at once; try again')
  }

  const scan = async function* <T>(
    range: RecordRange<T>,
    more: { readonly after?: Uint8Array; readonly pageSize?: number } = {},
  ): AsyncIterable<readonly Scanned<T>[]> {
    const limit = Math.min(more.pageSize ?? limits.listPageEntries, limits.listPageEntries)
    let from = range.from
    if (more.after !== undefined) {
      from = new Uint8Array(range.prefixLength + more.after.length + 1)
      from.set(range.from.subarray(0, range.prefixLength))
      from.set(more.after, range.prefixLength)
    }
    for (;;) {
      const page = await store
        .list({ from, to: range.to, limit }, deadlineIn(limits.storeWaitMs))
        .catch((error: unknown) => {
          throw asRefusal(error)
        })
      if (page.items.length === 0) return
      yield page.items.map((item) => ({
        tail: item.key.subarray(range.prefixLength),
        key: item.key,
        version: item.version,
        value: range.kind.decode(item.value!),
      }))
      const last = page.items[page.items.length - 1]!.key
      from = new Uint8Array(last.length + 1)
      from.set(last)
    }
  }

  const reader = {
    get: async <T>(ref: Ref<T>): Promise<T | undefined> => (await reader.getMany([ref]))[0],
    getMany: async <T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> => {
      try {
        return await new TrackedReader(store).getMany(refs)
      } catch (error) {
        throw asRefusal(error)
      }
    },
  }

  return { ...reader, transact, scan }
}
