import { InFlight } from '../std/in-flight.ts'
import { nextTurn } from '../std/next-turn.ts'

/** Knows of the transactions under way in this process, so that long work can let them go first. */
export class OwnTurn extends InFlight {
  /** Resolves in a turn of its own, once no transaction is under way; after so long in any case. */
  async afterOthers(mostMs: number): Promise<void> {
    await nextTurn()
    if (this.isEmpty) return
    await this.idle(mostMs)
    // What the others do with their outcome comes first.
    await nextTurn()
  }
}
