import type { Namespace } from '../engine/call.ts'
import type { Records } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'

/** `ku/<ns>`: values that all processes together sealed under a term, as far as they have told. */
const keyUses = recordKind<{ readonly term: number; readonly sealed: number }>('ku')

/** Told at once: one commit in ten thousand sealed values costs nothing, and bounds that start at a million need no more. */
const TELL_AT = 10_000

/** Counts what this process seals, and tells the others every ten thousand values. */
export class KeyUse {
  #term = 0
  /** Under this term, and not told yet. */
  #sealed = 0
  #telling: Promise<void> | undefined

  /** So many values were sealed under this term. What was not told of an older key is of no interest any more. */
  add(values: number, term: number): void {
    if (term !== this.#term) {
      this.#term = term
      this.#sealed = 0
    }
    this.#sealed += values
  }

  /** Adds what was counted under a term to the common count, if it is much. */
  async tell(records: Records, namespace: Namespace, term: number): Promise<void> {
    if (this.#untold(term) < TELL_AT) return
    this.#telling ??= this.#tell(records, namespace, term).finally(
      () => (this.#telling = undefined),
    )
    await this.#telling
  }

  async #tell(records: Records, namespace: Namespace, term: number): Promise<void> {
    const counted = this.#untold(term)
    const ref = keyUses.at(namespace.number)
    await records.transact(async (tx) => {
      const present = await tx.get(ref)
      const before = present?.term === term ? present.sealed : 0
      tx.put(ref, { term, sealed: before + counted })
    })
    if (term === this.#term) this.#sealed -= counted
  }

  #untold(term: number): number {
    return term === this.#term ? this.#sealed : 0
  }

  /** Values sealed under a term: what all told, and what this process has not told yet. */
  async total(records: Records, namespace: Namespace, term: number): Promise<number> {
    const present = await records.get(keyUses.at(namespace.number))
    return (present?.term === term ? present.sealed : 0) + this.#untold(term)
  }
}
