import { startPostgres } from './support/postgres.ts'
import { startTestServer } from './support/server.ts'
import { loadCases } from './conformance/case.ts'
import { replayAll } from './conformance/suite.ts'
const pg = await startPostgres()
let n = 0
const run = async (postgres: boolean) => {
  const began = performance.now()
  const results = await replayAll(await loadCases(process.argv.slice(2)), () => startTestServer(postgres ? { configure: (c) => ({ ...c, storage: { kind: 'postgresql', connectionUrl: pg.url, schema: `s${n++}`, processes: 1 } }) } : {}))
  const bad = new Set<string>()
  let all = 0
  for (const { name, steps } of results) for (const s of steps) { if (s.step.exempt !== undefined) continue; all++; if (s.differences.length) { bad.add(name + ' ' + s.index); if (postgres && process.env.V) console.log(name, s.index, s.step.method, s.step.path, s.step.answer.status, s.answer.status, JSON.stringify(s.differences).slice(0, 400)) } }
  console.log(postgres ? 'pg' : 'mem', all, 'differ', bad.size, Math.round(performance.now() - began), 'ms')
  return bad
}
const pgBad = await run(true)
const memBad = await run(false)
console.log('only pg:', [...pgBad].filter((x) => !memBad.has(x)))
console.log('only mem:', [...memBad].filter((x) => !pgBad.has(x)))
await pg.stop()
