import type { Ref } from '../engine/records.ts'
import { limits } from '../limits.ts'
import type { Store, Version } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import { freshLoad } from './fresh-load.ts'

/**
 * Keeps something in memory as new as a stamp says: `confirm` reloads it when the stamp has moved, before a request relies on
 * it. Costs one epoch read where nothing was written meanwhile.
 */
export class StampWatch {
  readonly #store: Store
  readonly #stamp: Ref<unknown>
  readonly #reload: () => Promise<void>
  #version: Version | undefined
  /** The epoch at which the version was last confirmed, read before it. */
  #epoch: Version | undefined

  constructor(store: Store, stamp: Ref<unknown>, reload: () => Promise<void>) {
    this.#store = store
    this.#stamp = stamp
    this.#reload = freshLoad(reload)
  }

  /** Undefined: nothing to wait for. */
  confirm(): Promise<void> | undefined {
    const epoch = this.#store.epoch()
    return epoch !== undefined && epoch === this.#epoch ? undefined : this.#ask(epoch)
  }

  async #ask(epoch: Version | undefined): Promise<void> {
    const { items } = await this.#store.versions([this.#stamp.key], deadlineIn(limits.storeWaitMs))
    const version = items[0]!
    if (version !== this.#version) {
      // Read before what it stands for: a change in between is seen next time (architecture.md A3).
      await this.#reload()
      this.#version = version
    }
    this.#epoch = epoch
  }
}
