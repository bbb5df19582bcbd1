import { keyText } from '../std/key-text.ts'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import type {
  Reader,
  RecordRange,
  Records,
  Ref,
  Scanned,
  ScannedKey,
  StampName,
  Tx,
} from '../engine/records.ts'
import { markKind } from '../engine/records.ts'
import { Refusal, invalid } from '../engine/refusal.ts'
import type {
  Answer,
  Deadline,
  Key,
  Listed,
  Outcome,
  Store,
  Version,
  Write,
} from '../storage/store.ts'
import { deadlineIn, newVersion, Unavailable, Unknown } from '../storage/store.ts'
import { limits } from '../limits.ts'
import type { Patience } from './own-turn.ts'
import { OwnTurn } from './own-turn.ts'
import type { CachedRecord, RecordCache } from './record-cache.ts'

export interface Check {
  readonly key: Key
  readonly version: Version
}

/** The caller's authority was changed while the request ran: the request is decided anew (architecture.md A7, A8). */
export class StaleAuthority extends Error {
  override readonly name = 'StaleAuthority'
}

/** Stamps are empty and plain: their version is all (architecture.md F3). */
export const stamps = markKind('st')

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

/**
 * Turns what a store throws into the refusal a client gets; anything else is a bug and goes on up. `changed`: the request has
 * committed something already, so that only the rest of it was not done.
 */
