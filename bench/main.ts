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
import { median, print, tableRow } from './figures.ts'

const USAGE = `usage: npm run bench -- [workload ...] [--clients 1,64] [--rounds 5] [--seconds 1] [--workers 1] [--profile <folder>]

Measures Signet on LMDB with a file audit device beside a bare node:http server that answers the same bytes.
Workloads: ${workloads.map(({ name }) => name).join(', ')} (all without a name)
  --workers  how many processes serve; 1,2 runs each workload with one and with two, in turn
  --profile  writes a .cpuprofile of the server for each workload (which slows it: compare nothing then)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clients: { type: 'string', default: '1,64' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
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

/** A Signet that is measured. */
interface Server {
  readonly workers: number
  readonly child: Child
  readonly data: Data
}

/** What a workload cost each server, and the bare one beside them, round by round. */
interface Costs {
  readonly servers: readonly Cost[][]
  readonly bare: Cost[]
}

const middle = (costs: readonly Cost[], of: (cost: Cost) => number): number => median(costs.map(of))

/** The servers and the bare one in turn, so that what else the machine does falls on all. */
const run = async (
  servers: readonly Server[],
  bare: Child,
  workload: Workload,
  clients: number,
): Promise<Costs> => {
  const asks = servers.map(({ data }) => workload.ask(data))
  await bare.answer(await answerTo(servers[0]!.child.port, asks[0]!(0)))
  const costs: Costs = { servers: servers.map(() => []), bare: [] }
  for (let round = 0; round <= Number(values.rounds); round++) {
    // The first round warms all of them up.
    const counts = round > 0
    for (const [at, { child }] of servers.entries()) {
      const logins =
        workload.passwordLogins === undefined
          ? undefined
          : drive({
              port: child.port,
              clients: workload.passwordLogins,
              ask: passwordLogin,
              seconds: Number(values.seconds),
            })
      const cost = await measure(child, asks[at]!, clients)
      await logins
      if (counts) costs.servers[at]!.push(cost)
    }
    const cost = await measure(bare, asks[0]!, clients)
    if (counts) costs.bare.push(cost)
  }
  return costs
}

const row = tableRow([34, 8, 8, 8, 10, 10, 8, 8, 12, 14, 10])

const start = async (folder: string, workers: number): Promise<Server> => {
  const child = await Child.start('signet-child.ts', [folder, String(workers)])
  const data = await makePeople(child.port)
  await makeEntities(child.port, 'other', 2_000)
  return { workers, child, data }
}

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
  const bare = await Child.start('bare-child.ts')
  const servers: Server[] = []
  try {
    for (const workers of values.workers.split(',').map(Number)) {
      servers.push(await start(join(folder, String(workers)), workers))
    }
    const [first] = servers
    print(
      row(
        '',
        'workers',
        'clients',
        'req/s',
        'p50 ms',
        'p99 ms',
        'CPU us',
        'bare us',
        'CPU / bare',
        'CPU / other',
        servers.length > 1 ? `x ${first!.workers}` : '',
      ),
    )
    const cpus = new Map<string, number>()
    for (const workload of chosen) {
      for (const clients of values.clients.split(',').map(Number)) {
        const file =
          values.profile && join(values.profile, `${workload.name}-${clients}.cpuprofile`)
        const costs = await first!.child.profiled(file, () => run(servers, bare, workload, clients))
        const bareCpu = middle(costs.bare, ({ cpuPerRequest }) => cpuPerRequest)
        for (const [index, { workers }] of servers.entries()) {
          const own = costs.servers[index]!
          const cpu = middle(own, ({ cpuPerRequest }) => cpuPerRequest)
          cpus.set(`${workload.name} ${clients} ${workers}`, cpu)
          const against = cpus.get(`${workload.against} ${clients} ${workers}`)
          // Round by round: they ran next to each other.
          const ratio = median(
            own.map((cost, at) => cost.cpuPerRequest / costs.bare[at]!.cpuPerRequest),
          )
          const times = median(
            own.map((cost, at) => cost.perSecond / costs.servers[0]![at]!.perSecond),
          )
          print(
            row(
              workload.title,
              String(workers),
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
              index === 0 ? '' : times.toFixed(2),
            ),
          )
        }
      }
    }
  } finally {
    await bare.stop()
    for (const { child } of servers) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
