import { randomUUID } from 'node:crypto'
import type { Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import type { Gather, Gathered, GatherPurpose } from './gathering.ts'
import { Gathering } from './gathering.ts'
import { combineUnsealKeys, readSealConfig, unseal, unsealKeyBytes } from './seal.ts'

/** What became of a share (spec/sys.md 2.3). `bad-share`: of a length that cannot be one. `failed`: enough, but not the right ones. */
export type ShareOutcome = 'progress' | 'unsealed' | 'bad-share' | 'failed' | 'uninitialised'

/**
 * How far an unsealing is: shares given, and the nonce of the attempt ('' when none is under way). `unsealed`: nothing is
 * left to do, in any process that takes requests.
 */
export interface ShareProgress {
  readonly unsealed: boolean
  readonly progress: number
  readonly nonce: string
}

/** Collects the shares of an unsealing, in one place for all processes that share it (architecture.md A12). */
export interface ShareKeeper {
  give(share: Buffer): Promise<ShareOutcome>
  reset(): Promise<void>
  progress(): Promise<ShareProgress>
  /** Takes a key for an operation of an unsealed server; gives all of them once they are enough. Checks none. */
  gather(gather: Gather, key: Buffer): Promise<Gathered>
  /** Keys gathered so far. */
  gathered(purpose: GatherPurpose, nonce: string): Promise<number>
  dropGathered(purpose: GatherPurpose): Promise<void>
  /** The unseal keys give another key now: what processes that start later are unsealed with. */
  rekeyed(combined: Buffer): Promise<void>
  /** Forgets all keys and has every process that holds them end or drop them. */
  seal(): Promise<void>
}

export interface LocalSharesOptions {
  /** Beneath the barrier. */
  readonly store: Store
  readonly waitMs: number
  /** Whether the key is known already: then any share that could be one is answered `unsealed`. */
  readonly isUnsealed: () => boolean
  /** Takes the key that opens the seal, checked; resolves when it is in use everywhere. The buffer is wiped afterwards. */
  readonly onKey: (combined: Buffer) => Promise<void>
  readonly onSeal: () => Promise<void>
  /** Whoever keeps the key for processes that start later takes the new one. The buffer is wiped afterwards. */
  readonly onRekeyed?: (combined: Buffer) => void
}

/** The shares given to this process. */
export class LocalShares implements ShareKeeper {
  readonly #options: LocalSharesOptions
  #shares: Buffer[] = []
  #nonce = ''
  #last: Promise<unknown> = Promise.resolve()
  readonly #gathering = new Gathering()

  constructor(options: LocalSharesOptions) {
    this.#options = options
  }

  give(share: Buffer): Promise<ShareOutcome> {
    return this.#inTurn(() => this.#give(share))
  }

  reset(): Promise<void> {
    return this.#inTurn(async () => {
      for (const share of this.#take()) share.fill(0)
    })
  }

  async progress(): Promise<ShareProgress> {
    return {
      unsealed: this.#options.isUnsealed(),
      progress: this.#shares.length,
      nonce: this.#nonce,
    }
  }

  async gather(gather: Gather, key: Buffer): Promise<Gathered> {
    return this.#gathering.give(gather, key)
  }

  async gathered(purpose: GatherPurpose, nonce: string): Promise<number> {
    return this.#gathering.progress(purpose, nonce)
  }

  async dropGathered(purpose: GatherPurpose): Promise<void> {
    this.#gathering.drop(purpose)
  }

  async rekeyed(combined: Buffer): Promise<void> {
    this.#options.onRekeyed?.(combined)
  }

  seal(): Promise<void> {
    return this.#inTurn(async () => {
      this.#gathering.dropAll()
      for (const share of this.#take()) share.fill(0)
      await this.#options.onSeal()
    })
  }

  /** One after the other: a share that comes while others open the seal must not begin another attempt. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#last.then(run)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** The shares given; the attempt is over. */
  #take(): readonly Buffer[] {
    const shares = this.#shares
    this.#shares = []
    this.#nonce = ''
    return shares
  }

  async #give(share: Buffer): Promise<ShareOutcome> {
    const { store, waitMs, isUnsealed, onKey } = this.#options
    const config = await readSealConfig(store, deadlineIn(waitMs))
    if (config === undefined) return 'uninitialised'
    if (isUnsealed()) return 'unsealed'
    if (share.length !== unsealKeyBytes(config)) return 'bad-share'
    if (this.#nonce === '') this.#nonce = randomUUID()
    if (!this.#shares.some((known) => known.equals(share))) this.#shares.push(Buffer.from(share))
    if (this.#shares.length < config.t) return 'progress'
    const shares = this.#take()
    try {
      const combined = combineUnsealKeys(config, shares)
      const opened = await unseal(store, combined, deadlineIn(waitMs))
      if (opened === 'wrong key') return 'failed'
      await onKey(combined)
      combined.fill(0)
      return 'unsealed'
    } catch (error) {
      // Shares of different seals may not even combine.
      if (error instanceof RangeError) return 'failed'
      throw error
    } finally {
      for (const used of shares) used.fill(0)
    }
  }
}
