import { setTimeout as wait } from 'node:timers/promises'
import type { Question, Told } from '../support/ask.ts'
import { ask } from '../support/ask.ts'
import type { Random } from './random.ts'
import type { System } from './system.ts'

/** What became of a request. `nothing`: certainly nothing happened. `unknown`: it may have happened, or happen yet. */
export type Sent =
  | { readonly kind: 'answer'; readonly told: Told }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' }

const REFUSED_PAUSE_MS = 20
const LEAST_PLACES = 3

/** Counts what all clients did; shared by them. */
export class Tally {
  readonly counts = new Map<string, number>()
  /** Answers that no fault excuses. */
  readonly strange: string[] = []
  /** Requests that change something, sent and not answered yet. */
  writing = 0

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}

/** Asks a system as one of its clients: over a connection for each request, of any of its URLs. */
export class Client {
  readonly random: Random
  readonly #system: System
  readonly #tally: Tally

  constructor(system: System, random: Random, tally: Tally) {
    this.#system = system
    this.random = random
    this.#tally = tally
  }

  /** How many places `at` tells apart: the URLs, and a few connections where there is one for all processes. */
  get places(): number {
    return Math.max(LEAST_PLACES, this.#system.urls().length)
  }

  /** Counts something beside the answers. */
  note(what: string): void {
    this.#tally.add(what)
  }

  /**
   * Sends a request once. `expected`: the statuses that are answers; 503 is none, all others are noted as strange. `at`:
   * which place to ask, any unless given.
   */
  async send(question: Question, expected: readonly number[], at?: number): Promise<Sent> {
    const urls = this.#system.urls()
    const url = at === undefined ? this.random.of(urls) : urls[at % urls.length]!
    const writes = question.body !== undefined || question.method === 'DELETE'
    if (writes) this.#tally.writing++
    try {
      const told = await ask(url, {
        token: this.#system.rootToken(),
        ...question,
      })
      return await this.#judge(question, told, expected)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      this.#tally.add(code ?? String(error))
      if (code === 'ECONNREFUSED') {
        await wait(REFUSED_PAUSE_MS)
        return { kind: 'nothing' }
      }
      return { kind: 'unknown' }
    } finally {
      if (writes) this.#tally.writing--
    }
  }

  async #judge(question: Question, told: Told, expected: readonly number[]): Promise<Sent> {
    const { status, body } = told
    if (expected.includes(status)) {
      this.#tally.add('answered')
      return { kind: 'answer', told }
    }
    this.#tally.add(`status ${status}`)
    const said = JSON.stringify(body)
    if (status === 503) {
      await wait(REFUSED_PAUSE_MS)
      const harmless = said.includes('is sealed') || said.includes('nothing was changed')
      return { kind: harmless ? 'nothing' : 'unknown' }
    }
    this.#tally.strange.push(
      `${question.method ?? ''} ${question.path} ${JSON.stringify(question.body)}: ${status} ${said}`,
    )
    return { kind: 'unknown' }
  }

  /** Sends a request that may be repeated until it is answered. Throws when that takes half a minute. */
  async insist(question: Question, expected: readonly number[]): Promise<Told> {
    const until = performance.now() + 30_000
    for (;;) {
      const sent = await this.send(question, expected)
      if (sent.kind === 'answer') return sent.told
      if (performance.now() > until) throw new Error(`no answer to ${question.path}`)
      await wait(REFUSED_PAUSE_MS)
    }
  }
}
