import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import type { Answer } from './child.ts'
import { drive } from './drive.ts'
import type { Ask, Driven } from './drive.ts'
import type { Data } from './people.ts'
import { makeEntities, makePeople } from './people.ts'
import { passwordLogin, workloads } from './workloads.ts'
import type { Workload } from './workloads.ts'
import { median, print } from './figures.ts'

const USAGE = `usage: npm run bench -- [workload ...] [--clients 1,64] [--rounds 5] [--seconds 1] [--profile <folder>]

Measures Signet on LMDB with a file audit device beside a bare node:http server that answers the same bytes.
Workloads: ${workloads.map(({ name }) => name).join(', ')} (all without a name)
  --profile  writes a .cpuprofile of the server for each workload (which slows it: compare nothing then)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '1,64' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

/** What one server did under a load. */
interface Cost extends Driven {
  readonly cpuPerRequest: number
}

const measure = async (server: Child, ask: Ask, clients: number): Promise<Cost> => {
  const before = await server.report()
  const driven = await drive({
    port: server.port,
    clients,
    ask,
    seconds: Number(values.seconds),
  })
  const after = await server.report()
  if (driven.refused > 0) throw new Error(`${driven.refused} refused: ${driven.refusal}`)
  return {
    ...driven,
    cpuPerRequest: (after.cpuMicroseconds - before.cpuMicroseconds) / driven.requests,
  }
}

/** Headers that node:http adds by itself. */
const OWN_HEADERS = new Set(['date', 'connection', 'keep-alive', 'content-length'])

/** What Signet answers to the first request of a workload: status, headers and as many bytes. */
const answerTo = async (port: number, text: string): Promise<Answer> => {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const [method, target] = line.split(' ')
  const headers = Object.fromEntries(lines.map((header) => header.split(': ') as [string, string]))
  const response = await fetch(`http://127.0.0.1:${port}${target}`, {
    method: method!,
    headers,
    ...(body === '' ? {} : { body }),
  })
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => !OWN_HEADERS.has(name)).flat(),
    body: await response.text(),
  }
}

interface Line {
  readonly signet: readonly Cost[]
  readonly bare: readonly Cost[]
}

const middle = (costs: readonly Cost[], of: (cost: Cost) => number): number => median(costs.map(of))

/** Signet and the bare server in turn, so that what else the machine does falls on both. */
const run = async (
  signet: Child,
  bare: Child,
  data: Data,
  workload: Workload,
  clients: number,
): Promise<Line> => {
  const ask = workload.ask(data)
  await bare.answer(await answerTo(signet.port, ask(0)))
  const line = { signet: [] as Cost[], bare: [] as Cost[] }
  for (let round = 0; round <= Number(values.rounds); round++) {
    const logins =
      workload.passwordLogins === undefined
        ? undefined
        : drive({
            port: signet.port,
            clients: workload.passwordLogins,
            ask: passwordLogin,
            seconds: Number(values.seconds),
          })
    const own = await measure(signet, ask, clients)
    await logins
    const other = await measure(bare, ask, clients)
    // The first round warms both up.
    if (round === 0) continue
    line.signet.push(own)
    line.bare.push(other)
  }
  return line
}

const columns = [34, 8, 8, 10, 10, 8, 8, 12, 14] as const
const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, at) => (at === 0 ? cell.padEnd(columns[at]!) : cell.padStart(columns[at]!)))
    .join('')

const main = async (): Promise<void> => {
  if (values.help === true) {
    print(USAGE)
    return
  }
  const chosen = workloads.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  )
  const folder = mkdtempSync(join(tmpdir(), 'signet-bench-'))
  if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true })
  const signet = await Child.start('signet-child.ts', [folder])
  const bare = await Child.start('bare-child.ts')
  try {
    const data = await makePeople(signet.port)
    await makeEntities(signet.port, 'other', 2_000)
    print(
      row(
        '',
        'clients',
        'req/s',
        'p50 ms',
        'p99 ms',
        'CPU us',
        'bare us',
        'CPU / bare',
        'CPU / other',
      ),
    )
    const costs = new Map<string, number>()
    for (const workload of chosen) {
      for (const clients of values.clients.split(',').map(Number)) {
        const file =
          values.profile && join(values.profile, `${workload.name}-${clients}.cpuprofile`)
        const { signet: own, bare: other } = await signet.profiled(file, () =>
          run(signet, bare, data, workload, clients),
        )
        const cpu = middle(own, ({ cpuPerRequest }) => cpuPerRequest)
        const bareCpu = middle(other, ({ cpuPerRequest }) => cpuPerRequest)
        costs.set(`${workload.name} ${clients}`, cpu)
        const against = costs.get(`${workload.against} ${clients}`)
        // Round by round: the two ran next to each other.
        const ratio = median(own.map((cost, at) => cost.cpuPerRequest / other[at]!.cpuPerRequest))
        print(
          row(
            workload.title,
            String(clients),
            middle(own, ({ perSecond }) => perSecond).toFixed(0),
            middle(own, ({ p50Ms }) => p50Ms).toFixed(2),
            middle(own, ({ p99Ms }) => p99Ms).toFixed(2),
            cpu.toFixed(0),
            bareCpu.toFixed(0),
            // Password logins share the process: their CPU is in it.
            workload.passwordLogins === undefined ? ratio.toFixed(1) : '',
            against === undefined || workload.passwordLogins !== undefined
              ? ''
              : (cpu / against).toFixed(2),
          ),
        )
      }
    }
  } finally {
    await bare.stop()
    await signet.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
