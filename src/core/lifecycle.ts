import { withBarrier } from '../barrier/barrier-store.ts'
import type { BrokenValues } from '../barrier/broken-values.ts'
import type { Keyring } from '../barrier/keyring.ts'
import type { NewMount } from '../engine/ports/mounts.ts'
import type { InitOutcome, SealPort, SealStatus } from '../engine/ports/seal.ts'
import { limits } from '../limits.ts'
import type { Unsealed } from '../seal/seal.ts'
import {
  initialiseSeal,
  readSealConfig,
  reloadKeyring,
  rotateKeyring,
  unseal,
} from '../seal/seal.ts'
import type { ShareKeeper, ShareOutcome } from '../seal/share-keeper.ts'
import type { Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import type { Cluster } from './cluster.ts'
import type { Core } from './core.ts'
import { rootNamespace } from './core.ts'
import { stampRef } from './records.ts'

export interface LifecycleOptions {
  /** Beneath the barrier. */
  readonly store: Store
  /** Makes and starts the core of an unsealed server. */
  readonly open: (sealed: Store, keyring: Keyring, reload: () => Promise<void>) => Promise<Opened>
  /** Where the shares of an unsealing are collected: this process or its supervisor. */
  readonly keeper: ShareKeeper
  /** Hears of stored values that do not open. */
  readonly broken?: BrokenValues
  readonly log: (message: string, error?: unknown) => void
}

/** An unsealed server. */
export interface Opened {
  readonly core: Core
  readonly cluster: Cluster
  /** Lets everything go that `open` began. */
  close(): Promise<void>
}

interface State {
  readonly unsealed: Unsealed
  readonly opened: Opened
}

const deadline = (): number => deadlineIn(limits.storeWaitMs)

/** Initialisation, unsealing and sealing of one process. Keys are held only while unsealed. */
export class Lifecycle implements SealPort {
  readonly #options: LifecycleOptions
  #state: State | undefined
  #opening: Promise<void> | undefined

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  /** The unsealed server; undefined while sealed. */
  get core(): Core | undefined {
    return this.#state?.opened.core
  }

  async status(): Promise<SealStatus> {
    const { store, keeper } = this.#options
    const config = await readSealConfig(store, deadline())
    const { unsealed, progress, nonce } = await keeper.progress()
    const cluster = this.#state?.opened.cluster
    return {
      initialized: config !== undefined,
      // A process that is to go after a seal answers for those that took its place.
      sealed: this.#state === undefined && !unsealed,
      threshold: config?.t ?? 0,
      shares: config?.n ?? 0,
      progress,
      nonce,
      clusterName: cluster?.name,
      clusterId: cluster?.id,
    }
  }

  /** Leaves the server sealed, as a seal of shares wants it. */
  async initialise(options: {
    readonly shares: number
    readonly threshold: number
    /** Text of the root token; random unless given. */
    readonly rootToken?: string
    /** Mounts to make at once (development mode). */
    readonly mounts?: readonly NewMount[]
  }): Promise<InitOutcome | 'already'> {
    const made = await initialiseSeal(
      this.#options.store,
      { ...options, now: Date.now() },
      deadline(),
    )
    if (made.kind === 'already') return 'already'
    const opened = await this.#openWith(made.unsealed)
    for (const mount of options.mounts ?? []) await opened.core.ensureMount(mount)
    const rootToken = await opened.core.createRootToken(options.rootToken)
    await opened.close()
    return { unsealKeys: made.unsealKeys, rootToken }
  }

  giveShare(share: Buffer): Promise<ShareOutcome> {
    return this.#options.keeper.give(share)
  }

  resetShares(): Promise<void> {
    return this.#options.keeper.reset()
  }

  seal(): Promise<void> {
    return this.#options.keeper.seal()
  }

  /** Opens the server with the key of the seal. Throws when it is not the right one. */
  async unseal(combined: Uint8Array): Promise<void> {
    if (this.#state !== undefined) return
    const unsealed = await unseal(this.#options.store, combined, deadline())
    if (unsealed === 'wrong key') throw new Error('the key given does not open the seal')
    await this.#unsealWith(unsealed)
  }

  /** Forgets the keys and closes what they opened; requests are answered `Vault is sealed` from now on. */
  async close(): Promise<void> {
    const state = this.#state
    this.#state = undefined
    await state?.opened.close()
  }

  async keyStatus(): Promise<{
    readonly term: number
    readonly installedAt: number
    readonly encryptions: number
  }> {
    const unsealed = this.#unsealed()
    // Another process may have rotated, and this one not have met the new key.
    await reloadKeyring(this.#options.store, unsealed, deadline())
    const { active } = unsealed.keyring
    return { term: active.term, installedAt: active.installedAt, encryptions: 0 }
  }

  rotate(): Promise<number> {
    return rotateKeyring(
      this.#options.store,
      this.#unsealed(),
      { now: Date.now(), stamps: [stampRef('keyring', rootNamespace.number).key] },
      deadline(),
    )
  }

  #unsealed(): Unsealed {
    if (this.#state === undefined) throw new Error('the server is sealed')
    return this.#state.unsealed
  }

  async #unsealWith(unsealed: Unsealed): Promise<void> {
    this.#opening ??= this.#openWith(unsealed)
      .then((opened) => {
        this.#state = { unsealed, opened }
      })
      .finally(() => (this.#opening = undefined))
    await this.#opening
  }

  #openWith(unsealed: Unsealed): Promise<Opened> {
    const { store, open, broken } = this.#options
    const reload = (): Promise<void> => reloadKeyring(store, unsealed, deadline())
    const sealed = withBarrier(store, unsealed.keyring, {
      reloadKeyring: reload,
      ...(broken === undefined ? {} : { broken }),
    })
    return open(sealed, unsealed.keyring, reload)
  }
}
