import { timingSafeEqual } from 'node:crypto'
import { withBarrier } from '../barrier/barrier-store.ts'
import type { BrokenValues } from '../barrier/broken-values.ts'
import type { Keyring } from '../barrier/keyring.ts'
import type { NewMount } from '../engine/ports/mounts.ts'
import type {
  InitOutcome,
  Proof,
  ProofPurpose,
  Proving,
  SealPort,
  SealStatus,
} from '../engine/ports/seal.ts'
import { limits } from '../limits.ts'
import type { Gather } from '../seal/gathering.ts'
import type { SealConfig, Unsealed } from '../seal/seal.ts'
import {
  combineUnsealKeys,
  drawShares,
  initialiseSeal,
  installShares,
  readSealConfig,
  reloadKeyring,
  rotateKeyring,
  rotateRootKey,
  unseal,
} from '../seal/seal.ts'
import type { ShareKeeper, ShareOutcome } from '../seal/share-keeper.ts'
import type { Store, Version } from '../storage/store.ts'
import { deadlineIn, Unavailable } from '../storage/store.ts'
import type { Cluster } from './cluster.ts'
import type { Core } from './core.ts'
import { INCARNATION, rootNamespace } from './core.ts'
import { DataReplaced } from './data-replaced.ts'
import { KeyUse } from './key-use.ts'
import { ofOneIncarnation } from './one-incarnation.ts'
import { stampRef } from './records.ts'

export interface LifecycleOptions {
  /** Beneath the barrier. */
  readonly store: Store
  /** Makes and starts the core of an unsealed server. */
  readonly open: (
    sealed: Store,
    keyring: Keyring,
    reload: () => Promise<void>,
    incarnation: Version,
  ) => Promise<Opened>
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
  /** Which data it is: the version of the stamp that every restore moves. */
  readonly incarnation: Version
  readonly unsealed: Unsealed
  readonly use: KeyUse
  readonly telling: NodeJS.Timeout
  readonly opened: Opened
}

/** How often a process looks whether others changed the keys, and whether it has encrypted enough to tell of it. */
const TELL_MS = 1_000

/** Shares that were drawn, as text: the configuration they will have and the key they give. */
interface Drawn {
  readonly config: SealConfig
  readonly combined: string
}

const KEYRING_STAMPS = [stampRef('keyring', rootNamespace.number).key]

const deadline = (): number => deadlineIn(limits.storeWaitMs)

/** Initialisation, unsealing and sealing of one process. Keys are held only while unsealed. */
export class Lifecycle implements SealPort {
  readonly #options: LifecycleOptions
  #state: State | undefined
  #opening: Promise<void> | undefined
  #reopening: Promise<void> | undefined
  /** Counts the times it was begun anew. */
  #turn = 0
  /** What the data of before a restore was served with, until the last request under it has ended. */
  readonly #retiring = new Set<Promise<void>>()

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
    const incarnation = await this.#incarnation()
    const made = await initialiseSeal(
      this.#options.store,
      { ...options, now: Date.now() },
      deadline(),
    )
    if (made.kind === 'already') return 'already'
    const opened = await this.#openWith(made.unsealed, incarnation)
    try {
      for (const mount of options.mounts ?? []) await opened.core.ensureMount(mount)
      const rootToken = await opened.core.createRootToken(options.rootToken)
      return { unsealKeys: made.unsealKeys, rootToken }
    } finally {
      await opened.close()
    }
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
    this.#opening ??= this.#stateBy(combined)
      .then((state) => {
        if (state === 'wrong key') throw new Error('the key given does not open the seal')
        this.#state = state
      })
      .finally(() => (this.#opening = undefined))
    await this.#opening
  }

  /** Stops what is done in the background, before the store goes away under it. `reopen(true)` begins anew. */
  async rest(): Promise<void> {
    await this.#state?.opened.core.stop()
  }

  /**
   * Begins anew on data that a restore has put in the place of the old: with the key there is, or sealed where that does not open
   * it. `always`: also if the data is the same. Requests under way keep what they began with.
   */
  reopen(always = false): Promise<void> {
    const under = this.#reopening
    if (under !== undefined && !always) return under
    const reopening = this.#reopenAfter(under, always)
    this.#reopening = reopening
    return reopening
  }

  async #reopenAfter(under: Promise<void> | undefined, always: boolean): Promise<void> {
    const turn = this.#turn + 1
    this.#turn = turn
    try {
      // Whoever began it hears how it ended.
      await under?.catch(() => undefined)
      await this.#reopen(always)
    } finally {
      if (this.#turn === turn) this.#reopening = undefined
    }
  }

  async #reopen(always: boolean): Promise<void> {
    const before = this.#state
    if (before === undefined) return
    if (!always && (await this.#incarnation()) === before.incarnation) return
    const combined = before.unsealed.sealKey.export()
    let state: State | 'wrong key'
    try {
      state = await this.#stateBy(combined)
    } finally {
      combined.fill(0)
    }
    if (this.#state !== before) {
      // Sealed meanwhile.
      if (state !== 'wrong key') await this.#letGo(state)
      return
    }
    this.#state = state === 'wrong key' ? undefined : state
    this.#retire(before)
    if (state !== 'wrong key') return
    const { log, keeper } = this.#options
    log('the data was replaced by a snapshot of another seal: unseal the server with its keys')
    keeper.seal().catch((error: unknown) => log('sealing after a restore failed', error))
  }

  #retire(state: State): void {
    clearInterval(state.telling)
    const retired = state.opened.core
      .idle(limits.drainMs)
      .then(() => state.opened.close())
      .catch((error: unknown) =>
        this.#options.log('giving up what a restore replaced failed', error),
      )
      .finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
  }

  async #letGo(state: State): Promise<void> {
    clearInterval(state.telling)
    await state.opened.close()
  }

