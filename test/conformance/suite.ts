import { setTimeout as wait } from 'node:timers/promises'
import type { Case } from './case.ts'
import { replay } from './replay.ts'
import type { CaseServer, StepResult } from './replay.ts'

/** How a case went. */
export type CaseResult = {
  readonly name: string
  readonly steps: readonly StepResult[]
}

/** Cases in work at once unless told otherwise: enough that one hashes passwords while others talk. */
const SIDE_BY_SIDE = 8

/**
 * Replays all cases, each against a server of its own, side by side. Cases that sleep count seconds, so they come
 * after all others and one at a time: only while one sleeps does the next take its turn. Results are in the order given.
 * `sideBySide`: fewer where a server is several processes.
 */
export const replayAll = async (
  cases: readonly Case[],
  start: () => Promise<CaseServer>,
  sideBySide = SIDE_BY_SIDE,
): Promise<readonly CaseResult[]> => {
  const results = new Map<string, CaseResult>()
  const run = async (each: Case, sleep?: (seconds: number) => Promise<void>): Promise<void> => {
    const options = sleep === undefined ? { start } : { start, sleep }
    const steps = await replay(each, options).catch((error: unknown) => unanswered(each, error))
    results.set(each.name, { name: each.name, steps })
  }
  const waking = cases.filter((each) => !sleeps(each))
  const workers = Array.from({ length: sideBySide }, async () => {
    for (let each = waking.shift(); each !== undefined; each = waking.shift()) await run(each)
  })
  await Promise.all(workers)

  const turn = new Turn()
  await Promise.all(
    cases.filter(sleeps).map(async (each) => {
      await turn.take()
      const sleep = async (seconds: number): Promise<void> => {
        turn.leave()
        await wait(seconds * 1_000)
        await turn.takeFirst()
      }
      await run(each, sleep)
      turn.leave()
    }),
  )
  return cases.flatMap(({ name }) => results.get(name) ?? [])
}

/** A server that does not start, or does not stop, has answered nothing. */
const unanswered = ({ steps }: Case, error: unknown): readonly StepResult[] =>
  steps.map((step, index) => ({
    index,
    step,
    answer: { status: 0, type: '', body: String(error) },
    differences: [{ where: 'server', want: 'an answer', got: String(error) }],
  }))

const sleeps = ({ steps }: Case): boolean => steps.some(({ sleep }) => sleep !== undefined)

/** What only one can have; who has slept goes before who has not begun. */
class Turn {
  #taken = false
  readonly #waiting: (() => void)[] = []

  take(): Promise<void> {
    return this.#take((go) => this.#waiting.push(go))
  }

  takeFirst(): Promise<void> {
    return this.#take((go) => this.#waiting.unshift(go))
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken = false
    else next()
  }

  async #take(queue: (go: () => void) => void): Promise<void> {
    if (this.#taken) await new Promise<void>(queue)
    else this.#taken = true
  }
}

/**
 * Replays cases again, one after the other with nothing beside them, and puts the new results in the places of the old. For
 * cases that differed and shall not have: where a recorded answer counts seconds, a machine that does other work is late.
 */
export const replayAlone = async (
  results: readonly CaseResult[],
  cases: readonly Case[],
  start: () => Promise<CaseServer>,
): Promise<readonly CaseResult[]> => {
  const again = new Map<string, CaseResult>()
  for (const each of cases) {
    const [result] = await replayAll([each], start, 1)
    again.set(each.name, result!)
  }
  return results.map((result) => again.get(result.name) ?? result)
}
