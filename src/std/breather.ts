import { nextTurn } from './next-turn.ts'

/** As long as work may go on without letting others in between: requests take many turns, and each waits that long. */
const SLICE_MS = 1

/**
 * Cuts long work into slices between which other requests run. Ask `due` every few microseconds of work, and await what it gives;
 * most of the time that is nothing.
 */
export class Breather {
  #began = performance.now()

  /** A turn to wait for, when the slice is over. */
  due(): Promise<void> | undefined {
    return performance.now() - this.#began < SLICE_MS ? undefined : this.rest()
  }

  /** Ends the slice now. */
  async rest(): Promise<void> {
    await nextTurn()
    this.#began = performance.now()
  }
}
