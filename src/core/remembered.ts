import { LRUCache } from 'lru-cache'
import type { Tx } from '../engine/records.ts'
import { limits } from '../limits.ts'
import { deadlineIn } from '../storage/store.ts'
import type { Key, Store, Version } from '../storage/store.ts'
import type { Check } from './records.ts'
import { ownTransaction } from './records.ts'

/** What an outcome takes in memory, about, and each record it rests on. */
const OUTCOME_BYTES = 1_000
const DEPENDENCY_BYTES = 250

interface Outcome<T> {
  readonly value: T
  /** ms: from then on the same records may come to something else. */
  readonly until: number
  readonly checked: ReadonlyMap<string, Check>
  readonly looked: readonly Key[]
  readonly versions: readonly Version[]
  /** The store's epoch when what was looked at was last known to be so. */
  epoch: Version | undefined
}

/**
 * What transactions came to that wrote nothing so far, by what they were asked: who is asked the same need not go the same way again,
 * for all that the outcome rests on becomes part of the commit, and what it merely shows is confirmed before. So an outcome is as
 * strict as if it had been found anew: where anything has changed, the commit fails and it is found anew.
 */
export class Remembered<T> {
  readonly #store: Store
  readonly #outcomes = new LRUCache<string, Outcome<T>>({ maxSize: limits.rememberedOutcomeBytes })

  constructor(store: Store) {
    this.#store = store
  }

  /** The outcome of the same question, on which the transaction rests from now on; undefined when it is to be found anew. */
  async recall(tx: Tx, question: string, now: number): Promise<T | undefined> {
    const { reads } = ownTransaction(tx)
    // A commit that failed says that something of it has changed.
    if (!reads.isTrusting) return undefined
    const outcome = this.#outcomes.get(question)
    if (outcome === undefined) return undefined
    if (now >= outcome.until || !(await this.#shows(outcome))) {
      this.#outcomes.delete(question)
      return undefined
    }
    reads.trust(outcome.checked)
    return outcome.value
  }

  /** Keeps what a transaction came to, unless it has written something. */
  keep(tx: Tx, question: string, value: T, until: number): void {
    const basis = ownTransaction(tx).basis()
    if (basis === undefined) return
    const { checked, looked } = basis
    this.#outcomes.set(
      question,
      {
        value,
        until,
        checked,
        looked: looked.map(({ key }) => key),
        versions: looked.map(({ version }) => version),
        epoch: undefined,
      },
      { size: OUTCOME_BYTES + DEPENDENCY_BYTES * (checked.size + looked.length) },
    )
  }

  /** Whether what was merely looked at is still so. */
  async #shows(outcome: Outcome<T>): Promise<boolean> {
    if (outcome.looked.length === 0) return true
    const before = this.#store.epoch()
    if (before !== undefined && before === outcome.epoch) return true
    const { items } = await this.#store.versions(outcome.looked, deadlineIn(limits.storeWaitMs))
    if (outcome.versions.some((version, index) => items[index] !== version)) return false
    outcome.epoch = before
    return true
  }
}
