import { randomUUID } from 'node:crypto'
import { withBarrier } from '../barrier/barrier-store.ts'
import type { Keyring } from '../barrier/keyring.ts'
import type { InitOutcome, SealPort, SealStatus } from '../engine/ports/seal.ts'
import { limits } from '../limits.ts'
import type { Unsealed } from '../seal/seal.ts'
import {
  combineUnsealKeys,
  initialiseSeal,
  readSealConfig,
  reloadKeyring,
  rotateKeyring,
  unseal,
  unsealKeyBytes,
} from '../seal/seal.ts'
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
  #shares: Buffer[] = []
  #nonce = ''
  #opening: Promise<void> | undefined

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  /** The unsealed server; undefined while sealed. */
  get core(): Core | undefined {
    return this.#state?.opened.core
  }

  async status(): Promise<SealStatus> {
    const config = await readSealConfig(this.#options.store, deadline())
    const cluster = this.#state?.opened.cluster
    return {
      initialized: config !== undefined,
      sealed: this.#state === undefined,
      threshold: config?.t ?? 0,
      shares: config?.n ?? 0,
      progress: this.#shares.length,
      nonce: this.#nonce,
      clusterName: cluster?.name,
      clusterId: cluster?.id,
    }
  }

  /** Leaves the server sealed, as a seal of shares wants it. */
  async initialise(options: {
    readonly shares: number
    readonly threshold: number
    readonly rootToken?: string
  }): Promise<InitOutcome | 'already'> {
    const made = await initialiseSeal(
      this.#options.store,
      { ...options, now: Date.now() },
      deadline(),
    )
    if (made.kind === 'already') return 'already'
    const opened = await this.#openWith(made.unsealed)
    const rootToken = await opened.core.createRootToken(options.rootToken)
    await opened.close()
    return { unsealKeys: made.unsealKeys, rootToken }
  }

  async giveShare(
    share: Buffer,
  ): Promise<'progress' | 'unsealed' | 'bad-share' | 'failed' | 'uninitialised'> {
    const { store } = this.#options
    const config = await readSealConfig(store, deadline())
    if (config === undefined) return 'uninitialised'
    if (this.#state !== undefined) return 'unsealed'
    if (share.length !== unsealKeyBytes(config)) return 'bad-share'
    if (this.#nonce === '') this.#nonce = randomUUID()
    if (!this.#shares.some((known) => known.equals(share))) this.#shares.push(Buffer.from(share))
    if (this.#shares.length < config.t) return 'progress'
    const shares = this.#shares
    await this.resetShares()
    try {
      const combined = combineUnsealKeys(config, shares)
      const unsealed = await unseal(store, combined, deadline())
      combined.fill(0)
      if (unsealed === 'wrong key') return 'failed'
      await this.#unsealWith(unsealed)
      return 'unsealed'
    } catch (error) {
      // Shares of different seals may not even combine.
      if (error instanceof RangeError) return 'failed'
      throw error
    } finally {
      for (const used of shares) used.fill(0)
    }
  }

  async resetShares(): Promise<void> {
    this.#shares = []
    this.#nonce = ''
  }

  async seal(): Promise<void> {
    const state = this.#state
    this.#state = undefined
    await state?.opened.close()
  }

  keyStatus(): {
    readonly term: number
    readonly installedAt: number
    readonly encryptions: number
  } {
    const { active } = this.#unsealed().keyring
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
    const { store, open } = this.#options
    const reload = (): Promise<void> => reloadKeyring(store, unsealed, deadline())
    const sealed = withBarrier(store, unsealed.keyring, { reloadKeyring: reload })
    return open(sealed, unsealed.keyring, reload)
  }
}
