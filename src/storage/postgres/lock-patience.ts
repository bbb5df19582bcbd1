/** What a batch waits for one lock at least (architecture.md D3). */
const LEAST_MS = 50
const MOST_MS = 1_000
/** As many batches of other nodes may be before it in the queue. */
const BATCHES_AHEAD = 4
const WEIGHT = 1 / 8

/**
 * How long a batch waits for a lock before it is split: longer where commits take longer, by a slow disk or a distant
 * standby. Else a queue that moves would be taken for a lock that is stuck, and splitting would make it longer still.
 */
export class LockPatience {
  #typicalMs = 0

  /** A batch was committed in this time, from sending to its answer. */
  note(milliseconds: number): void {
    this.#typicalMs += (milliseconds - this.#typicalMs) * WEIGHT
  }

  /** Whole ms. */
  get milliseconds(): number {
    return Math.round(Math.min(MOST_MS, Math.max(LEAST_MS, this.#typicalMs * BATCHES_AHEAD)))
  }
}
