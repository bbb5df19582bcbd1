import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getLastVersion, open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { InFlight } from '../../std/in-flight.ts'
import { createSystemClock, StoreClock } from '../clock.ts'
import { DeadlineWatch } from '../deadline-watch.ts'
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
import { ensureBefore, Unavailable, Unknown } from '../store.ts'
import { ensureLocalFileSystem } from './file-system.ts'
import { copiedEntries, RECORDS, TABLE } from './copied-entries.ts'
import { commitFailure, handleUnseenFailures, readFailure } from './lmdb-failure.ts'
import { ensureOpenFiles } from './open-files.ts'
import { commitNested } from './nested-commit.ts'
import { letGoOfWritten } from './written-links.ts'

export interface LmdbOptions {
  /** The data folder; made if absent (mode 0700). */
  readonly path: string
  /** The size the map begins with; it grows by itself. */
  readonly mapSizeBytes?: number
  /** Allows a network or user-space file system, at the operator's risk. */
  readonly anyFileSystem?: boolean
  /** ms since 1970; the machine's time if absent. */
  readonly clock?: () => number
}

/** What `openLmdbStore` gives: a Store and the upkeep of its readers. */
export interface LmdbStoreHandle extends Store {
  /** Frees the reader slots of dead processes; gives their number. Call at each child's exit and each minute. */
  checkReaders(): number
  /**
   * Has commits wait, and resolves when those under way have ended: another process is about to open the data. LMDB then notes which
   * transaction it took for the last one, behind no lock; one that ended meanwhile would be overwritten by the next, acknowledged or not.
   */
  hold(): Promise<void>
  /** Lets commits go on. */
  release(): void
  /** The store's clock, not behind what any process has saved of it. */
  time(): number
}

/** The file of the database inside the data folder. */
export const LMDB_FILE = 'data.mdb'

const EPOCH = Buffer.from('epoch')
const CLOCK = Buffer.from('clock')
const NOTHING = new Uint8Array(0)
const ABSENT: Stored = { version: 0, value: undefined }
/** How old the saved high-water mark of the clock may get while there are commits. */
const CLOCK_SAVE_MS = 10_000
/** How often at least those that hold look whether the last commit has ended. */
const HOLD_LOOK_MS = 1_000
/** Readers of killed workers stay until a check; LMDB's own 126 slots would run out (architecture.md C3). */
const MAX_READERS = 1024

type Table = Database<Uint8Array, Uint8Array>

