import { keyText } from '../../std/key-text.ts'
import { storageLimits, witnessed } from '../limits.ts'
import type { Answer, Key, ListRange, Page, Stored, Version } from '../store.ts'
import { Unavailable } from '../store.ts'
import { byteaArray } from './binary-array.ts'
import type { Call } from './call.ts'
import type { Connection, Rows } from './connection.ts'
import { isUnfitSession, Lost, messageOf, Refused } from './failure.ts'
import type { LanePorts } from './lane.ts'

/** Values or versions of keys. */
export interface KeysQuestion {
  readonly keys: readonly Key[]
  readonly values: boolean
}

/** One page; the limit is the seam's. */
export interface PageQuestion {
  readonly range: ListRange
  readonly limit: number
}

export type KeysCall = Call<KeysQuestion, Answer<Stored>>
export type PageCall = Call<PageQuestion, Page>

/** Keys asked for by one query of many calls; one call may have more by itself. */
const BATCH_KEYS = 2_000
const ABSENT: Stored = { version: 0, value: undefined }

/**
 * Reads on their way. Calls for keys that wait when a connection is free become one query: a call joins only a query that
 * has not been sent (architecture.md A2). Nothing here changes anything, so what is lost is asked again.
 */
export class ReadLane {
  readonly #ports: LanePorts
  readonly #atOnce: number
  readonly #keys = new Set<KeysCall>()
  readonly #pages = new Set<PageCall>()
  #busy = 0
  #pagesTurn = false
  #closed = false

  /** `atOnce` queries on their way. */
  constructor(ports: LanePorts, atOnce: number) {
    this.#ports = ports
    this.#atOnce = atOnce
  }

  addKeys(call: KeysCall): void {
    if (this.#closed) refuse(call)
    else if (!call.over) this.#keys.add(call)
  }

  addPage(call: PageCall): void {
    if (this.#closed) refuse(call)
    else if (!call.over) this.#pages.add(call)
  }

  /** Nobody waits for the call any more. */
  forget(call: KeysCall | PageCall): void {
    this.#keys.delete(call as KeysCall)
    this.#pages.delete(call as PageCall)
  }

  /** Refuses what was not sent, now and later. */
  close(): void {
    this.#closed = true
    for (const call of [...this.#keys, ...this.#pages]) refuse(call)
    this.#keys.clear()
    this.#pages.clear()
  }

  /** Whether `start` has something for a connection. */
  ready(): boolean {
    return this.#busy < this.#atOnce && this.#keys.size + this.#pages.size > 0
  }

  /** Does one thing with a connection; never throws. */
  async start(connection: Connection): Promise<void> {
    this.#busy += 1
    // Pages and keys take turns when both wait.
    const [page] = this.#pages
    const turn = this.#pagesTurn || this.#keys.size === 0 ? page : undefined
    this.#pagesTurn = turn === undefined
    if (turn === undefined) await this.#batch(connection)
    else await this.#page(connection, turn)
    this.#busy -= 1
  }

  async #batch(connection: Connection): Promise<void> {
    const calls = this.#nextBatch()
    const values = new Map<string, Key>()
    const versions = new Map<string, Key>()
    for (const { question } of calls) {
      const wanted = question.values ? values : versions
      for (const key of question.keys) wanted.set(keyText(key), key)
    }
    for (const text of values.keys()) versions.delete(text)
    try {
      const rows = await connection.query(this.#ports.statements.read, [
        byteaArray([...values.values()]),
        byteaArray([...versions.values()]),
      ])
      this.#answerKeys(calls, rows)
    } catch (error) {
      this.#failed(connection, error, calls, (call) => this.addKeys(call))
    }
  }

  #nextBatch(): KeysCall[] {
    const calls: KeysCall[] = []
    const now = performance.now()
    let keys = 0
    for (const call of this.#keys) {
      keys += call.question.keys.length
      if (calls.length > 0 && keys > BATCH_KEYS) break
      this.#keys.delete(call)
      if (!call.over && now <= call.deadline) calls.push(call)
    }
    return calls
  }

  #answerKeys(calls: readonly KeysCall[], rows: Rows): void {
    const found = new Map<string, Stored>()
    let now = 0
    for (const [key, number, value, standby] of rows) {
      if (key === null) {
        refuseStandby(standby)
        now = this.#ports.observe(Number(number))
      } else {
        const stored = { version: Number(number) as Version, value: (value ?? undefined) as Buffer }
        found.set(keyText(key as Buffer), stored)
      }
    }
    for (const call of calls) {
      const items = call.question.keys.map((key) => found.get(keyText(key)) ?? ABSENT)
      call.resolve({ now, items })
    }
  }

  async #page(connection: Connection, call: PageCall): Promise<void> {
    this.#pages.delete(call)
    const { range, limit } = call.question
    const { statements } = this.#ports
    const witness = range.witness === undefined ? null : Buffer.from(range.witness)
    const bounds = [Buffer.from(range.from), Buffer.from(range.to), limit, witness]
    try {
      const rows =
        range.keysOnly === true
          ? await connection.query(statements.listKeys, bounds)
          : await connection.query(statements.list, [...bounds, storageLimits.pageBytes])
      this.#answerPage(call, rows)
    } catch (error) {
      this.#failed(connection, error, [call], (lost) => this.addPage(lost))
    }
  }

  #answerPage(call: PageCall, rows: Rows): void {
    const [milliseconds, standby, witness] = rows[0]!
    refuseStandby(standby)
    const items = rows
      .filter(([, , , key]) => key !== null)
      .map(([, , , key, version, value]) => ({
        key: key as Buffer,
        version: Number(version),
        value: (value ?? undefined) as Buffer | undefined,
      }))
    // Those that the limit let through, some of which the bound of bytes may have left out; a list of keys leaves out none.
    const found = Number(rows[0]![6] ?? items.length)
    call.resolve({
      now: this.#ports.observe(Number(milliseconds)),
      items,
      more: items.length > 0 && (found > items.length || items.length === call.question.limit),
      // Null: there is no such row.
      ...witnessed(call.question.range, () => Number(witness ?? 0)),
    })
  }

  #failed<C extends KeysCall | PageCall>(
    connection: Connection,
    error: unknown,
    calls: readonly C[],
    again: (call: C) => void,
  ): void {
    if (error instanceof Refused && !isUnfitSession(error)) {
      const text = `PostgreSQL: ${messageOf(error)}`
      for (const call of calls) call.reject(new Unavailable(text, { cause: error }))
      return
    }
    connection.destroy()
    for (const call of calls) again(call)
  }
}

/** Behind a pooler the server can change under a connection: one answer of a standby is one too many. */
const refuseStandby = (standby: unknown): void => {
  if (standby === true) throw new Lost('the server has become a standby')
}

const refuse = (call: KeysCall | PageCall): void =>
  call.reject(new Unavailable('the store is closed'))
