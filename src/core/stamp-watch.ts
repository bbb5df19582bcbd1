import type { Ref } from '../engine/records.ts'
import { limits } from '../limits.ts'
import type { Store, Version } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import { freshLoad } from './fresh-load.ts'

/** A record that moves with something that is kept in memory, and what brings that up to date. */
export interface Watched {
  readonly stamp: Ref<unknown>
  readonly reload: () => Promise<void>
}

/**
 * Keeps what is in memory as new as stamps say: `confirm` reloads what belongs to one that has moved, before a request relies on
 * it. Costs one epoch read where nothing was written meanwhile.
 */
export class StampWatch {
  readonly #store: Store
  readonly #watched: readonly Watched[]
  readonly #versions: (Version | undefined)[]
  /** The epoch at which the versions were last confirmed, read before them. */
  #epoch: Version | undefined

  constructor(store: Store, ...watched: readonly Watched[]) {
    this.#store = store
    this.#watched = watched.map(({ stamp, reload }) => ({ stamp, reload: freshLoad(reload) }))
    this.#versions = watched.map(() => undefined)
  }

  /** Undefined: nothing to wait for. */
  confirm(): Promise<void> | undefined {
    const epoch = this.#store.epoch()
    return epoch !== undefined && epoch === this.#epoch ? undefined : this.#ask(epoch)
  }

  async #ask(epoch: Version | undefined): Promise<void> {
    const keys = this.#watched.map(({ stamp }) => stamp.key)
    const { items } = await this.#store.versions(keys, deadlineIn(limits.storeWaitMs))
    for (const [index, { reload }] of this.#watched.entries()) {
      const version = items[index]!
      if (version === this.#versions[index]) continue
      // Read before what it stands for: a change in between is seen next time (architecture.md A3).
      await reload()
      this.#versions[index] = version
    }
    this.#epoch = epoch
  }
}
