import { randomBytes } from 'node:crypto'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import type { Mount, Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { MountDirectory } from '../engine/identity-port.ts'
import type { MountPort, MountRecord, NewMount } from '../engine/ports/mounts.ts'
import type { Names, RecordRange, Records, Ref, ScannedKey, Tx } from '../engine/records.ts'
import { idBytes, recordKind, placesById } from '../engine/records.ts'
import { denied } from '../engine/refusal.ts'
import type { Version } from '../storage/store.ts'
import { freshLoad } from './fresh-load.ts'
import type { MountChanges } from './mount-changes.ts'
import { changedMounts, mountChanges, withMountChange } from './mount-changes.ts'
import type { Check, Versioned } from './records.ts'
import { stampRef } from './records.ts'
import type { RouteMatcher } from './router.ts'
import { compileRoutes } from './router.ts'
import { Breather } from '../std/breather.ts'
import { compareBytes } from '../std/json.ts'
import { keyText } from '../std/key-text.ts'

/** `m/<ns><uuid>`: a mount. Every change of the set puts the `mounts` stamp. */
export const mountRecords = recordKind<MountRecord>('m')

/**
 * `mn/<ns>H(path)` and `mn/<ns>H(accessor)`: whose it is, put with the mount. Only for processes that have not read all mounts yet: what
 * is not found by it is looked for among all.
 */
const mountNames = recordKind<{ readonly uuid: string }>('mn')

/** `work/<ns><kind byte><id16>`: what background workers have to do (see background.ts). */
export interface Work {
  readonly kind: 'revoke' | 'unmount'
  /** The mount whose data goes. */
  readonly mount?: MountRecord
}
export const work = recordKind<Work>('work')

/** Kinds of work in keys. */
export const WORK_REVOKE = Uint8Array.of(1)
export const WORK_UNMOUNT = Uint8Array.of(2)

const mountPlaces = placesById(mountRecords)

/** Where the record of a mount is. */
export const mountRef = (namespace: Namespace, uuid: string): Ref<MountRecord> =>
  mountPlaces(namespace.number, uuid)

/** A mount as requests use it: its record's version, what engines see, and its routes. */
export interface Mounted {
  readonly record: MountRecord
  readonly version: Version
  /** The record as a check of commits. */
  readonly check: Check
  readonly view: Mount
  readonly engine: Engine
  readonly match: RouteMatcher
}

/** What of a mount is made when it is first used. */
interface MountMaking {
  view(record: MountRecord): Mount
  matcher(engine: Engine, view: Mount): RouteMatcher
  check(record: MountRecord, version: Version): Check
}

/** There may be ten thousand, of which a process serves few: what requests use of one takes more memory than its record. */
class KnownMount implements Mounted {
  readonly record: MountRecord
  readonly version: Version
  readonly engine: Engine
  readonly #making: MountMaking
  #view: Mount | undefined
  #match: RouteMatcher | undefined
  #check: Check | undefined

  constructor(making: MountMaking, record: MountRecord, version: Version, engine: Engine) {
    this.#making = making
    this.record = record
    this.version = version
    this.engine = engine
  }

  get view(): Mount {
    return (this.#view ??= this.#making.view(this.record))
  }

  get match(): RouteMatcher {
    return (this.#match ??= this.#making.matcher(this.engine, this.view))
  }

  get check(): Check {
    return (this.#check ??= this.#making.check(this.record, this.version))
  }
}

/** The mounts of a namespace at one version of the stamp. */
export interface MountSet {
  readonly stamp: Version
  readonly all: readonly Mounted[]
  /** All, those of no engine that is here among them; by path. */
  readonly records: readonly MountRecord[]
  /** The mount with the longest path that begins this request path. */
  find(path: string): Mounted | undefined
  /** The mount of exactly this path. */
  byPath(path: string): Mounted | undefined
  byAccessor(accessor: string): Mounted | undefined
  byUuid(uuid: string): Mounted | undefined
}

/** Finds mounts by something of their records. What it takes is made when it is first asked: a set may be short-lived. */
const index = (
  all: readonly Mounted[],
  of: (record: MountRecord) => string,
): ((text: string) => Mounted | undefined) => {
  let made: ReadonlyMap<string, Mounted> | undefined
  return (text) => {
    made ??= new Map(all.map((mounted) => [of(mounted.record), mounted]))
    return made.get(text)
  }
}

/** A record as it was read, and the mount that it makes where its engine is here. */
interface Known {
  readonly key: string
  readonly version: Version
  readonly record: MountRecord
  readonly mounted: Mounted | undefined
}

/** Prefixes of a request path that are tried one by one before all mounts are known: mounts seldom lie deeper. */
const FOLDERS_TRIED = 8

/**
 * What `at` gives for the first of the paths of mounts that may serve a request path: segment by segment from the front, for mounts
 * never nest, so the first hit is the only one. No further than a mount can reach: a request path may have thousands of segments.
 */
const firstFolder = <T>(
  path: string,
  longest: number,
  at: (folder: string) => T | undefined,
): T | undefined => {
  let slash = path.indexOf('/')
  while (slash !== -1 && slash < longest) {
    const found = at(path.slice(0, slash + 1))
    if (found !== undefined) return found
    slash = path.indexOf('/', slash + 1)
  }
  return at(`${path}/`)
}

/** The first of those paths. */
const foldersOf = (path: string): readonly string[] => {
  const folders: string[] = []
  firstFolder(path, Infinity, (folder) =>
    folders.push(folder) < FOLDERS_TRIED ? undefined : folder,
  )
  return folders
}

export interface MountTableOptions {
  readonly names: Names
  /** What can be mounted; asked when first needed, since engines are made with ports that need this table. */
  readonly engines: () => readonly Engine[]
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  /** All mounts, with the stamp's version read before them. */
  readonly records: Records
  /** Records as they are now, all of one snapshot. */
  versioned<T>(refs: readonly Ref<T>[]): Promise<readonly Versioned<T>[]>
  /** The present version of the `mounts` stamp: fresh. */
  stamp(namespace: Namespace): Promise<Version>
  /** Moves with every commit that can have changed the stamp, where that costs nothing to know (Store.epoch). */
  epoch(): Version | undefined
}

const asFolder = (path: string): string => (path.endsWith('/') ? path : `${path}/`)

const byPath = (a: Known, b: Known): number => compareBytes(a.record.path, b.record.path)

/**
 * The mount table: kept in memory, used only after the stamp's version has been confirmed. That its transactions rest on it is
 * safe because every writer puts the stamp that they have read before (architecture.md A1).
 *
 * There may be ten thousand mounts. A process that has just started finds those it needs by their names, until it has read all. After
 * a change only what changed is read: the latest changes are remembered with the stamp; a process that missed more of them lists the
 * keys, and reads what has another version.
 */
export class MountTable implements MountPort {
  readonly #options: MountTableOptions
  #engines: ReadonlyMap<string, Engine> | undefined
  readonly #matchers = new WeakMap<object, RouteMatcher>()
  readonly #root: Namespace
  readonly #range: RecordRange<MountRecord>
  readonly #changes: Ref<MountChanges>
  readonly #making: MountMaking = {
    view: (record) => this.view(record),
    matcher: (engine, view) => this.#matcher(engine, view),
    check: ({ uuid }, version) => ({ key: mountRef(this.#root, uuid).key, version }),
  }
  #current: MountSet | undefined
  /** What it is made of, by path. */
  #known: readonly Known[] = []
  /** The stamp is read before the mounts: a change in between makes the set look old, never new (architecture.md A3). */
  readonly #load = freshLoad(() => this.#read())
  /** The epoch at which the stamp was last confirmed, read before it. */
  #epoch: Version | undefined

  constructor(options: MountTableOptions, root: Namespace) {
    this.#options = options
    this.#root = root
    this.#range = mountRecords.under(root.number)
    this.#changes = mountChanges.at(root.number)
  }

  #engineOf(mountClass: 'auth' | 'secret', type: string): Engine | undefined {
    this.#engines ??= new Map(
      this.#options.engines().map((engine) => [`${engine.class}/${engine.type}`, engine]),
    )
    return this.#engines.get(`${mountClass}/${type}`)
  }

  /** The present set, where the store's epoch confirms the one in memory. */
  confirmed(): MountSet | undefined {
    const epoch = this.#options.epoch()
    return epoch !== undefined && epoch === this.#epoch ? this.#current : undefined
  }

  /** The present set. */
  async current(): Promise<MountSet> {
    const known = this.#current
    const epoch = this.#options.epoch()
    if (known !== undefined && epoch !== undefined && epoch === this.#epoch) return known
    const stamp = await this.#options.stamp(this.#root)
    const set = known !== undefined && known.stamp === stamp ? known : await this.#load()
    this.#epoch = epoch
    return set
  }

  /** The mount that a request path leads to. */
  find(path: string): Promise<Mounted | undefined> {
    return this.#lookUp(
      (set) => set.find(path),
      () => {
        const folders = foldersOf(path)
        const refs = folders.map((folder) => this.#pathRef(folder))
        return this.#named(refs, (record) => folders.includes(record.path))
      },
    )
  }

  #byAccessor(accessor: string): Promise<Mounted | undefined> {
    return this.#lookUp(
      (set) => set.byAccessor(accessor),
      () => this.#named([this.#accessorRef(accessor)], (record) => record.accessor === accessor),
    )
  }

  /** Among all mounts; as long as they have not been read, first by their names. */
  async #lookUp(
    among: (set: MountSet) => Mounted | undefined,
    byName: () => Promise<Mounted | undefined>,
  ): Promise<Mounted | undefined> {
    const named = this.#current === undefined ? await byName() : undefined
    return named ?? among(this.confirmed() ?? (await this.current()))
  }

  /** A mount read by itself, as it is now; undefined where the names do not lead to it. */
  async #named(
    refs: readonly Ref<{ readonly uuid: string }>[],
    isMeant: (record: MountRecord) => boolean,
  ): Promise<Mounted | undefined> {
    try {
      return await this.#readNamed(refs, isMeant)
    } catch (error) {
      // A damaged name keeps nobody from anything; the barrier has counted and logged it.
      if (error instanceof BarrierBroken) return undefined
      throw error
    }
  }

  async #readNamed(
    refs: readonly Ref<{ readonly uuid: string }>[],
    isMeant: (record: MountRecord) => boolean,
  ): Promise<Mounted | undefined> {
    // Tells of a restore, as before all mounts are read.
    await this.#options.stamp(this.#root)
    const named = await this.#options.versioned(refs)
    const places = named.flatMap(({ value }) =>
      value === undefined ? [] : [mountRef(this.#root, value.uuid)],
    )
    if (places.length === 0) return undefined
    const found = await this.#options.versioned(places)
    for (const [at, { key }] of places.entries()) {
      const { version, value } = found[at]!
      if (value !== undefined && isMeant(value)) {
        return this.#knownOf({ key, version }, value).mounted
      }
    }
    return undefined
  }

  #pathRef(path: string): Ref<{ readonly uuid: string }> {
    return mountNames.at(this.#root.number, this.#options.names.hash('mount-path', path))
  }

  #accessorRef(accessor: string): Ref<{ readonly uuid: string }> {
    return mountNames.at(this.#root.number, this.#options.names.hash('mount-accessor', accessor))
  }

  async #read(): Promise<MountSet> {
    const before = this.#current
    const stamp = await this.#options.stamp(this.#root)
    const changed = before === undefined ? undefined : await this.#changedSince(before.stamp)
    if (changed !== undefined) await this.#readThese(changed)
    else if (before !== undefined) await this.#readChanged()
    else await this.#readAll()
    this.#current = this.#setOf(stamp, this.#known)
    return this.#current
  }

  /** The mounts that changed since the stamp was so; undefined when that is not remembered. */
  async #changedSince(known: Version): Promise<readonly string[] | undefined> {
    const [stamp, changes] = await this.#options.versioned<unknown>([
      stampRef('mounts', this.#root.number),
      this.#changes,
    ])
    // Put by one commit, or the changes do not tell all.
    if (changes!.value === undefined || changes!.version !== stamp!.version) return undefined
    return changedMounts(changes!.value as MountChanges, known)
  }

  async #readThese(uuids: readonly string[]): Promise<void> {
    const refs = uuids.map((uuid) => mountRef(this.#root, uuid))
    const found = await this.#options.versioned(refs)
    const gone = new Set(refs.map(({ id }) => id))
    const came = refs.flatMap(({ key }, at) => {
      const { version, value } = found[at]!
      return value === undefined ? [] : [this.#knownOf({ key, version }, value)]
    })
    this.#take(
      this.#known.filter(({ key }) => !gone.has(key)),
      came,
    )
  }

  async #readAll(): Promise<void> {
    const all: Known[] = []
    for await (const page of this.#options.records.scan(this.#range)) {
      for (const item of page) all.push(this.#knownOf(item, item.value))
    }
    this.#take([], all)
  }

  /** Reads those that are not as they are known. */
  async #readChanged(): Promise<void> {
    const byKey = new Map(this.#known.map((known) => [known.key, known]))
    const same = new Set<Known>()
    const changed: ScannedKey[] = []
    const breather = new Breather()
    const { prefixLength } = this.#range
    for await (const page of this.#options.records.scanKeys(this.#range)) {
      for (const item of page) {
        const known = byKey.get(keyText(item.key))
        if (known?.version === item.version) same.add(known)
        else changed.push(item)
      }
      await breather.due()
    }
    // What was changed since its key was listed has a later version than noted: then the stamp has moved as well.
    const values = await this.#options.records.getMany(
      changed.map(({ key }) => mountRecords.at(this.#root.number, key.subarray(prefixLength))),
    )
    const came = changed.flatMap((item, at) => {
      const record = values[at]
      return record === undefined ? [] : [this.#knownOf(item, record)]
    })
    this.#take(
      this.#known.filter((known) => same.has(known)),
      came,
    )
  }

  #take(stay: readonly Known[], came: readonly Known[]): void {
    // In order already but for those that came: then sorting is merging.
    this.#known = [...stay, ...came.toSorted(byPath)].sort(byPath)
  }

  #knownOf({ key, version }: ScannedKey, record: MountRecord): Known {
    const engine = this.#engineOf(record.class, record.type)
    const mounted = engine && new KnownMount(this.#making, record, version, engine)
    return { key: keyText(key), version, record, mounted }
  }

  #setOf(stamp: Version, known: readonly Known[]): MountSet {
    const all = known.flatMap(({ mounted }) => mounted ?? [])
    const paths = new Map(all.map((mounted) => [mounted.record.path, mounted]))
    const longest = all.reduce((most, { record }) => Math.max(most, record.path.length), 0)
    return {
      stamp,
      all,
      records: known.map(({ record }) => record),
      byPath: (path) => paths.get(path),
      find: (path) => firstFolder(path, longest, (folder) => paths.get(folder)),
      byAccessor: index(all, ({ accessor }) => accessor),
      byUuid: index(all, ({ uuid }) => uuid),
    }
  }

  #matcher(engine: Engine, view: Mount): RouteMatcher {
    const routes = engine.routesFor?.(view) ?? engine.routes
    const known = this.#matchers.get(routes)
    if (known !== undefined) return known
    const made = compileRoutes(routes)
    this.#matchers.set(routes, made)
    return made
  }

  view(record: MountRecord): Mount {
    const { defaultLeaseTtlSeconds, maxLeaseTtlSeconds } = this.#options
    const max = record.tuning.maxLeaseTtlSeconds || maxLeaseTtlSeconds
    return {
      uuid: record.uuid,
      key: idBytes(record.uuid)!,
      accessor: record.accessor,
      type: record.type,
      path: record.path,
      description: record.description,
      local: record.local,
      options: record.options,
      defaultLeaseTtlSeconds: Math.min(
        record.tuning.defaultLeaseTtlSeconds || defaultLeaseTtlSeconds,
        max,
      ),
      maxLeaseTtlSeconds: max,
      tokenType: record.tuning.tokenType,
      ...(record.tuning.lockout && { lockout: record.tuning.lockout }),
    }
  }

  async all(): Promise<readonly MountRecord[]> {
    return (await this.current()).all.map(({ record }) => record)
  }

  async covering(_namespace: Namespace, path: string): Promise<MountRecord | undefined> {
    return (await this.find(asFolder(path)))?.record
  }

  async byAccessor(_namespace: Namespace, accessor: string): Promise<MountRecord | undefined> {
    return (await this.#byAccessor(accessor))?.record
  }

  /** What engines may ask of the table. */
  get directory(): MountDirectory {
    return {
      byAccessor: async (accessor) => (await this.#byAccessor(accessor))?.view,
      byPath: async (path) => (await this.current()).byPath(path)?.view,
      hasAuthType: async (type) =>
        (await this.current()).all.some(
          ({ record }) => record.class === 'auth' && record.type === type,
        ),
      check: async (tx, mount) => {
        if ((await tx.get(mountRef(this.#root, mount.uuid))) === undefined) throw denied()
      },
    }
  }

  ref(namespace: Namespace, uuid: string): Ref<MountRecord> {
    return mountRef(namespace, uuid)
  }

  hasType(mountClass: 'auth' | 'secret', type: string): boolean {
    return this.#engineOf(mountClass, type) !== undefined
  }

  checkOptions(
    mountClass: 'auth' | 'secret',
    type: string,
    options: Readonly<Record<string, string>>,
  ): void {
    this.#engineOf(mountClass, type)?.checkOptions?.(options)
  }

  hasLockout(type: string): boolean {
    return this.#engineOf('auth', type)?.lockout === true
  }

  hasLoginRole(type: string): boolean {
    return this.#engineOf('auth', type)?.loginRole !== undefined
  }

  async add(
    records: Records,
    namespace: Namespace,
    decide: (present: readonly MountRecord[]) => NewMount,
  ): Promise<MountRecord> {
    const uuid = crypto.randomUUID()
    const suffix = randomBytes(4).toString('hex')
    return records.transact(async (tx) => {
      const { stamp, records: present } = await this.#present(tx, namespace)
      const made = decide(present)
      const record: MountRecord = {
        ...made,
        uuid,
        accessor: `${made.class === 'auth' ? 'auth_' : ''}${made.type}_${suffix}`,
      }
      tx.put(mountRef(namespace, uuid), record)
      tx.put(this.#pathRef(record.path), { uuid })
      tx.put(this.#accessorRef(record.accessor), { uuid })
      await this.#note(tx, namespace, stamp, uuid)
      return record
    })
  }

  async change(
    records: Records,
    namespace: Namespace,
    accessor: string,
    change: (record: MountRecord, present: readonly MountRecord[]) => MountRecord,
  ): Promise<MountRecord | undefined> {
    return records.transact(async (tx) => {
      const { stamp, records: present } = await this.#present(tx, namespace)
      const found = present.find((record) => record.accessor === accessor)
      if (found === undefined) return undefined
      const changed = change(found, present)
      tx.put(mountRef(namespace, found.uuid), changed)
      if (changed.path !== found.path) {
        tx.delete(this.#pathRef(found.path))
        tx.put(this.#pathRef(changed.path), { uuid: found.uuid })
      }
      await this.#note(tx, namespace, stamp, found.uuid)
      return changed
    })
  }

  async remove(records: Records, namespace: Namespace, accessor: string): Promise<void> {
    await records.transact(async (tx) => {
      const { stamp, records: present } = await this.#present(tx, namespace)
      const found = present.find((record) => record.accessor === accessor)
      if (found === undefined) return
      tx.delete(mountRef(namespace, found.uuid))
      tx.delete(this.#pathRef(found.path))
      tx.delete(this.#accessorRef(found.accessor))
      tx.put(work.at(namespace.number, WORK_UNMOUNT, idBytes(found.uuid)!), {
        kind: 'unmount',
        mount: found,
      })
      await this.#note(tx, namespace, stamp, found.uuid)
    })
  }

  /** The mounts as they are now, which is not before the stamp was read: if they have changed since, the commit fails. */
  async #present(tx: Tx, namespace: Namespace): Promise<MountSet> {
    await tx.checkStamp('mounts', namespace.number)
    return this.current()
  }

  /** Tells all processes that a mount is not as it was when the stamp had the version `from`, which the commit checks. */
  async #note(tx: Tx, namespace: Namespace, from: Version, uuid: string): Promise<void> {
    tx.put(this.#changes, withMountChange(await tx.get(this.#changes), from, uuid))
    tx.stamp('mounts', namespace.number)
  }
}
