import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { startTestServer } from '../support/server.ts'
import { loadCases } from './case.ts'
import { describeSteps, judge, loadExpectations, summary } from './expectations.ts'
import { measuredClaim, readmeClaim } from './readme.ts'
import { replayAll, replayAlone } from './suite.ts'

describe('the recorded answers of OpenBao 2.6.2', () => {
  it('come back identical, save the steps on the two lists', async (context) => {
    const cases = await loadCases()
    const start = () => startTestServer()
    const first = await replayAll(cases, start)
    const late = judge(first, loadExpectations()).unexpected
    if (late.size > 0) context.diagnostic(`replayed again, alone: ${[...late.keys()].join(', ')}`)
    const results = await replayAlone(
      first,
      cases.filter(({ name }) => late.has(name)),
      start,
    )
    const verdict = judge(results, loadExpectations())
    context.diagnostic(summary(results.length, verdict))
    assert.equal(
      describeSteps(verdict.unexpected),
      '',
      'differ, and are not expected to; see them with: node test/conformance/run.ts <case> -v',
    )
    assert.equal(
      describeSteps(verdict.outdated),
      '',
      'are identical now; take them off not-yet.json with: node test/conformance/run.ts --update ' +
        '(off differences.json and docs/compatibility.md by hand)',
    )
    assert.equal(
      readmeClaim(),
      measuredClaim(verdict),
      'the README says another count; bring it up to date with: node test/conformance/run.ts --update',
    )
  })

  it('lists only steps that exist, and none twice', async () => {
    const { notYet, documented } = loadExpectations()
    const steps = new Map((await loadCases()).map((each) => [each.name, each.steps]))
    const listed = [
      ...[...notYet].flatMap(([name, numbers]) => numbers.map((index) => [name, index] as const)),
      ...documented.flatMap((each) => each.steps.map((index) => [each.case, index] as const)),
    ]
    for (const [name, index] of listed)
      assert.equal(steps.get(name)?.[index]?.exempt, undefined, `${name} ${index} is not judged`)
    for (const [name, index] of listed)
      assert.ok(steps.get(name)?.[index], `${name} has no step ${index}`)
    const names = listed.map((each) => each.join(' '))
    assert.equal(new Set(names).size, names.length, 'a step is listed twice')
  })

  it('has every documented difference, and every exempt step, in docs/compatibility.md', async () => {
    const page = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('|'))
    const exempt = (await loadCases()).flatMap(({ name, steps }) =>
      steps.flatMap((step, index) =>
        step.exempt === undefined ? [] : [{ case: name, steps: [index] }],
      ),
    )
    for (const each of [...loadExpectations().documented, ...exempt]) {
      const start = `| \`${each.case}\` | ${each.steps.join(', ')} |`
      assert.ok(
        rows.some((row) => row.startsWith(start)),
        `no row of docs/compatibility.md begins with ${start}`,
      )
    }
  })
})