export const asRefusal = (error: unknown, changed = false): unknown => {
  if (error instanceof Unavailable) {
    return new Refusal(
      'unavailable',
      changed
        ? 'the storage is not available any more; what was changed is kept, read it back before trying again'
        : 'the storage is not available; nothing was changed, try again',
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

/**
 * How a reader uses the cache. `confirming`: what it has counts once the store has confirmed its version. `trusting`: it is taken as
 * it is, without asking the store, by one who has all of it confirmed at once before anything comes of it: as checks of a
 * commit, or by `stillHolds`. `passing`: as the first, and what is read is not kept, for it is much and soon forgotten.
 */
export type ReaderMode = 'confirming' | 'trusting' | 'passing'

/**
 * Reads that remember the versions they saw: the dependencies of a cached answer or the checks of a commit. With a cache,
 * records whose version the store confirms are not read again.
 */
export class TrackedReader implements Reader {
  readonly seen = new Map<string, CachedRecord>()
  /** Of what was only asked whether it is there. */
  readonly looked = new Map<string, Check>()
  /** The store's clock with the last call of the store, ms; 0 while there was none. */
  now = 0
  readonly #store: Store
  readonly #cache: RecordCache | undefined
  /** The epoch before the first read: what came from the cache without a call belongs to its snapshot. */
  #epoch: Version | undefined
  #began = false
  /** Pieces that may belong to different snapshots: calls of the store, and what the cache gave. */
  #pieces = 0
  #cacheGave = false
  /** Whether something was (or may have been) committed between the reads. */
  #moved = false
  /** Whether something was listed beside the reads that holds only while they do. */
  #listed = false
  readonly #mode: ReaderMode
  #unconfirmed = false

  constructor(store: Store, cache?: RecordCache, mode: ReaderMode = 'confirming') {
    this.#store = store
    this.#cache = cache
    this.#mode = mode
  }

  async get<T>(ref: Ref<T>): Promise<T | undefined> {
    const known = this.seen.get(ref.id) ?? this.#fromCache(ref)
    if (known !== undefined) return known.value as T | undefined
    await this.#load([ref])
    return this.seen.get(ref.id)!.value as T | undefined
  }

  async getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values: (T | undefined)[] = []
    let missing: Ref<T>[] | undefined
    for (const ref of refs) {
      const known = this.seen.get(ref.id) ?? this.#fromCache(ref)
      if (known === undefined) (missing ??= []).push(ref)
      values.push(known?.value as T | undefined)
    }
    if (missing === undefined) return values
    for (let at = 0; at < missing.length; at += limits.storeReadKeys) {
      await this.#load(missing.slice(at, at + limits.storeReadKeys))
    }
    return refs.map((ref) => this.seen.get(ref.id)!.value as T | undefined)
  }

  async exist(refs: readonly Ref<unknown>[]): Promise<readonly boolean[]> {
    const unseen = refs.filter(({ id }) => !this.seen.has(id) && !this.looked.has(id))
    for (let at = 0; at < unseen.length; at += limits.storeReadKeys) {
      const some = unseen.slice(at, at + limits.storeReadKeys)
      const keys = some.map(({ key }) => key)
      const { answer } = await this.#call((deadline) => this.#store.versions(keys, deadline))
      for (const [index, { id, key }] of some.entries()) {
        this.looked.set(id, { key, version: answer.items[index]! })
      }
    }
    return refs.map(({ id }) => (this.seen.get(id) ?? this.looked.get(id))!.version !== 0)
  }

  /** A record that was confirmed at the epoch of the first read, or is taken on trust. */
  #fromCache(ref: Ref<unknown>): CachedRecord | undefined {
    if (this.#cache === undefined) return undefined
    if (!this.#began) {
      this.#began = true
      this.#epoch = this.#store.epoch()
    }
    const cached = this.#cache.get(ref)
    if (cached === undefined) return undefined
    if (cached.epoch === undefined || cached.epoch !== this.#epoch) {
      if (this.#mode !== 'trusting' || cached.restless === true) return undefined
      this.#unconfirmed = true
    }
    if (!this.#cacheGave) {
      this.#cacheGave = true
      this.#pieces++
    }
    return this.#remember(cached)
  }

  async #load(refs: readonly Ref<unknown>[]): Promise<void> {
    const unknown = this.#cache === undefined ? refs : await this.#confirm(refs, this.#cache)
    if (unknown.length > 0) await this.#read(unknown)
  }

  /** Takes those from the cache whose versions still hold, and gives the others. */
  async #confirm(
    refs: readonly Ref<unknown>[],
    cache: RecordCache,
  ): Promise<readonly Ref<unknown>[]> {
    const known: CachedRecord[] = []
    for (const ref of refs) {
      // It has just been looked up, and was not known to hold.
      const cached = cache.peek(ref)
      if (cached !== undefined) known.push(cached)
    }
    if (known.length === 0) return refs
    const keys = known.map(({ ref }) => ref.key)
    const { answer, epoch } = await this.#call((deadline) => this.#store.versions(keys, deadline))
    let changed = false
    for (const [index, cached] of known.entries()) {
      if (cached.version === answer.items[index]) {
        cached.epoch = epoch
        this.#remember(cached)
      } else changed = true
    }
    return !changed && known.length === refs.length
      ? []
      : refs.filter((ref) => !this.seen.has(ref.id))
  }

  async #read(refs: readonly Ref<unknown>[]): Promise<void> {
    const keys = refs.map(({ key }) => key)
    const { answer, epoch } = await this.#call((deadline) => this.#store.read(keys, deadline))
    for (const [index, ref] of refs.entries()) {
      const { version, value } = answer.items[index]!
      const decoded = value === undefined ? undefined : ref.kind.decode(value)
      const record = { ref, version, value: decoded, epoch }
      if (this.#mode !== 'passing') this.#cache?.keep(record, value?.length ?? 0)
      this.#remember(record)
    }
  }

  /** One call of the store, and the epoch at which its answer holds; undefined when that moved meanwhile. */
  async #call<T>(
    ask: (deadline: Deadline) => Promise<Answer<T>>,
  ): Promise<{ readonly answer: Answer<T>; readonly epoch: Version | undefined }> {
    // Before the values: what changes in between must look old, never new (architecture.md A3).
    const before = this.#store.epoch()
    if (!this.#began) this.#epoch = before
    this.#began = true
    this.#pieces++
    const answer = await ask(deadlineIn(limits.storeWaitMs))
    this.now = answer.now
    const epoch = this.#store.epoch() === before ? before : undefined
    if (epoch === undefined || epoch !== this.#epoch) this.#moved = true
    return { answer, epoch }
  }

  /** What was seen first counts: a reader never changes its mind about a record. */
  #remember(record: CachedRecord): CachedRecord {
    const { id } = record.ref
    const before = this.seen.get(id)
    if (before !== undefined) return before
    this.seen.set(id, record)
    return record
  }

  /** The version seen of a key; undefined when it was not read. */
  versionOf(ref: Ref<unknown>): Version | undefined {
    return this.seen.get(ref.id)?.version
  }

  /** A key stands here twice when it was looked at first and read then. */
  checks(): Check[] {
    const read = [...this.seen.values()].map(({ ref, version }) => ({ key: ref.key, version }))
    return this.looked.size === 0 ? read : [...read, ...this.looked.values()]
  }

  /** Told before something is listed that these reads guard: they must still hold afterwards. */
  noteListing(): void {
    this.#listed = true
  }

  get hasListed(): boolean {
    return this.#listed
  }

  get isTrusting(): boolean {
    return this.#mode === 'trusting'
  }

  /** Rests on these too, as they were once read: on trust, which only a trusting reader has. */
  trust(checks: ReadonlyMap<string, Check>): void {
    if (!this.isTrusting) throw new Error('this reader takes nothing on trust')
    this.#unconfirmed = true
    for (const [id, check] of checks) this.looked.set(id, check)
  }

  /** Whether something was taken on trust, and not confirmed since. */
  get hasTrusted(): boolean {
    return this.#unconfirmed
  }

  /** Whether everything came from one snapshot, that is or was the store's since the first read. */
  get isOneSnapshot(): boolean {
    return !this.#unconfirmed && !this.#listed && (!this.#moved || this.#pieces <= 1)
  }

  /** Whether all that was read still holds; one call, none when everything came from one snapshot. */
  async stillHolds(): Promise<boolean> {
    if (this.isOneSnapshot) return true
    const seen = this.checks()
    const before = this.#store.epoch()
    const answer = await this.#store.versions(
      seen.map(({ key }) => key),
      deadlineIn(limits.storeWaitMs),
    )
    this.now = answer.now
    if (!seen.every(({ version }, index) => answer.items[index] === version)) return false
    const epoch = this.#store.epoch()
    if (epoch !== undefined && epoch === before) {
      for (const record of this.seen.values()) record.epoch = epoch
    }
    return true
  }
}

