import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CaseResult } from './suite.ts'

/** Step numbers by case. */
export type StepList = ReadonlyMap<string, readonly number[]>

/** A difference that serves users: it stays, and stands in docs/compatibility.md. */
export type DocumentedDifference = {
  readonly case: string
  readonly steps: readonly number[]
  readonly reason: string
}

/** What is expected of the replay. */
export type Expectations = {
  /** Steps that are to become identical. Only ever shrinks. */
  readonly notYet: StepList
  readonly documented: readonly DocumentedDifference[]
}

/** The replay, counted and held against what was expected. */
export type Verdict = {
  readonly total: number
  readonly identical: number
  /** Not judged: the recording is not wanted there. */
  readonly exempt: number
  readonly documented: number
  readonly notYet: number
  /** Different, and on neither list. */
  readonly unexpected: StepList
  /** On a list, and identical: to be taken off. */
  readonly outdated: StepList
}

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const NOT_YET = fileOf('not-yet.json')
const DIFFERENCES = fileOf('differences.json')

/** The two lists beside this file. */
export const loadExpectations = (): Expectations => ({
  notYet: existsSync(NOT_YET)
    ? new Map(Object.entries(JSON.parse(readFileSync(NOT_YET, 'utf8')) as Record<string, number[]>))
    : new Map(),
  documented: JSON.parse(readFileSync(DIFFERENCES, 'utf8')) as DocumentedDifference[],
})

/** Writes not-yet.json: one line a case. */
export const saveNotYet = (list: StepList): void => {
  const lines = [...list]
    .filter(([, steps]) => steps.length > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, steps]) => `  ${JSON.stringify(name)}: [${steps.join(', ')}]`)
  writeFileSync(NOT_YET, lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`)
}

/** Holds results, of all cases or some, against the lists. */
export const judge = (results: readonly CaseResult[], expected: Expectations): Verdict => {
  const count = { total: 0, identical: 0, exempt: 0, documented: 0, notYet: 0 }
  const unexpected = new Map<string, number[]>()
  const outdated = new Map<string, number[]>()
  for (const { name, steps } of results) {
    const notYet = new Set(expected.notYet.get(name))
    const documented = new Set(
      expected.documented.flatMap((each) => (each.case === name ? each.steps : [])),
    )
    const note = (list: Map<string, number[]>, index: number): void => {
      list.set(name, [...(list.get(name) ?? []), index])
    }
    for (const { index, step, differences } of steps) {
      count.total++
      if (step.exempt !== undefined) count.exempt++
      else if (differences.length === 0) {
        count.identical++
        if (notYet.has(index) || documented.has(index)) note(outdated, index)
      } else if (documented.has(index)) count.documented++
      else if (notYet.has(index)) count.notYet++
      else note(unexpected, index)
    }
  }
  return { ...count, unexpected, outdated }
}

/** The list without the steps that are identical by now; cases that were not replayed stay as they are. */
export const shrink = (list: StepList, outdated: StepList): StepList =>
  new Map(
    [...list].map(([name, steps]) => {
      const identical = new Set(outdated.get(name))
      return [name, steps.filter((index) => !identical.has(index))]
    }),
  )

/** One line: what was counted. */
export const summary = (cases: number, verdict: Verdict): string => {
  const unexpected = [...verdict.unexpected.values()].flat().length
  return (
    `${cases} cases, ${verdict.total} steps: ${verdict.identical} identical, ` +
    `${verdict.documented} documented differences, ${verdict.exempt} exempt, ` +
    `${verdict.notYet} not yet, ${unexpected} unexpected`
  )
}

/** `identity/group-create 3, 4` a case, for messages. */
export const describeSteps = (list: StepList): string =>
  [...list].map(([name, steps]) => `  ${name} ${steps.join(', ')}`).join('\n')
