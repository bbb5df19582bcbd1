import { setTimeout as pause } from 'node:timers/promises'
import type { Version } from '../storage/store.ts'
import { InFlight } from '../std/in-flight.ts'
import { nextTurn } from '../std/next-turn.ts'

/** For how long others who committed something are taken to be about to go on, ms. */
const ABOUT_MS = 100

/** Knows of the transactions under way in this process, so that long work can let them go first. */
export class OwnTurn extends InFlight {
  /** When somebody else was last seen to commit something, by `performance.now()`. */
  #seen = -Infinity

  /**
   * Resolves in a turn of its own, once no transaction is under way; after so long in any case. Where somebody else commits meanwhile,
   * in whatever process, it leaves them the machine for that long besides: waiting for the lock of the store is the least of it where
   * all cores are busy. `epoch` moves with each commit (see Store.epoch).
   */
  async afterOthers(mostMs: number, epoch: () => Version | undefined): Promise<void> {
    const before = epoch()
    await nextTurn()
    if (!this.isEmpty) {
      await this.idle(mostMs)
      // What the others do with their outcome comes first.
      await nextTurn()
    }
    this.#look(before, epoch)
    if (process.env['PACE'] === undefined || performance.now() - this.#seen > ABOUT_MS) return
    await pause(Number(process.env['PACE']))
    this.#look(before, epoch)
  }

  #look(before: Version | undefined, epoch: () => Version | undefined): void {
    if (epoch() !== before) this.#seen = performance.now()
  }
}
