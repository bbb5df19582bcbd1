import type { Commit, Outcome } from '../store.ts'
import { Unavailable } from '../store.ts'
import type { Call } from './call.ts'
import { batchLength, encodeCommits, outcomesOf, transactionId } from './commit-batch.ts'
import type { Connection } from './connection.ts'
import { isContention, isUnfitSession, Refused } from './failure.ts'
import type { LanePorts } from './lane.ts'
import { LockPatience } from './lock-patience.ts'

/** A commit on its way. */
export type CommitCall = Call<Commit, Outcome>

/** A transaction whose answer was lost. */
interface Unsettled {
  readonly id: string
  readonly calls: readonly CommitCall[]
}

/** Batches on their way at once: more would only wait for each other's locks (architecture.md D2). */
const BATCHES_AT_ONCE = 2
/** One commit that has waited before queues properly: nobody else waits behind it. */
const ALONE_LOCK_MS = 1_000
const SETTLE_LOCK_MS = 1_000
const PAUSE_MS = 100

/** Commits on their way to the database: grouped, split when they get in the way of each other, settled when an answer is lost. */
export class CommitLane {
  readonly #ports: LanePorts
  readonly #waiting = new Set<CommitCall>()
  /** Parts of batches that were split: sent as they are. */
  readonly #parts: (readonly CommitCall[])[] = []
  /** Those that even alone met somebody's lock. */
  readonly #alone: CommitCall[] = []
  readonly #unsettled: Unsettled[] = []
  /** A batch that waits longer for one lock is split, so that one commit does not hold the others (architecture.md D3). */
  readonly #patience = new LockPatience()
  #batches = 0
  #aloneBusy = false
  #closed = false

  constructor(ports: LanePorts) {
    this.#ports = ports
  }

  add(call: CommitCall): void {
    this.#waiting.add(call)
  }

  /** Nobody waits for the call any more. */
  forget(call: CommitCall): void {
    this.#waiting.delete(call)
  }

  /** Refuses what was not sent, now and later; what was sent is still settled. */
  close(): void {
    this.#closed = true
    for (const call of [...this.#waiting, ...this.#parts.flat(), ...this.#alone]) refuse(call)
    this.#waiting.clear()
    this.#parts.length = 0
    this.#alone.length = 0
  }

  /** Whether `start` has something for a connection. */
  ready(): boolean {
    return (
      this.#unsettled.length > 0 ||
      (this.#batches < BATCHES_AT_ONCE && this.#parts.length + this.#waiting.size > 0) ||
      (!this.#aloneBusy && this.#alone.length > 0)
    )
  }

  /** Does one thing with a connection; never throws. */
  async start(connection: Connection): Promise<void> {
    const unsettled = this.#unsettled.shift()
    if (unsettled !== undefined) return this.#settle(connection, unsettled)
    if (this.#batches < BATCHES_AT_ONCE && this.#parts.length + this.#waiting.size > 0) {
      this.#batches += 1
      await this.#commit(connection, this.#nextBatch(), this.#patience.milliseconds)
      this.#batches -= 1
      return
    }
    const alone = this.#alone.shift()
    if (alone === undefined) return
    this.#aloneBusy = true
    await this.#commit(connection, [alone], ALONE_LOCK_MS)
    this.#aloneBusy = false
  }

  #nextBatch(): readonly CommitCall[] {
    const part = this.#parts.shift()
    if (part !== undefined) return part
    const length = batchLength(this.#waiting.values().map(({ question }) => question))
    const batch = [...this.#waiting.values().take(length)]
    for (const call of batch) this.#waiting.delete(call)
    return batch
  }

  async #commit(
    connection: Connection,
    batch: readonly CommitCall[],
    lockMs: number,
  ): Promise<void> {
    const now = performance.now()
    const calls = batch.filter((call) => !call.over && now <= call.deadline)
    if (calls.length === 0) return
    const commits = calls.map(({ question }) => question)
    const id = transactionId(this.#ports.now())
    for (const call of calls) call.sent = true
    try {
      const { statements } = this.#ports
      const rows = await connection.query(statements.commitMany, encodeCommits(id, lockMs, commits))
      this.#patience.note(performance.now() - now)
      this.#answer(calls, rows[0]!)
    } catch (error) {
      if (!(error instanceof Refused)) this.#unsettled.push({ id, calls })
      else this.#refused(connection, calls, error)
    }
  }

  async #settle(connection: Connection, unsettled: Unsettled): Promise<void> {
    const { id, calls } = unsettled
    // The deadline has told everybody that it is unknown.
    if (calls.every((call) => call.over)) return
    try {
      const rows = await connection.query(this.#ports.statements.settle, [id, SETTLE_LOCK_MS])
      const row = rows[0]!
      if (row[1] !== null) this.#answer(calls, row)
      else for (const call of calls) this.#again(call)
    } catch (error) {
      if (error instanceof Refused && isUnfitSession(error)) connection.destroy()
      if (!(error instanceof Refused) || isContention(error)) this.#unsettled.push(unsettled)
      else this.#later(() => this.#unsettled.push(unsettled))
    }
  }

  #answer(calls: readonly CommitCall[], row: readonly unknown[]): void {
    const commits = calls.map(({ question }) => question)
    const now = this.#ports.observe(Number(row[0]))
    const outcomes = outcomesOf(commits, row[1] as readonly number[], now)
    for (const [at, call] of calls.entries()) call.resolve(outcomes[at]!)
  }

  /** The transaction did not happen, for this reason. */
  #refused(connection: Connection, calls: readonly CommitCall[], error: Refused): void {
    if (isUnfitSession(error)) {
      connection.destroy()
      for (const call of calls) this.#again(call)
      return
    }
    for (const call of calls) call.sent = false
    const [only] = calls
    if (calls.length > 1) this.#split(calls)
    else if (isContention(error)) this.#toAlone(only!)
    else only!.reject(new Unavailable(`PostgreSQL: ${error.message}`, { cause: error }))
  }

  #split(calls: readonly CommitCall[]): void {
    if (this.#closed) return calls.forEach(refuse)
    const middle = Math.ceil(calls.length / 2)
    this.#parts.push(calls.slice(0, middle), calls.slice(middle))
  }

  #toAlone(call: CommitCall): void {
    if (this.#closed) refuse(call)
    else this.#alone.push(call)
  }

  /** Certainly nothing happened: the call waits as if it had just come. */
  #again(call: CommitCall): void {
    call.sent = false
    if (this.#closed) refuse(call)
    else if (!call.over) this.#waiting.add(call)
  }

  #later(then: () => void): void {
    setTimeout(() => {
      then()
      this.#ports.wake()
    }, PAUSE_MS)
  }
}

const refuse = (call: CommitCall): void => call.reject(new Unavailable('the store is closed'))
