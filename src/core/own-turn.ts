import { setTimeout as pause } from 'node:timers/promises'
import { InFlight } from '../std/in-flight.ts'
import { nextTurn } from '../std/next-turn.ts'
import type { Version } from '../storage/store.ts'

/** For how long somebody who committed something is taken to be about to go on, ms. */
const ABOUT_MS = 100

/** How long work that takes long lets others go first, each time. */
export interface Patience {
  /** At most, for transactions under way in this process. */
  readonly othersMs: number
  /** Besides, where somebody commits meanwhile, in whatever process. */
  readonly pauseMs: number
}

/** Knows of the transactions under way in this process, so that long work can let them go first. */
export class OwnTurn extends InFlight {
  /** When somebody else was last seen to commit something, by `performance.now()`. */
  #seen = -Infinity

  /**
   * Resolves in a turn of its own, once no transaction is under way, or has been for so long. Where somebody else is about, it leaves
   * them the cores for a while: where all of these are busy, waiting for the lock of the store is the least of it. `epoch` moves with
   * each commit (see Store.epoch).
   */
  async afterOthers(
    { othersMs, pauseMs }: Patience,
    epoch: () => Version | undefined,
  ): Promise<void> {
    const before = epoch()
    await nextTurn()
    if (!this.isEmpty) {
      await this.idle(othersMs)
      // What the others do with their outcome comes first.
      await nextTurn()
    }
    this.#look(before, epoch)
    if (performance.now() - this.#seen > ABOUT_MS) return
    await pause(pauseMs)
    this.#look(before, epoch)
  }

  #look(before: Version | undefined, epoch: () => Version | undefined): void {
    if (epoch() !== before) this.#seen = performance.now()
  }
}
