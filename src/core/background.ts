import { randomUUID } from 'node:crypto'
import type { Mount, Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { CubbyholePort } from '../engine/ports/cubbyhole.ts'
import type { MountRecord } from '../engine/ports/mounts.ts'
import type { Names, Records } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import { limits } from '../limits.ts'
import { work, WORK_REVOKE, WORK_UNMOUNT } from './mounts.ts'
import {
  accessorRef,
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
    await this.#cleanToken(key)
  }

  async #round(): Promise<void> {
    try {
      if (!(await this.#hasLease())) return
      await this.#expire()
      await this.#work()
      await this.#workOfEngines()
    } catch (error) {
      if (!this.#stopped) this.#options.onFault(error, 'background work')
    }
  }

  /** What engines do by themselves; the fault of one does not keep the others from it. */
  async #workOfEngines(): Promise<void> {
    const { names, onFault, records, root: namespace } = this.#options
    const now = await this.#options.now()
    for (const { engine, mount } of await this.#options.engines()) {
      if (engine.background === undefined) continue
      if (this.#stopped) return
      try {
        await engine.background({ records, namespace, mount, names, now, newId: randomUUID })
      } catch (error) {
        if (!this.#stopped) onFault(error, `background work of ${mount.path}`)
      }
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

  async #expire(): Promise<void> {
    const { records, root } = this.#options
    const now = await this.#options.now()
    for (let shard = 0; shard < EXPIRY_SHARDS; shard++) {
      const range = tokenExpiries.under(root.number, Uint8Array.of(shard))
      const end = tokenExpiries.under(root.number, Uint8Array.of(shard), timePart(now)).from
      const after = timePart(this.#cursors.get(shard) ?? 0)
      for await (const page of records.scan({ ...range, to: end }, { after })) {
        for (const { tail } of page) {
          if (this.#stopped) return
          await this.#expireOne(tail.subarray(6), Buffer.from(tail).readUIntBE(0, 6))
          await records.afterOthers()
        }
      }
      // Late inserts of other processes lie at most a request's length behind.
      this.#cursors.set(shard, now - 60_000)
    }
  }

  async #expireOne(key: Uint8Array, at: number): Promise<void> {
    const { records, root } = this.#options
    const now = await this.#options.now()
    await records.transact(async (tx) => {
      const record = await tx.get(tokenRef(root, key))
      tx.delete(expiryRef(root.number, key, at))
      if (record?.state !== 'live' || record.expiresAt === undefined) return
      if (record.expiresAt > now) {
        tx.put(expiryRef(root.number, key, record.expiresAt), { mount: record.mountUuid })
      } else revokeToken(tx, root, { key, record })
    })
  }

  async #work(): Promise<void> {
    const { records, root } = this.#options
    for await (const page of records.scan(work.under(root.number, WORK_REVOKE))) {
      for (const { tail } of page) {
        if (this.#stopped) return
        await this.#cleanToken(tail)
        await records.afterOthers()
      }
    }
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
  async #cleanToken(key: Uint8Array): Promise<void> {
    const { records, root, names, cubbyhole } = this.#options
    await this.#endChildren(key)
    await cubbyhole.drop(records, { namespace: root, names, tokenKey: key })
    await records.transact(async (tx) => {
      const record = await tx.get(tokenRef(root, key))
      tx.delete(work.at(root.number, WORK_REVOKE, key))
      if (record === undefined || record.state === 'live') return
      tx.delete(tokenRef(root, key))
      tx.delete(tokenUses.at(root.number, key))
      tx.delete(accessorRef(root, names, record.accessor))
      const parent = record.lineage[0]
      if (parent !== undefined) {
        tx.delete(tokenChildren.at(root.number, Buffer.from(parent, 'hex'), key))
      }
      if (record.expiresAt !== undefined) tx.delete(expiryRef(root.number, key, record.expiresAt))
    })
  }

  async #endChildren(key: Uint8Array): Promise<void> {
    const { records, root } = this.#options
    const range = tokenChildren.under(root.number, key)
    for (;;) {
      const page = await first(records.scan(range, { pageSize: CHILDREN_PER_COMMIT }))
      if (page === undefined) return
      await records.transact(async (tx) => {
        const parent = await tx.get(tokenRef(root, key))
        const children = await tx.getMany(page.map(({ tail }) => tokenRef(root, tail)))
        for (const [index, { tail }] of page.entries()) {
          tx.delete(tokenChildren.at(root.number, key, tail))
          const child = children[index]
          if (child === undefined) continue
          // The children of an orphaned token live on, and no longer name it.
          if (parent?.state === 'orphaned') tx.put(tokenRef(root, tail), { ...child, lineage: [] })
          else if (child.state === 'live') revokeToken(tx, root, { key: tail, record: child })
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
