import type { Commit, Deadline, Key, ListRange, Outcome, Store } from '../store.ts'
import { Unavailable, Unknown } from '../store.ts'

/** What a plan is told of a call: the operation and its number among all calls of the store, from 0. */
export interface FaultCall {
  readonly operation: 'read' | 'versions' | 'list' | 'commit'
  readonly number: number
}

/**
 * What happens to one call. `before` delays the call, `after` holds back its answer; `fails` settles how it ends:
 * `unavailable` nothing is done; `lost-acknowledgement` a commit is done and reported Unknown (reads end as
 * Unavailable); `conflict` a commit is refused though its checks hold (reads go through).
 */
export interface Fault {
  readonly before?: () => Promise<void>
  readonly after?: () => Promise<void>
  readonly fails?: 'unavailable' | 'lost-acknowledgement' | 'conflict'
}

/** Decides on each call; undefined leaves it alone. */
export type FaultPlan = (call: FaultCall) => Fault | undefined

/** How often faults come, each from 0 to 1, and the longest delay in ms. */
export interface FaultRates {
  readonly seed: number
  readonly unavailable?: number
  readonly lostAcknowledgement?: number
  readonly conflict?: number
  readonly delay?: number
  readonly delayMs?: number
}

/** Numbers from 0 to 1, the same for the same seed (a linear congruence of 2^31: enough to choose faults). */
const numbersFrom = (seed: number): (() => number) => {
  let state = (seed >>> 0) % 2147483647 || 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const wait = (milliseconds: number) => async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** A plan that strikes at random, the same calls for the same seed. */
export const randomFaults = (rates: FaultRates): FaultPlan => {
  const next = numbersFrom(rates.seed)
  return () => {
    const choice = next()
    const late = next()
    const length = next()
    const delays = late < (rates.delay ?? 0) ? { before: wait(length * (rates.delayMs ?? 5)) } : {}
    const unavailable = rates.unavailable ?? 0
    const lost = unavailable + (rates.lostAcknowledgement ?? 0)
    const conflict = lost + (rates.conflict ?? 0)
    if (choice < unavailable) return { ...delays, fails: 'unavailable' }
    if (choice < lost) return { ...delays, fails: 'lost-acknowledgement' }
    if (choice < conflict) return { ...delays, fails: 'conflict' }
    return delays
  }
}

class FaultStore implements Store {
  readonly #store: Store
  readonly #plan: FaultPlan
  #calls = 0

  constructor(store: Store, plan: FaultPlan) {
    this.#store = store
    this.#plan = plan
  }

  read(keys: readonly Key[], deadline: Deadline) {
    return this.#ask('read', () => this.#store.read(keys, deadline))
  }

  versions(keys: readonly Key[], deadline: Deadline) {
    return this.#ask('versions', () => this.#store.versions(keys, deadline))
  }

  list(range: ListRange, deadline: Deadline) {
    return this.#ask('list', () => this.#store.list(range, deadline))
  }

  async commit(commit: Commit, deadline: Deadline): Promise<Outcome> {
    const fault = this.#next('commit')
    await fault.before?.()
    if (fault.fails === 'unavailable') throw new Unavailable('injected: nothing happened')
    if (fault.fails === 'conflict') {
      return { kind: 'conflict', stale: commit.checks.map(({ key }) => key) }
    }
    const outcome = await this.#store.commit(commit, deadline)
    await fault.after?.()
    if (fault.fails === 'lost-acknowledgement')
      throw new Unknown('injected: the acknowledgement was lost')
    return outcome
  }

  snapshot(signal: AbortSignal) {
    return this.#store.snapshot(signal)
  }

  epoch() {
    return this.#store.epoch()
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #ask<T>(operation: FaultCall['operation'], ask: () => Promise<T>): Promise<T> {
    const fault = this.#next(operation)
    await fault.before?.()
    if (fault.fails === 'unavailable' || fault.fails === 'lost-acknowledgement') {
      throw new Unavailable('injected: no answer')
    }
    const answer = await ask()
    await fault.after?.()
    return answer
  }

  #next(operation: FaultCall['operation']): Fault {
    return this.#plan({ operation, number: this.#calls++ }) ?? {}
  }
}

/** The store with the faults of a plan, for tests of what is above it. */
export const withFaults = (store: Store, plan: FaultPlan): Store => new FaultStore(store, plan)
