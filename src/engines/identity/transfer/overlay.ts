import type { Reader, RecordRange, Records, Ref, Scanned, Tx } from '../../../engine/records.ts'

/** A transaction that never commits: what it puts is seen by its own reads alone. For finding out what an import would do. */
export class Overlay implements Tx {
  readonly #records: Records
  readonly #writes = new Map<string, unknown>()

  constructor(records: Records) {
    this.#records = records
  }

  async get<T>(ref: Ref<T>): Promise<T | undefined> {
    return (await this.getMany([ref]))[0]
  }

  async getMany<T>(refs: readonly Ref<T>[]): Promise<(T | undefined)[]> {
    const values = await this.#records.getMany(refs)
    return refs.map(({ id }, index) =>
      this.#writes.has(id) ? (this.#writes.get(id) as T | undefined) : values[index],
    )
  }

  async exist(refs: readonly Ref<unknown>[]): Promise<readonly boolean[]> {
    return (await this.getMany(refs)).map((value) => value !== undefined)
  }

  peek<T>(ref: Ref<T>): Promise<T | undefined> {
    return this.get(ref)
  }

  get unchecked(): Reader {
    return this
  }

  put<T>(ref: Ref<T>, value: T): void {
    this.#writes.set(ref.id, value)
  }

  delete(ref: Ref<unknown>): void {
    this.#writes.set(ref.id, undefined)
  }

  stamp(): void {
    // Nobody rests on what is not written.
  }

  async checkStamp(): Promise<void> {
    // What is read is not validated.
  }

  scan<T>(range: RecordRange<T>): AsyncIterable<readonly Scanned<T>[]> {
    return this.#records.scan(range)
  }
}
