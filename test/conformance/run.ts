import { parseArgs } from 'node:util'
import { startTestServer } from '../support/server.ts'
import { loadCases } from './case.ts'
import { judge, loadExpectations, saveNotYet, shrink, summary } from './expectations.ts'
import { saveReadmeClaim } from './readme.ts'
import type { StepResult } from './replay.ts'
import { replayAll } from './suite.ts'

const USAGE = `usage: node test/conformance/run.ts [filter ...] [-v] [-l] [--workers N] [--update | --init]

Replays the recorded cases whose name contains a filter (all without one) against Signet.
  -v        each differing step, with what was wanted and what came
  -l        the server's log on standard error
  --workers answers by N processes, and a connection for each request
  --update  take steps that are identical now off not-yet.json; a whole run also counts for the README
  --init    write not-yet.json anew from all that differs (whole run only)`

const options = {
  verbose: { type: 'boolean', short: 'v' },
  log: { type: 'boolean', short: 'l' },
  workers: { type: 'string' },
  update: { type: 'boolean' },
  init: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const printStep = ({ index, step, answer, differences }: StepResult): void => {
  print(`  ${index} ${step.method} ${step.path}${step.note === undefined ? '' : ` (${step.note})`}`)
  // With another status all of the body differs: shown whole, once.
  if (answer.status !== step.answer.status) {
    print(`        want ${step.answer.status} ${JSON.stringify(step.answer.body)}`)
    print(`        got  ${answer.status} ${JSON.stringify(answer.body)}`)
    return
  }
  for (const { where, want, got } of differences) {
    print(`      ${where === '' ? 'body' : where}`)
    print(`        want ${JSON.stringify(want)}`)
    print(`        got  ${JSON.stringify(got)}`)
  }
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help || (values.init && positionals.length > 0)) {
    print(USAGE)
    return values.help ? 0 : 2
  }
  const cases = await loadCases(positionals)
  const log = (line: string): void => void process.stderr.write(`${line}\n`)
  const workers = Number(values.workers ?? 1)
  const results = await replayAll(
    cases,
    () => startTestServer({ workers, ...(values.log ? { log } : {}) }),
    workers === 1 ? undefined : 3,
  )
  const expected = loadExpectations()

  for (const { name, steps } of results) {
    const judged = steps.filter(({ step }) => step.exempt === undefined)
    const differing = judged.filter(({ differences }) => differences.length > 0)
    const identical = judged.length - differing.length
    print(`${differing.length === 0 ? 'ok  ' : 'diff'} ${name} ${identical}/${judged.length}`)
    if (values.verbose) for (const each of differing) printStep(each)
  }

  const verdict = judge(results, expected)
  if ((values.init || values.update) && positionals.length === 0) saveReadmeClaim(verdict)
  if (values.init) saveNotYet(judge(results, { ...expected, notYet: new Map() }).unexpected)
  else if (values.update) saveNotYet(shrink(expected.notYet, verdict.outdated))
  print(summary(results.length, verdict))
  return verdict.unexpected.size === 0 ? 0 : 1
}

process.exitCode = await main()
