import { createHash } from 'node:crypto'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import type { Tx } from '../../../engine/records.ts'
import { Refusal } from '../../../engine/refusal.ts'
import { limits } from '../../../limits.ts'
import { whenFree } from '../group-busy.ts'
import { Overlay } from './overlay.ts'
import type { Conflict, LineResult, Outcome } from './outcome.ts'
import { refused } from './outcome.ts'
import type { ReadyLine } from './portion.ts'
import { commitGroups, inOrder } from './portion.ts'
import type { Progress } from './progress.ts'
import { dropOldProgress, letterOf, notedResult, progressRef } from './progress.ts'
import { readLines } from './read-lines.ts'
import type { ImportCall, LineScope } from './scope.ts'
import { firstReads, takeIn } from './take-in.ts'
import { nextTurn } from '../../../std/next-turn.ts'

/** What became of a body: counts, each line by its number, and a digest of the body. */
export interface Imported {
  readonly lines: number
  readonly counts: Readonly<Record<LineResult, number>>
  readonly outcomes: ReadonlyMap<number, Outcome>
  /** `sha256:` and hexadecimal digits. */
  readonly digest: string
}

interface ImportOptions {
  readonly mounts: MountDirectory
  readonly conflict: Conflict
  /** Nothing is written: what would become of the lines. */
  readonly check: boolean
}

/**
 * Takes a body of lines in, or tells what would become of it: 2,000 lines at a time, sorted, at most 200 records a commit.
 * Throws a Refusal when a line is no JSON (nothing is imported then), or when the store is not there: what was done until
 * then stays, and the same body sent again goes on from there.
 */
export const importLines = async (
  call: ImportCall,
  body: Uint8Array,
  options: ImportOptions,
): Promise<Imported> => {
  const lines = readLines(body)
  const outcomes = new Map<number, Outcome>()
  const overlay = options.check ? new Overlay(call.records) : undefined
  if (overlay === undefined) await dropOldProgress(call.records, call.namespace.number, call.now)
  for (let at = 0; at < lines.length; at += limits.importPortion) {
    const portion = lines.slice(at, at + limits.importPortion)
    for (const { number, fault } of portion) if (fault !== undefined) outcomes.set(number, fault)
    const ready = inOrder(portion)
    if (overlay === undefined) await new Portion(call, options, ready, outcomes).run()
    else await checkPortion(call, options, ready, outcomes, overlay)
  }
  const counts = { created: 0, updated: 0, unchanged: 0, refused: 0 }
  for (const { result } of outcomes.values()) counts[result]++
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
  return { lines: lines.length, counts, outcomes, digest }
}

const checkPortion = async (
  call: ImportCall,
  { mounts, conflict }: ImportOptions,
  lines: readonly ReadyLine[],
  outcomes: Map<number, Outcome>,
  overlay: Overlay,
): Promise<void> => {
  for (const group of commitGroups(lines)) {
    const counted = new Set<string>()
    for (const { number, line } of group) {
      const scope = { call, mounts, conflict, newId: call.newId(), counted }
      outcomes.set(number, await whenFree(() => takeIn(overlay, scope, line)))
    }
    // Other requests go on meanwhile.
    await nextTurn()
  }
}

/** One portion on its way into the store. */
class Portion {
  readonly #call: ImportCall
  readonly #options: ImportOptions
  readonly #lines: readonly ReadyLine[]
  readonly #outcomes: Map<number, Outcome>
  readonly #index: ReadonlyMap<number, number>
  readonly #ref
  #before: Progress | undefined
  /** As in `Progress.done`. */
  #done: string[]
  #noted = false

  constructor(
    call: ImportCall,
    options: ImportOptions,
    lines: readonly ReadyLine[],
    outcomes: Map<number, Outcome>,
  ) {
    this.#call = call
    this.#options = options
    this.#lines = lines
    this.#outcomes = outcomes
    this.#index = new Map(lines.map(({ number }, index) => [number, index]))
    this.#ref = progressRef(call.namespace.number, [
      options.conflict,
      ...lines.map(({ line }) => line),
    ])
    this.#done = []
  }

  async run(): Promise<void> {
    this.#before = await this.#call.records.get(this.#ref)
    this.#noted = this.#before !== undefined
    this.#done = this.#lines.map((_, index) => this.#before?.done[index] ?? '.')
    const groups = commitGroups(this.#lines)
    for (const [index, group] of groups.entries()) {
      await this.#commit(group, index === groups.length - 1)
    }
    // Refusals alone wrote nothing that could have taken the note away.
    if (this.#noted) {
      await this.#call.records.transact(async (tx) => {
        tx.delete(this.#ref)
      })
    }
  }

  async #commit(group: readonly ReadyLine[], last: boolean): Promise<void> {
    let found: readonly Outcome[]
    try {
      // Where all members of one of the groups are just being written, after that.
      found = await whenFree(() => this.#attempt(group, last))
    } catch (error) {
      // More than a commit holds: the halves may fit.
      if (!(error instanceof Refusal) || error.kind !== 'invalid') throw error
      if (group.length > 1) {
        const half = group.length >> 1
        await this.#commit(group.slice(0, half), false)
        await this.#commit(group.slice(half), last)
        return
      }
      found = [refused(error.message)]
    }
    for (const [index, outcome] of found.entries()) {
      this.#outcomes.set(group[index]!.number, outcome)
    }
  }

  /** One commit: the rows of the lines, and the note of what became of them. */
  async #attempt(group: readonly ReadyLine[], last: boolean): Promise<readonly Outcome[]> {
    const { mounts, conflict } = this.#options
    const call = this.#call
    const newIds = group.map(() => call.newId())
    const { found, done, noted } = await call.records.transact(async (tx) => {
      const counted = new Set<string>()
      const scopes = newIds.map((newId): LineScope => ({ call, mounts, conflict, newId, counted }))
      await tx.getMany(group.flatMap(({ line }, index) => firstReads(scopes[index]!, line)))
      const outcomes: Outcome[] = []
      for (const [index, { line }] of group.entries()) {
        outcomes.push(await takeIn(tx, scopes[index]!, line))
      }
      return this.#note(tx, group, outcomes, last)
    })
    this.#done = done
    this.#noted = noted
    return found
  }

  #note(
    tx: Tx,
    group: readonly ReadyLine[],
    outcomes: readonly Outcome[],
    last: boolean,
  ): { readonly found: Outcome[]; readonly done: string[]; readonly noted: boolean } {
    const done = [...this.#done]
    const found = group.map(({ number }, index): Outcome => {
      const outcome = outcomes[index]!
      const at = this.#index.get(number)!
      // Here because an attempt that was broken off put it there.
      const noted = notedResult(this.#before, at)
      const isOurs = outcome.result === 'unchanged' && (noted === 'created' || noted === 'updated')
      const shown = isOurs ? { result: noted } : outcome
      done[at] = letterOf(shown.result)
      return shown
    })
    const writes = outcomes.some(({ result }) => result === 'created' || result === 'updated')
    if (!writes) return { found, done, noted: this.#noted }
    if (last) tx.delete(this.#ref)
    else tx.put(this.#ref, { done: done.join(''), at: this.#call.now })
    return { found, done, noted: !last }
  }
}
