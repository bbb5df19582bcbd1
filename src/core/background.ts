import { randomUUID } from 'node:crypto'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import type { Mount, Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { CubbyholePort } from '../engine/ports/cubbyhole.ts'
import type { MountRecord } from '../engine/ports/mounts.ts'
import type { Names, Records } from '../engine/records.ts'
import { recordKind, refOfKey } from '../engine/records.ts'
import { limits } from '../limits.ts'
import type { Key } from '../storage/store.ts'
import { work, WORK_REVOKE, WORK_UNMOUNT } from './mounts.ts'
import {
  accessorRef,
  childRef,
  EXPIRY_SHARDS,
  expiryRef,
  revokeToken,
  timePart,
  tokenChildren,
  tokenExpiries,
  tokenRef,
  tokenUses,
} from './tokens.ts'

export interface BackgroundOptions {
  readonly records: Records
  readonly names: Names
  readonly root: Namespace
  readonly cubbyhole: CubbyholePort
  /** What a process that has just started has not done yet, for requests came first. */
  readonly prepare: () => Promise<void>
  /** Drops all data of a mount that is gone. */
  readonly dropMount: (mount: MountRecord) => Promise<void>
  /** Every mount with its engine. */
  readonly engines: () => Promise<readonly { readonly engine: Engine; readonly mount: Mount }[]>
  /** The store's time, ms. */
  readonly now: () => Promise<number>
  readonly onFault: (error: unknown, what: string) => void
}

/** `lease/<ns>`: the process that does the background work of all, until when (ms). */
const leases = recordKind<{ readonly owner: string; readonly until: number }>('lease')

/** How long the work stays with a process that dies; it is renewed when half is over. */
const LEASE_MS = 10_000

/** Children per commit: each costs a tombstone, a work record and the removal of its edge. */
const CHILDREN_PER_COMMIT = Math.floor(limits.longWorkWrites / 3)
/** Expired tokens per commit: each costs a tombstone, a work record and the removal of its entry. */
const EXPIRED_PER_COMMIT = CHILDREN_PER_COMMIT
/** Ended tokens per commit: six records of each are removed. */
const CLEANED_PER_COMMIT = Math.floor(limits.longWorkWrites / 6)

/** Of a token in keys of others' records. */
const TOKEN_KEY_BYTES = 16

/**
 * What goes on behind the requests: expired tokens are ended, ended ones cleaned up, data of disabled mounts dropped. None of
 * it decides whether a token is valid, so it may be late, done twice or cut off anywhere. One round at a time, by one
 * interval for the whole process: there are no timers per token.
 */
export class Background {
  readonly #options: BackgroundOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #stopped = false
  readonly #self = randomUUID()
  /** Until when this process has the lease, ms; 0 = it has not. */
  #leasedUntil = 0
  /** Per shard, the time up to which no entry is left (architecture.md D5). */
  readonly #cursors = new Map<number, number>()

  constructor(options: BackgroundOptions) {
    this.#options = options
  }

  /** Runs a round every `intervalMs`. */
  start(intervalMs: number): void {
    this.#timer = setInterval(() => void this.round(), intervalMs)
    this.#timer.unref()
  }

  /** Ends after the round under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#running
    if (this.#leasedUntil > 0) await this.#release()
  }

  /** One round of everything; joins one under way. */
  async round(): Promise<void> {
    this.#running ??= this.#round().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Cleans up behind one token now, unless it lives. */
  async bury(key: Uint8Array): Promise<void> {
    const { records, root } = this.#options
    const record = await records.get(tokenRef(root, key))
    if (record === undefined || record.state === 'live') return
    await this.#cleanSome([key])
  }

  async #round(): Promise<void> {
    await this.#tried('getting ready', () => this.#options.prepare())
    let leased = false
    await this.#tried('background work', async () => {
      leased = await this.#hasLease()
    })
    if (!leased) return
    await this.#tried('the expiry of tokens', () => this.#expire())
    await this.#tried('the clean-up behind tokens', () => this.#cleanTokens())
    await this.#tried('the clean-up behind mounts', () => this.#dropMounts())
    await this.#tried('background work', () => this.#workOfEngines())
  }

  /** The fault of one part does not keep the others from their turn. */
  async #tried(what: string, part: () => Promise<void>): Promise<void> {
    if (this.#stopped) return
    try {
      await part()
    } catch (error) {
      if (!this.#stopped) this.#options.onFault(error, what)
    }
  }

  /** What engines do by themselves. */
  async #workOfEngines(): Promise<void> {
    const { names, records, root: namespace } = this.#options
    const now = await this.#options.now()
    for (const { engine, mount } of await this.#options.engines()) {
      await this.#tried(`background work of ${mount.path}`, async () =>
        engine.background?.({ records, namespace, mount, names, now, newId: randomUUID }),
      )
    }
  }

  /** One process works for all; two that both think so only do some work twice. */
  async #hasLease(): Promise<boolean> {
    const { records, root } = this.#options
    const now = await this.#options.now()
    if (now < this.#leasedUntil - LEASE_MS / 2) return true
    const ref = leases.at(root.number)
    const until = now + LEASE_MS
    const mine = await records.transact(async (tx) => {
      const present = await tx.get(ref)
      const free = present === undefined || present.owner === this.#self || present.until <= now
      if (free) tx.put(ref, { owner: this.#self, until })
      return free
    })
    this.#leasedUntil = mine ? until : 0
    return mine
  }

  /** Another process need not wait for the lease to run out. */
  async #release(): Promise<void> {
    const { records, root } = this.#options
    const ref = leases.at(root.number)
    try {
      await records.transact(async (tx) => {
        if ((await tx.get(ref))?.owner === this.#self) tx.delete(ref)
      })
    } catch (error) {
      this.#options.onFault(error, 'giving up the background work')
    }
  }

  /** The keys say all: of a damaged entry, too. */
  async #expire(): Promise<void> {
    const { records, root } = this.#options
    const now = await this.#options.now()
    for (let shard = 0; shard < EXPIRY_SHARDS; shard++) {
      const within = (time: number) =>
        tokenExpiries.under(root.number, Uint8Array.of(shard), timePart(time))
      const { prefixLength } = tokenExpiries.under(root.number, Uint8Array.of(shard))
      const { kind, from } = within(this.#cursors.get(shard) ?? 0)
      const range = { kind, from, to: within(now).from, prefixLength }
      for await (const page of records.scanKeys(range)) {
        const entries = page.map(({ key }) => key)
        await this.#someAtOnce(entries, EXPIRED_PER_COMMIT, (some) => this.#expireSome(some))
      }
      if (this.#stopped) return
      // Late inserts of other processes lie at most a request's length behind.
      this.#cursors.set(shard, now - 60_000)
    }
  }

  /** `entries`: keys of the index; each ends with that of the token. */
  async #expireSome(entries: readonly Key[]): Promise<void> {
    const { records, root } = this.#options
    const now = await this.#options.now()
    await records.transact(async (tx) => {
      const keys = entries.map((entry) => entry.subarray(-TOKEN_KEY_BYTES))
      const found = await tx.getMany(keys.map((key) => tokenRef(root, key)))
      for (const [index, key] of keys.entries()) {
        const record = found[index]
        tx.delete(refOfKey(entries[index]!))
        if (record?.state !== 'live' || record.expiresAt === undefined) continue
        if (record.expiresAt > now) {
          tx.put(expiryRef(root.number, key, record.expiresAt), undefined)
        } else revokeToken(tx, root, { key, record })
      }
    })
  }

  /**
   * Works through keys, some in a commit, after what others do. What cannot be done together is tried one by one, and a damaged record is
   * left where it is, for it must not keep the rest from its turn; the barrier has counted and logged it.
   */
  async #someAtOnce(
    keys: readonly Key[],
    atOnce: number,
    run: (some: readonly Key[]) => Promise<void>,
  ): Promise<void> {
    for (let at = 0; at < keys.length && !this.#stopped; at += atOnce) {
      const some = keys.slice(at, at + atOnce)
      try {
        await run(some)
      } catch (error) {
        if (!(error instanceof BarrierBroken)) throw error
        if (some.length > 1) await this.#someAtOnce(some, 1, run)
      }
      await this.#options.records.afterOthers()
    }
  }

  async #cleanTokens(): Promise<void> {
    const { records, root } = this.#options
    const range = work.under(root.number, WORK_REVOKE)
    for await (const page of records.scanKeys(range)) {
      const tokens = page.map(({ key }) => key.subarray(range.prefixLength))
      await this.#someAtOnce(tokens, CLEANED_PER_COMMIT, (some) => this.#cleanSome(some))
    }
  }

  async #dropMounts(): Promise<void> {
    const { records, root } = this.#options
    for await (const page of records.scan(work.under(root.number, WORK_UNMOUNT))) {
      for (const { tail, value } of page) {
        if (this.#stopped || value.mount === undefined) return
        await this.#options.dropMount(value.mount)
        await records.transact(async (tx) => {
          tx.delete(work.at(root.number, WORK_UNMOUNT, tail))
        })
      }
    }
  }

  /** Children first, so that a child's tombstone stands before its parent's goes. */
  async #cleanSome(keys: readonly Uint8Array[]): Promise<void> {
    const { records, root, names, cubbyhole } = this.#options
    for (const key of keys) {
      await this.#endChildren(key)
      await cubbyhole.drop(records, { namespace: root, names, tokenKey: key })
    }
    await records.transact(async (tx) => {
      const found = await tx.getMany(keys.map((key) => tokenRef(root, key)))
      for (const [index, key] of keys.entries()) {
        const record = found[index]
        tx.delete(work.at(root.number, WORK_REVOKE, key))
        if (record === undefined || record.state === 'live') continue
        tx.delete(tokenRef(root, key))
        tx.delete(tokenUses.at(root.number, key))
        tx.delete(accessorRef(root, names, record.accessor))
        const parent = record.lineage[0]
        if (parent !== undefined) {
          tx.delete(childRef(root.number, Buffer.from(parent, 'hex'), { key, record }))
        }
        if (record.expiresAt !== undefined) {
          tx.delete(expiryRef(root.number, key, record.expiresAt))
        }
      }
    })
  }

  async #endChildren(key: Uint8Array): Promise<void> {
    const { records, root } = this.#options
    const range = tokenChildren.under(root.number, key)
    for (;;) {
      const page = await first(records.scan(range, { pageSize: CHILDREN_PER_COMMIT }))
      if (page === undefined) return
      const edges = page.map((edge) => edge.key)
      await records.transact(async (tx) => {
        const parent = await tx.get(tokenRef(root, key))
        const keys = edges.map((edge) => edge.subarray(-TOKEN_KEY_BYTES))
        const children = await tx.getMany(keys.map((child) => tokenRef(root, child)))
        for (const [index, child] of keys.entries()) {
          tx.delete(refOfKey(edges[index]!))
          const record = children[index]
          if (record === undefined) continue
          // The children of an orphaned token live on, and no longer name it.
          if (parent?.state === 'orphaned')
            tx.put(tokenRef(root, child), { ...record, lineage: [] })
          else if (record.state === 'live') revokeToken(tx, root, { key: child, record })
        }
      })
      await records.afterOthers()
    }
  }
}

const first = async <T>(pages: AsyncIterable<T>): Promise<T | undefined> => {
  for await (const page of pages) return page
  return undefined
}
