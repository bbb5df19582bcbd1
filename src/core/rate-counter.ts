/** What one client may do: at most `most` in `intervalMs`; who asks for more is refused for `blockMs`, or until the interval ends. */
export interface RateWindow {
  readonly most: number
  readonly intervalMs: number
  readonly blockMs: number
}

/** What became of a request that was counted. */
export interface Taken {
  readonly allowed: boolean
  /** How many more are let through, and in how many ms it begins anew. */
  readonly left: number
  readonly resetMs: number
}

/** Counts requests. */
export interface RateCounter {
  /** Counts one under this key. */
  take(key: string, window: RateWindow): Taken | Promise<Taken>
}

interface Count {
  used: number
  endsAt: number
  blockedUntil: number
}

/** Keys whose interval has not ended, per server: some 150 bytes each. */
const KEYS = 100_000

/**
 * Counts in this process, for the whole server. An interval begins with the first request of a client, and the next one with the first
 * after its end. Beyond a hundred thousand clients those that came first are forgotten: better one request too many than no memory.
 */
export class LocalRates implements RateCounter {
  readonly #now: () => number
  readonly #counts = new Map<string, Count>()

  /** `now`: ms that never go back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  take(key: string, { most, intervalMs, blockMs }: RateWindow): Taken {
    const now = this.#now()
    let count = this.#counts.get(key)
    if (count === undefined || count.endsAt <= now) {
      count = { used: 0, endsAt: now + intervalMs, blockedUntil: 0 }
      // Behind all others, as it ends later.
      this.#counts.delete(key)
      this.#counts.set(key, count)
      this.#forgetEnded(now)
    }
    if (count.blockedUntil > now) {
      return { allowed: false, left: 0, resetMs: count.blockedUntil - now }
    }
    const allowed = count.used < most
    if (allowed) count.used++
    else if (blockMs > 0) {
      count.blockedUntil = now + blockMs
      // Until then it must not be forgotten.
      count.endsAt = Math.max(count.endsAt, count.blockedUntil)
      return { allowed, left: 0, resetMs: blockMs }
    }
    return { allowed, left: most - count.used, resetMs: count.endsAt - now }
  }

  /** A few at a time: each new one lets go of more than came with it. */
  #forgetEnded(now: number): void {
    let looked = 0
    for (const [key, { endsAt }] of this.#counts) {
      if (endsAt > now && this.#counts.size <= KEYS) break
      this.#counts.delete(key)
      if (++looked === 4) break
    }
  }

  get size(): number {
    return this.#counts.size
  }
}
