import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Report } from './storm.ts'
import { storm } from './storm.ts'
import { postgresSystem } from './postgres-system.ts'
import type { System } from './system.ts'
import { workerSystem } from './worker-system.ts'

const USAGE = `usage: npm run faults -- [--system lmdb|postgresql] [--seed N] [--minutes M] [-v]
                         [--clients C] [--workers W | --nodes N] [--restores]

Many clients use a server while its processes are killed at random in the middle of their writes; then everything that
the clients saw is checked: nothing acknowledged is lost, no name is held twice, no membership is half made, no revoked
token is accepted, and every read fits one order of all operations.
  --system   lmdb (workers under a supervisor, the default) or postgresql (nodes on one database)
  --seed     chooses what happens; random and printed when not given
  --minutes  how long (1); in runs of a minute, each on a new server
  --restores snapshots are taken and restored meanwhile: everything goes back, at one instant, to one instant
  -v         each fault as it strikes`

const options = {
  system: { type: 'string', default: 'lmdb' },
  nodes: { type: 'string', default: '3' },
  seed: { type: 'string' },
  minutes: { type: 'string', default: '1' },
  clients: { type: 'string', default: '12' },
  workers: { type: 'string', default: String(Math.max(2, availableParallelism())) },
  restores: { type: 'boolean', default: false },
  verbose: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const

const ROUND_MS = 60_000

const SYSTEMS: ReadonlyMap<
  string,
  (values: { readonly workers: string; readonly nodes: string }) => Promise<System>
> = new Map([
  ['lmdb', ({ workers }) => workerSystem(Number(workers))],
  ['postgresql', ({ nodes }) => postgresSystem(Number(nodes))],
])

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const printReport = (name: string, seed: number, report: Report): void => {
  const listed = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([what, count]) => `${what}: ${count}`).join(', ')
  print(
    `${name}, seed ${seed}: ${report.operations} operations on ${report.subjects} things; ` +
      `${listed(report.struck)} (${report.whileWriting} while something was written); ` +
      `${listed(report.counts)}; ${report.violations.length} violations`,
  )
  for (const violation of report.violations) print(`  ${violation}`)
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options })
  if (values.help === true) {
    print(USAGE)
    return 0
  }
  const make = SYSTEMS.get(values.system)
  if (make === undefined) throw new Error(`--system is ${[...SYSTEMS.keys()].join(' or ')}`)
  const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
  const whole = Number(values.minutes) * 60_000
  let violations = 0
  for (let round = 0; round * ROUND_MS < whole; round++) {
    const system = await make(values)
    try {
      const seed = first + round
      const report = await storm(system, {
        seed,
        ms: Math.min(ROUND_MS, whole - round * ROUND_MS),
        clients: Number(values.clients),
        restores: values.restores,
        ...(values.verbose === true ? { log: print } : {}),
      })
      printReport(system.name, seed, report)
      violations += report.violations.length
    } finally {
      await system.remove()
    }
  }
  return violations === 0 ? 0 : 1
}

process.exitCode = await main()