class LmdbStore implements LmdbStoreHandle {
  readonly #root: RootDatabase<Uint8Array, Uint8Array>
  readonly #path: string
  /** What the seam shows. */
  readonly #records: Table
  /** The adapter's own: the epoch (its version is all) and the clock's high-water mark. */
  readonly #own: Table
  readonly #clock: StoreClock
  readonly #watch = new DeadlineWatch()
  readonly #copies = new Set<Promise<unknown>>()
  readonly #writing = new InFlight()
  /** While commits have to wait. */
  #held: PromiseWithResolvers<void> | undefined
  #clockSaved = 0
  #closed = false
  /** Whether the shared read snapshot was renewed in the present turn. */
  #renewed = false
  readonly #turnEnds = (): void => {
    this.#renewed = false
  }

  constructor(root: RootDatabase<Uint8Array, Uint8Array>, path: string, clock: StoreClock) {
    this.#root = root
    this.#path = path
    this.#records = root.openDB<Uint8Array, Uint8Array>({ name: RECORDS, ...TABLE })
    this.#own = root.openDB<Uint8Array, Uint8Array>({ name: 'own', ...TABLE })
    this.#clock = clock
    handleUnseenFailures(root)
    letGoOfWritten(root)
    this.#readClock()
  }

  async read(keys: readonly Key[], deadline: Deadline): Promise<Answer<Stored>> {
    checkKeys(keys)
    return this.#burst(deadline, () => ({
      items: keys.map((key) => {
        const value = this.#records.getBinary(key)
        return value === undefined ? ABSENT : { version: getLastVersion(), value }
      }),
    }))
  }

  async versions(keys: readonly Key[], deadline: Deadline): Promise<Answer<Version>> {
    checkKeys(keys)
    return this.#burst(deadline, () => ({
      items: keys.map((key) => this.#versionIn(this.#records, key)),
    }))
  }

  async list(range: ListRange, deadline: Deadline): Promise<Page> {
    const limit = pageLimit(range)
    return this.#burst(deadline, () => ({
      ...this.#page(range, limit),
      ...witnessed(range, (key) => this.#versionIn(this.#records, key)),
    }))
  }

  async commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    checkCommit(commit)
    if (commit.writes.length === 0) return this.#validate(commit, deadline)
    while (this.#held !== undefined) {
      await this.#watch.within(
        this.#held.promise,
        deadline,
        () => new Unavailable('another process was opening the data all the time'),
      )
    }
    this.#ensureOpen(deadline)
    const committed = await this.#watch.within(
      this.#write(commit),
      deadline,
      () => new Unknown('the deadline passed while LMDB was writing'),
    )
    // lmdb-js also learns of ends while it takes other writes, in the middle of a turn whose snapshot is older than this commit.
    this.#renewed = false
    return committed ? { kind: 'committed', now: this.#clock.now() } : this.#conflict(commit)
  }

  async #write(commit: Commit): Promise<boolean> {
    const clock = this.#clockToSave()
    this.#writing.begin()
    try {
      return await commitNested(this.#records, commit, () => {
        if (commit.quiet !== true) void this.#own.put(EPOCH, NOTHING, commit.id)
        if (clock !== undefined) void this.#own.put(CLOCK, clock, commit.id)
      })
    } catch (error) {
      throw await commitFailure(error, () => this.#stillReads())
    } finally {
      this.#writing.end()
    }
  }

  async hold(): Promise<void> {
    this.#held ??= Promise.withResolvers<void>()
    while (!this.#writing.isEmpty) await this.#writing.idle(HOLD_LOOK_MS)
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /**
   * LMDB copies itself into a file beside the data, in a thread of its own; from that the entries are read. What is freed while it
   * copies cannot be used again until it is done, so the file of the data grows by what is written meanwhile (architecture.md C2): as
   * long as the disk takes, however slow whoever takes the entries is. Needs the room of the data once more.
   */
  async *snapshot(signal: AbortSignal): AsyncIterable<Entry> {
    if (this.#closed) throw new Unavailable('the store is closed')
    signal.throwIfAborted()
    yield* copiedEntries(this.#root, this.#path, signal, (copying) => void this.#copied(copying))
  }

  /** A thread reads what `close` would take away. */
  async #copied(copying: Promise<unknown>): Promise<void> {
    this.#copies.add(copying)
    await copying.catch(() => undefined)
    this.#copies.delete(copying)
  }

  epoch(): Version {
    if (this.#closed) throw new Unavailable('the store is closed')
    this.#renew()
    return this.#versionIn(this.#own, EPOCH)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.release()
    await Promise.allSettled(this.#copies)
    await this.#root.close()
  }

  /** Frees the reader slots of dead processes, which pin pages (architecture.md C3); gives their number. */
  checkReaders(): number {
    return this.#closed ? 0 : this.#root.readerCheck()
  }

  time(): number {
    if (this.#closed) throw new Unavailable('the store is closed')
    this.#readClock()
    return this.#clock.now()
  }

  /** Checks without writes need no write transaction: a snapshot taken now has every acknowledged commit. */
  async #validate(commit: Commit, deadline: Deadline): Promise<Outcome> {
    this.#ensureOpen(deadline)
    const outcome = this.#conflict(commit)
    return outcome.stale.length > 0 ? outcome : { kind: 'committed', now: this.#clock.now() }
  }

  #conflict(commit: Commit): Outcome & { readonly kind: 'conflict' } {
    // Closed while the refused transaction ended: nothing happened, and which key differed can no longer be asked.
    if (this.#closed) throw new Unavailable('the store is closed')
    try {
      this.#renew()
      const stale = commit.checks.filter(
        ({ key, version }) => this.#versionIn(this.#records, key) !== version,
      )
      return { kind: 'conflict', stale: stale.map(({ key }) => key) }
    } catch (error) {
      throw readFailure(error)
    }
  }

  /**
   * Renews the shared read snapshot, once in a turn: the callback that the event loop made and the microtasks behind it. Until
   * it returns, nothing can tell this process of a commit that another one has acknowledged since; after one of our own the next
   * read renews again. Each renewal costs lmdb-js a timer, which is more than what is read.
   */
  #renew(): void {
    if (this.#renewed) return
    this.#root.resetReadTxn()
    this.#renewed = true
    process.nextTick(this.#turnEnds)
  }

  #stillReads(): boolean {
    try {
      this.#root.resetReadTxn()
      this.#versionIn(this.#own, EPOCH)
      return true
    } catch {
      return false
    }
  }

  #versionIn(table: Table, key: Key): Version {
    return table.getBinaryFast(key) === undefined ? 0 : getLastVersion()
  }

  #page(range: ListRange, limit: number): Pick<Page, 'items' | 'more'> {
    const items: Listed[] = []
    if (Buffer.compare(range.from, range.to) >= 0) return { items, more: false }
    let full = false
    const bounds = { ...(range.from.length > 0 && { start: range.from }), end: range.to, limit }
    let bytes = 0
    if (range.keysOnly === true) {
      for (const key of this.#records.getKeys(bounds)) {
        bytes += key.length
        if (items.length > 0 && bytes > storageLimits.pageBytes) {
          full = true
          break
        }
        items.push({ key, version: 0, value: undefined })
      }
      // A walk over keys alone does not learn their versions; the snapshot is still the same.
      const known = items.map((item) => ({
        ...item,
        version: this.#versionIn(this.#records, item.key),
      }))
      return { items: known, more: full || known.length === limit }
    }
    for (const { key, value, version } of this.#records.getRange({ ...bounds, versions: true })) {
      bytes += key.length + value.length
      if (items.length > 0 && bytes > storageLimits.pageBytes) {
        full = true
        break
      }
      items.push({ key, version: version!, value })
    }
    return { items, more: full || items.length === limit }
  }

  /** Reads that belong together: one snapshot, taken now, let go before anything else runs. */
  #burst<T extends Omit<Answer<unknown>, 'now'>>(
    deadline: Deadline,
    read: () => T,
  ): T & Pick<Answer<unknown>, 'now'> {
    this.#ensureOpen(deadline)
    try {
      this.#renew()
      const found = read()
      return { ...found, now: this.#clock.now() }
    } catch (error) {
      throw readFailure(error)
    }
  }

  #readClock(): number {
    this.#root.resetReadTxn()
    const saved = this.#own.getBinary(CLOCK)
    const time = saved === undefined ? 0 : Number(Buffer.from(saved).toString())
    this.#clock.notBehind(time)
    return time
  }

  /** The clock's high-water mark if it is due to be saved: never one below that of another process. */
  #clockToSave(): Uint8Array | undefined {
    if (this.#clock.now() < this.#clockSaved + CLOCK_SAVE_MS) return undefined
    const other = this.#readClock()
    this.#clockSaved = this.#clock.now()
    return this.#clockSaved > other ? Buffer.from(String(this.#clockSaved)) : undefined
  }

  #ensureOpen(deadline: Deadline): void {
    if (this.#closed) throw new Unavailable('the store is closed')
    ensureBefore(deadline)
  }
}

/** Makes a data folder and those above it, where they are not there. */
export const makeFolder = (path: string): void => {
  // One after the other: of a read-only file system, Node's recursive way says that the folder does not exist.
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Perhaps another process was faster.
    if (!existsSync(path)) throw error
  }
}

const openRoot = ({ path, mapSizeBytes }: LmdbOptions): RootDatabase<Uint8Array, Uint8Array> => {
  try {
    return open<Uint8Array, Uint8Array>({
      path: join(path, LMDB_FILE),
      // The default acknowledges before the flush.
      overlappingSync: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      useVersions: true,
      maxReaders: MAX_READERS,
      ...(mapSizeBytes !== undefined && { mapSize: mapSizeBytes }),
    })
  } catch (error) {
    // LMDB does not say where.
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`the data folder ${path} cannot be used: ${why}`, { cause: error })
  }
}

/**
 * The store in a folder of this machine, shared by all processes that open it; who may own the folder is settled
 * by `claimDataFolder`. Throws an Error for a file system or a file that LMDB cannot use.
 */
export const openLmdbStore = (options: LmdbOptions): LmdbStoreHandle => {
  makeFolder(options.path)
  if (options.anyFileSystem !== true) ensureLocalFileSystem(options.path)
  const root = openRoot(options)
  const data = join(options.path, LMDB_FILE)
  ensureOpenFiles(realpathSync(data), realpathSync(`${data}-lock`))
  return new LmdbStore(root, options.path, new StoreClock(options.clock ?? createSystemClock()))
}