/** A record, and the version it was read at: 0 and no value when it is absent. */
export interface Versioned<T> {
  readonly version: Version
  readonly value: T | undefined
}

/** Records with their versions, all of one snapshot; at most `limits.storeReadKeys`. Throws what the store throws as a Refusal. */
export const readVersioned = async <T>(
  store: Store,
  refs: readonly Ref<T>[],
): Promise<readonly Versioned<T>[]> => {
  const reader = new TrackedReader(store)
  const values = await reader.getMany(refs).catch((error: unknown) => {
    throw asRefusal(error)
  })
  return refs.map((ref, at) => ({ version: reader.versionOf(ref)!, value: values[at] }))
}

/** What a transaction rests on: `checked` by its commit, and what it merely looked at. */
interface Basis {
  readonly checked: ReadonlyMap<string, Check>
  readonly looked: readonly Check[]
}

class Transaction implements Tx {
  readonly reads: TrackedReader
  /** What informs nothing that is written. */
  #aside: TrackedReader | undefined
  readonly writes = new Map<
    string,
    { readonly ref: Ref<unknown>; readonly value: unknown; readonly gone: boolean }
  >()
  readonly #store: Store
  readonly #cache: RecordCache | undefined
  readonly #scan: Records['scan']

  constructor(
    store: Store,
    cache: RecordCache | undefined,
    trusting: boolean,
    scan: Records['scan'],
  ) {
    this.#store = store
    this.#cache = cache
    this.#scan = scan
    this.reads = new TrackedReader(store, cache, trusting ? 'trusting' : 'confirming')
  }

  get<T>(ref: Ref<T>): Promise<T | undefined> {
    const own = this.writes.get(ref.id)
    return own === undefined ? this.reads.get(ref) : Promise.resolve(own.value as T | undefined)
  }

  getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values = this.reads.getMany(refs)
    return this.writes.size === 0 ? values : this.#withOwn(refs, values)
  }

  async #withOwn<T>(
    refs: readonly Ref<T>[],
    read: Promise<(T | undefined)[]>,
  ): Promise<(T | undefined)[]> {
    const values = await read
    return refs.map((ref, index) => {
      const own = this.writes.get(ref.id)
      return own === undefined ? values[index] : (own.value as T | undefined)
    })
  }

  exist(refs: readonly Ref<unknown>[]): Promise<readonly boolean[]> {
    return this.#existIn(this.reads, refs)
  }

  async #existIn(reader: Reader, refs: readonly Ref<unknown>[]): Promise<readonly boolean[]> {
    const there = await reader.exist(refs)
    return refs.map(({ id }, index) => {
      const own = this.writes.get(id)
      return own === undefined ? there[index]! : !own.gone
    })
  }

  async peek<T>(ref: Ref<T>): Promise<T | undefined> {
    const known = this.#known(ref)
    return known === undefined ? (await this.#peekMany([ref]))[0] : (known.value as T | undefined)
  }

  get unchecked(): Reader {
    return {
      get: (ref) => this.peek(ref),
      getMany: (refs) => this.#peekMany(refs),
      exist: (refs) => this.#existIn(this.#asideReader(), refs),
    }
  }

  #asideReader(): TrackedReader {
    return (this.#aside ??= new TrackedReader(this.#store, this.#cache))
  }

  /** What it rests on so far; undefined once it has written, and where that is more than records. */
  basis(): Basis | undefined {
    if (this.writes.size > 0 || this.reads.hasListed || this.reads.looked.size > 0) return undefined
    if (this.#aside !== undefined && this.#aside.looked.size > 0) return undefined
    const checked = new Map<string, Check>()
    for (const [id, { ref, version }] of this.reads.seen) checked.set(id, { key: ref.key, version })
    return { checked, looked: this.#aside?.checks() ?? [] }
  }

  /** What the transaction rests on anyway is as good as what is there now. */
  #known(ref: Ref<unknown>): { readonly value: unknown } | undefined {
    return this.writes.get(ref.id) ?? this.reads.seen.get(ref.id)
  }

  async #peekMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values: (T | undefined)[] = []
    let unread: Ref<T>[] | undefined
    for (const ref of refs) {
      const known = this.#known(ref)
      if (known === undefined) (unread ??= []).push(ref)
      values.push(known?.value as T | undefined)
    }
    if (unread === undefined) return values
    const reader = this.#asideReader()
    await reader.getMany(unread)
    return refs.map((ref) => (this.#known(ref) ?? reader.seen.get(ref.id)!).value as T | undefined)
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

  async *scan<T>(
    range: RecordRange<T>,
    guard: Ref<unknown>,
  ): AsyncGenerator<readonly Scanned<T>[]> {
    // Its version must be known before the first page.
    await this.reads.get(guard)
    this.reads.noteListing()
    yield* this.#scan(range)
  }
}

/** A transaction that `createRecords` began, to those of the core that need more of it than engines do. */
export const ownTransaction = (tx: Tx): Transaction => {
  if (!(tx instanceof Transaction)) throw new Error('a transaction that the core did not begin')
  return tx
}

/** One queue per key that conflicts: contention is settled by order, not by timers (architecture.md B5). */
export class ConflictQueues {
  /** Of all transactions that share the queues. */
  readonly turn = new OwnTurn()
  readonly #tails = new Map<string, Promise<void>>()
  readonly #onHotKey: ((key: string) => void) | undefined

  /** `onHotKey` is told of a key so contended that a transaction lost all its attempts (`keyText`). */
  constructor(onHotKey?: (key: string) => void) {
    this.#onHotKey = onHotKey
  }

  /** A transaction gave up on this key. */
  lostAt(key: string): void {
    this.#onHotKey?.(key)
  }

  /** The first of the keys that others wait for. */
  crowdedOf(keys: Iterable<string>): string | undefined {
    if (this.#tails.size === 0) return undefined
    for (const key of keys) if (this.#tails.has(key)) return key
    return undefined
  }

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
  /** Shared by all records of the process. */
  readonly cache?: RecordCache
  /** Awaited before each commit: nothing is changed when it rejects. */
  readonly before?: () => Promise<void> | undefined
  /**
   * Checks added to every commit: the caller's authority, the mount, the keyring. Keys that an earlier commit through the same
   * records wrote are checked for the version they got there: a request may change what it rests on.
   */
  readonly authority?: () => readonly Check[]
  /** Used for many requests: what one of them committed says nothing of whether another changed anything. */
  readonly shared?: boolean
}

const PATIENCE: Patience = { othersMs: limits.othersFirstMs, pauseMs: limits.othersPauseMs }

/** Typed records over a (sealed) store; see engine/records.ts for the promises. */
export const createRecords = (options: RecordsOptions): Records => {
  const { store, queues, cache, authority = () => [] } = options
  /** What went through here of the authority itself, and its version since: a request may change what it rests on. */
  const written = new Map<string, Version>()
  let changed = false

  const commit = async (tx: Transaction): Promise<Outcome | 'stale-authority'> => {
    const checks = new Map<string, Check>()
    for (const seen of tx.reads.seen.values()) {
      checks.set(seen.ref.id, { key: seen.ref.key, version: seen.version })
    }
    for (const [id, check] of tx.reads.looked) {
      const read = checks.get(id)
      // It was changed between the look and the read.
      if (read !== undefined && read.version !== check.version) {
        return { kind: 'conflict', stale: [check.key] }
      }
      checks.set(id, check)
    }
    const own = new Set<string>()
    for (const { key, version: decided } of authority()) {
      const id = keyText(key)
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
    const writes: Write[] = []
    let bytes = 0
    for (const { ref, value, gone } of tx.writes.values()) {
      const encoded = gone ? undefined : ref.kind.encode(value)
      writes.push({ key: ref.key, value: encoded })
      bytes += ref.key.length + (encoded?.length ?? 0)
    }
    if (bytes > limits.commitBytes) {
      throw invalid(
        `the request stores too much at once: ${bytes} bytes (at most ${limits.commitBytes})`,
      )
    }
    await options.before?.()
    const id = newVersion()
    const outcome = await store.commit(
      { id, checks: [...checks.values()], writes },
      deadlineIn(limits.storeWaitMs),
    )
    if (outcome.kind === 'committed') {
      changed = options.shared !== true
      for (const [key, { gone }] of tx.writes) {
        if (own.has(key)) written.set(key, gone ? 0 : id)
        cache?.forget(key)
      }
      return outcome
    }
    return outcome.stale.some((key) => own.has(keyText(key))) ? 'stale-authority' : outcome
  }

  const attempt = async <T>(
    run: (tx: Tx) => Promise<T>,
    trusting: boolean,
    queued: boolean,
  ): Promise<
    | { readonly done: true; readonly value: T }
    | { readonly done: false; readonly hot: string | undefined }
  > => {
    const tx = new Transaction(store, cache, trusting, scan)
    let value: T
    let outcome: Outcome | 'stale-authority'
    try {
      value = await run(tx)
      if (tx.writes.size === 0) {
        const holds = tx.reads.isOneSnapshot || (await tx.reads.stillHolds())
        return holds ? { done: true, value } : { done: false, hot: undefined }
      }
      // Who comes later would else win over those who wait for what both write, again and again.
      const crowded = queued ? undefined : queues.crowdedOf(tx.writes.keys())
      if (crowded !== undefined) return { done: false, hot: crowded }
      outcome = await commit(tx)
    } catch (error) {
      // What became of a commit is not known, or the store is not there: trying again is not ours to decide.
      if (error instanceof Unknown || error instanceof Unavailable) throw error
      // A refusal, too, must rest on reads that belong together (architecture.md A4); so must a fault.
      if (!(await tx.reads.stillHolds())) return { done: false, hot: undefined }
      throw error
    }
    // It may be what was taken on trust that is old, not what the caller was judged by.
    if (outcome === 'stale-authority' && tx.reads.hasTrusted) return { done: false, hot: undefined }
    if (outcome === 'stale-authority') throw new StaleAuthority()
    if (outcome.kind === 'committed') return { done: true, value }
    // What was taken on trust may just have been old: that is no sign of a crowd.
    const [stale] = tx.reads.hasTrusted ? [] : outcome.stale
    return { done: false, hot: stale && keyText(stale) }
  }

  const transact = async <T>(run: (tx: Tx) => Promise<T>): Promise<T> => {
    let leave: (() => void) | undefined
    let hot: string | undefined
    queues.turn.begin()
    try {
      for (let tries = 0; tries < limits.commitAttempts; tries++) {
        // All that a transaction reads is confirmed at its end: the first time, nothing is asked of the store that the cache knows.
        const outcome = await attempt(run, tries === 0, leave !== undefined)
        if (outcome.done) return outcome.value
        hot = outcome.hot ?? hot
        if (outcome.hot !== undefined) leave ??= await queues.enter(outcome.hot)
      }
    } catch (error) {
      throw asRefusal(error, changed)
    } finally {
      queues.turn.end()
      leave?.()
    }
    if (hot !== undefined) queues.lostAt(hot)
    throw new Refusal('unavailable', 'too many requests change the same record at once; try again')
  }

  const pagesOf = async function* (
    range: RecordRange<unknown>,
    more: { readonly after?: Uint8Array; readonly pageSize?: number },
    keysOnly: boolean,
  ): AsyncIterable<readonly Listed[]> {
    const limit = Math.min(more.pageSize ?? limits.listPageEntries, limits.listPageEntries)
    let from = range.from
    if (more.after !== undefined) {
      from = new Uint8Array(range.prefixLength + more.after.length + 1)
      from.set(range.from.subarray(0, range.prefixLength))
      from.set(more.after, range.prefixLength)
    }
    for (;;) {
      const page = await store
        .list({ from, to: range.to, limit, keysOnly }, deadlineIn(limits.storeWaitMs))
        .catch((error: unknown) => {
          throw asRefusal(error, changed)
        })
      if (page.items.length > 0) yield page.items
      // A short page is no reason to ask for another one, which would be of a later instant: what joined since would stand beside
      // what has left since.
      if (!page.more) return
      const last = page.items[page.items.length - 1]!.key
      from = new Uint8Array(last.length + 1)
      from.set(last)
    }
  }

  const scan = async function* <T>(
    range: RecordRange<T>,
    more: { readonly after?: Uint8Array; readonly pageSize?: number } = {},
  ): AsyncIterable<readonly Scanned<T>[]> {
    for await (const page of pagesOf(range, more, false)) {
      yield page.map((item) => ({
        tail: item.key.subarray(range.prefixLength),
        key: item.key,
        version: item.version,
        value: range.kind.decode(item.value!),
      }))
    }
  }

  const scanKeys = (range: RecordRange<unknown>): AsyncIterable<readonly ScannedKey[]> =>
    pagesOf(range, {}, true)

  /** A read outside of a transaction: what the store throws becomes a refusal. */
  const reading = async <T>(
    read: (reader: TrackedReader) => Promise<T>,
    mode?: ReaderMode,
  ): Promise<T> => {
    try {
      return await read(new TrackedReader(store, cache, mode))
    } catch (error) {
      throw asRefusal(error, changed)
    }
  }

  const reader: Reader = {
    get: (ref) => reading((one) => one.get(ref)),
    getMany: (refs) => reading((one) => one.getMany(refs)),
    exist: (refs) => reading((one) => one.exist(refs)),
  }

  const epoch = (): Version | undefined => {
    try {
      return store.epoch()
    } catch (error) {
      throw asRefusal(error, changed)
    }
  }

  // For lists, which read so much that it would push out of the cache what other requests use.
  const readUndamaged = <T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> =>
    reading((one) => one.getMany(refs), 'passing')
  const getUndamaged = async <T>(ref: Ref<T>): Promise<T | undefined> => {
    try {
      return (await readUndamaged([ref]))[0]
    } catch (error) {
      // Counted and logged by the barrier.
      if (error instanceof BarrierBroken) return undefined
      throw error
    }
  }
  const undamaged: Records['undamaged'] = {
    getMany: async (refs) => {
      try {
        return await readUndamaged(refs)
      } catch (error) {
        if (!(error instanceof BarrierBroken)) throw error
        return Promise.all(refs.map(getUndamaged))
      }
    },
  }

  const afterOthers = (): Promise<void> => queues.turn.afterOthers(PATIENCE, epoch)

  return { ...reader, undamaged, transact, scan, scanKeys, afterOthers, epoch }
}
