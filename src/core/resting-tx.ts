import { createHash } from 'node:crypto'
import type { Reader, RecordRange, Ref, Scanned, StampName, Tx } from '../engine/records.ts'
import { refOfKey } from '../engine/records.ts'

/**
 * A record that a decision rests on, told so that it can be looked at later by another process: its key (base64) and what it must
 * be (sha256 of its value, base64), or '' where it must only be there, for the decision itself changed it.
 */
export interface Rest {
  readonly key: string
  readonly value: string
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')

/** A transaction that remembers which records were read through it, and which were put. */
export class RestingTx implements Tx {
  readonly #tx: Tx
  readonly #read = new Map<string, Ref<unknown>>()
  readonly #changed = new Set<string>()

  constructor(tx: Tx) {
    this.#tx = tx
  }

  get unchecked(): Reader {
    return this.#tx.unchecked
  }

  get<T>(ref: Ref<T>): Promise<T | undefined> {
    this.#read.set(ref.id, ref)
    return this.#tx.get(ref)
  }

  getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    for (const ref of refs) this.#read.set(ref.id, ref)
    return this.#tx.getMany(refs)
  }

  exist(refs: readonly Ref<unknown>[]): Promise<readonly boolean[]> {
    for (const ref of refs) this.#read.set(ref.id, ref)
    return this.#tx.exist(refs)
  }

  peek<T>(ref: Ref<T>): Promise<T | undefined> {
    return this.#tx.peek(ref)
  }

  put<T>(ref: Ref<T>, value: T): void {
    this.#changed.add(ref.id)
    this.#tx.put(ref, value)
  }

  delete(ref: Ref<unknown>): void {
    this.#changed.add(ref.id)
    this.#tx.delete(ref)
  }

  stamp(name: StampName, namespace: number): void {
    this.#tx.stamp(name, namespace)
  }

  checkStamp(name: StampName, namespace: number): Promise<void> {
    return this.#tx.checkStamp(name, namespace)
  }

  scan<T>(range: RecordRange<T>, guard: Ref<unknown>): AsyncIterable<readonly Scanned<T>[]> {
    this.#read.set(guard.id, guard)
    return this.#tx.scan(range, guard)
  }

  /** What was read and is there, as it is at the end. What was found absent says nothing: counters of failures come and go. */
  async rests(): Promise<readonly Rest[]> {
    const refs = [...this.#read.values()]
    const values = await this.#tx.getMany(refs)
    return refs.flatMap((ref, index) => {
      const value = values[index]
      if (value === undefined) return []
      const changed = this.#changed.has(ref.id)
      return [
        {
          key: Buffer.from(ref.key).toString('base64'),
          value: changed ? '' : digestOf(ref.kind.encode(value)),
        },
      ]
    })
  }
}

/** Whether all that a decision rested on is still so; becomes part of what the transaction rests on. */
export const stillRests = async (tx: Tx, rests: readonly Rest[]): Promise<boolean> => {
  const refs = rests.map(({ key }) => refOfKey(Uint8Array.from(Buffer.from(key, 'base64'))))
  const values = await tx.getMany(refs)
  return rests.every(({ value: wanted }, index) => {
    const value = values[index]
    if (value === undefined) return false
    return wanted === '' || digestOf(refs[index]!.kind.encode(value)) === wanted
  })
}
