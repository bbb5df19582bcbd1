import type { DeadlineWatch } from '../deadline-watch.ts'
import type { Deadline } from '../store.ts'
import { Unavailable, Unknown } from '../store.ts'

/** One call of the store on its way: waiting to be sent, perhaps again, or sent. */
export class Call<Question, Result> {
  readonly question: Question
  readonly deadline: Deadline
  readonly answer: Promise<Result>
  /** True from sending until it is certain that nothing happened. */
  sent = false
  #over = false
  #resolve!: (result: Result) => void
  #reject!: (error: Error) => void

  constructor(question: Question, deadline: Deadline) {
    this.question = question
    this.deadline = deadline
    this.answer = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Answered, refused or given up: nobody waits for it any more. */
  get over(): boolean {
    return this.#over
  }

  resolve(result: Result): void {
    this.#over = true
    this.#resolve(result)
  }

  reject(error: Error): void {
    this.#over = true
    this.#reject(error)
  }
}

/** What the wait for a call needs to know. */
export interface WaitPorts {
  readonly watch: DeadlineWatch
  /** How long a call may wait before it is sent, in ms. */
  readonly waitMs: number
  /** Why it waits, for the message. */
  readonly reason: () => string
  /** Whether a call that was sent may have changed something. */
  readonly changes: boolean
}

const PATIENCE = new Error('not sent yet')

/** The end of a call, or Unavailable or Unknown when it takes too long. */
export const within = async <Question, Result>(
  call: Call<Question, Result>,
  { watch, waitMs, reason, changes }: WaitPorts,
): Promise<Result> => {
  const giveUp = (): Error => {
    const error =
      call.sent && changes
        ? new Unknown(`PostgreSQL did not say in time whether it committed: ${reason()}`)
        : new Unavailable(`PostgreSQL did not answer in time: ${reason()}`)
    call.reject(error)
    return error
  }
  const patience = performance.now() + waitMs
  if (patience >= call.deadline) return watch.within(call.answer, call.deadline, giveUp)
  try {
    return await watch.within(call.answer, patience, () => PATIENCE)
  } catch (error) {
    if (error !== PATIENCE) throw error
    if (!call.sent) throw giveUp()
    return await watch.within(call.answer, call.deadline, giveUp)
  }
}