  /** Forgets the keys and closes what they opened; requests are answered `Vault is sealed` from now on. */
  async close(): Promise<void> {
    const state = this.#state
    this.#state = undefined
    if (state !== undefined) await this.#letGo(state)
  }

  /** Resolves once nothing is left of what restores have replaced. */
  async retired(): Promise<void> {
    await Promise.all(this.#retiring)
  }

  async keyStatus(): Promise<{
    readonly term: number
    readonly installedAt: number
    readonly encryptions: number
  }> {
    const unsealed = this.#unsealed()
    // Another process may have rotated, and this one not have met the new key.
    await this.#reload(unsealed)
    const { active } = unsealed.keyring
    const { use, opened } = this.#state!
    const encryptions = await use.total(opened.core.records, rootNamespace, active.term)
    return { term: active.term, installedAt: active.installedAt, encryptions }
  }

  rotate(): Promise<number> {
    return rotateKeyring(
      this.#options.store,
      this.#unsealed(),
      { now: Date.now(), stamps: KEYRING_STAMPS },
      deadline(),
    )
  }

  rotateRootKey(): Promise<void> {
    return rotateRootKey(
      this.#options.store,
      this.#unsealed(),
      { stamps: KEYRING_STAMPS },
      deadline(),
    )
  }

  async prove({ purpose, nonce }: Proving, key: Buffer): Promise<Proof> {
    const { store } = this.#options
    const config = await readSealConfig(store, deadline())
    if (config === undefined) throw new Error('the server is not initialised')
    return this.#gather({ purpose, nonce, threshold: config.t }, key, async (keys) => {
      const combined = combineUnsealKeys(config, keys)
      const opened = await unseal(store, combined, deadline())
      combined.fill(0)
      return opened !== 'wrong key'
    })
  }

  async proveDrawn(nonce: string, drawn: string, key: Buffer): Promise<Proof> {
    const { config, combined } = JSON.parse(drawn) as Drawn
    const wanted = Buffer.from(combined, 'base64')
    const gather: Gather = { purpose: 'verify', nonce, threshold: config.t }
    return this.#gather(gather, key, async (keys) => {
      const given = combineUnsealKeys(config, keys)
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    })
  }

  /** Adds a key to those gathered, and judges them once they are enough. */
  async #gather(
    gather: Gather,
    key: Buffer,
    judge: (keys: readonly Buffer[]) => Promise<boolean>,
  ): Promise<Proof> {
    const gathered = await this.#options.keeper.gather(gather, key)
    if (gathered.kind !== 'complete') return gathered
    try {
      return { kind: (await judge(gathered.keys)) ? 'proved' : 'wrong' }
    } catch (error) {
      // Keys of different seals may not even combine.
      if (error instanceof RangeError) return { kind: 'wrong' }
      throw error
    } finally {
      for (const used of gathered.keys) used.fill(0)
    }
  }

  proofProgress(purpose: ProofPurpose, nonce: string): Promise<number> {
    return this.#options.keeper.gathered(purpose, nonce)
  }

  forgetProof(purpose: ProofPurpose): Promise<void> {
    return this.#options.keeper.dropGathered(purpose)
  }

  drawShares(options: { readonly shares: number; readonly threshold: number }): {
    readonly drawn: string
    readonly unsealKeys: readonly Buffer[]
  } {
    const { config, combined, unsealKeys } = drawShares(options)
    const drawn: Drawn = { config, combined: combined.toString('base64') }
    combined.fill(0)
    return { drawn: JSON.stringify(drawn), unsealKeys }
  }

  async installShares(drawn: string): Promise<'installed' | 'conflict'> {
    const { config, combined } = JSON.parse(drawn) as Drawn
    const key = Buffer.from(combined, 'base64')
    const { store, keeper } = this.#options
    try {
      const made = { config, combined: key }
      const outcome = await installShares(store, this.#unsealed(), made, KEYRING_STAMPS, deadline())
      if (outcome === 'installed') await keeper.rekeyed(key)
      return outcome
    } finally {
      key.fill(0)
    }
  }

  makeRootToken(): Promise<string> {
    if (this.#state === undefined) throw new Error('the server is sealed')
    return this.#state.opened.core.createRootToken(undefined)
  }

  /** Takes in the keys as they are stored; who keeps the key of the seal hears when it is another. */
  async #reload(unsealed: Unsealed): Promise<void> {
    const before = unsealed.sealKey
    await reloadKeyring(this.#options.store, unsealed, deadline())
    if (before.equals(unsealed.sealKey)) return
    const combined = unsealed.sealKey.export()
    await this.#options.keeper.rekeyed(combined)
    combined.fill(0)
  }

  #unsealed(): Unsealed {
    if (this.#state === undefined) throw new Error('the server is sealed')
    return this.#state.unsealed
  }

  async #stateBy(combined: Uint8Array): Promise<State | 'wrong key'> {
    for (let attempt = 1; ; attempt++) {
      // Before the keys: those of before a restore must not be taken for those of after it (architecture.md A3).
      const incarnation = await this.#incarnation()
      const unsealed = await unseal(this.#options.store, combined, deadline())
      if (unsealed === 'wrong key') return 'wrong key'
      const use = new KeyUse()
      try {
        const opened = await this.#openWith(unsealed, incarnation, use)
        const telling = setInterval(() => void this.#lookAfterKeys(), TELL_MS)
        telling.unref()
        return { incarnation, unsealed, use, opened, telling }
      } catch (error) {
        if (!(error instanceof DataReplaced) || attempt === limits.decisionAttempts) throw error
      }
    }
  }

  async #incarnation(): Promise<Version> {
    const { items } = await this.#options.store.versions([INCARNATION], deadline())
    return items[0]!
  }

  /** Takes in keys that others changed, and lets them know how much the key was used here. */
  async #lookAfterKeys(): Promise<void> {
    const state = this.#state
    if (state === undefined) return
    const { opened, unsealed, use } = state
    try {
      await opened.core.learnKeyring()
      await use.tell(opened.core.records, rootNamespace, unsealed.keyring.active.term)
    } catch (error) {
      if (error instanceof DataReplaced) return this.#reopenByItself()
      // Whoever needs the store says that it is gone; the next look may find it.
      if (error instanceof Unavailable || this.#state !== state) return
      this.#options.log('looking after the keys failed', error)
    }
  }

  async #reopenByItself(): Promise<void> {
    try {
      await this.reopen()
    } catch (error) {
      // The next look tries again.
      if (error instanceof Unavailable) return
      this.#options.log('opening the restored data failed', error)
    }
  }

  #openWith(unsealed: Unsealed, incarnation: Version, use?: KeyUse): Promise<Opened> {
    const { store, open, broken } = this.#options
    const reload = (): Promise<void> => this.#reload(unsealed)
    // Beneath the barrier: what others sealed is not to be opened with these keys.
    const one = ofOneIncarnation(store, INCARNATION, incarnation)
    const sealed = withBarrier(one, unsealed.keyring, {
      reloadKeyring: reload,
      ...(broken === undefined ? {} : { broken }),
      onSealed: (values) => use?.add(values, unsealed.keyring.active.term),
    })
    return open(sealed, unsealed.keyring, reload, incarnation)
  }
}
