import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import { drive, send } from './drive.ts'
import type { Driven } from './drive.ts'
import { median, print, tableRow } from './figures.ts'
import type { Data } from './people.ts'
import { makePeople } from './people.ts'
import { workloads } from './workloads.ts'

const USAGE = `usage: node bench/beside.ts --port <port> [workload ...] [--clients 32] [--rounds 5] [--seconds 2] [--workers 2]

Measures Signet beside another server that speaks Vault's API, in turn, with the same requests: at that port of this machine, unsealed,
with a root token whose id is "root" (vault token create -id=root). What it needs is made there: it is a server to throw away.
Signet runs on LMDB with a file audit device; give the other one a file audit device, too.
Workloads: ${workloads.map(({ name }) => name).join(', ')} (all without a name)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string' },
    clients: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    workers: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h' },
  },
})

/** A server with the data of the workloads. */
interface Server {
  readonly port: number
  readonly data: Data
}

/** KV version 2 at `secret/`, where development servers have it. */
const ensureSecrets = async (port: number): Promise<void> => {
  const mounts = (await send(port, 'GET', 'sys/mounts')) as Readonly<Record<string, unknown>>
  if (mounts['secret/'] !== undefined) return
  await send(port, 'POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } })
}

const row = tableRow([34, 10, 10, 10, 10, 10, 10, 10])

const compare = async (own: Server, other: Server): Promise<void> => {
  print(row('', 'req/s', 'other', 'times', 'p50 ms', 'other', 'p99 ms', 'other'))
  const clients = Number(values.clients)
  const seconds = Number(values.seconds)
  for (const { name, title, ask, passwordLogins } of workloads) {
    const chosen =
      positionals.length === 0 ? passwordLogins === undefined : positionals.includes(name)
    if (!chosen) continue
    const driven: [Driven[], Driven[]] = [[], []]
    // The first round warms both up.
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [at, { port, data }] of [own, other].entries()) {
        const one = await drive({ port, clients, seconds, ask: ask(data) })
        if (one.refused > 0) throw new Error(`${one.refused} refused: ${one.refusal}`)
        if (round > 0) driven[at]!.push(one)
      }
    }
    const middle = (at: 0 | 1, of: (one: Driven) => number): number => median(driven[at].map(of))
    const times = median(
      driven[0].map(({ perSecond }, round) => perSecond / driven[1][round]!.perSecond),
    )
    print(
      row(
        title,
        middle(0, ({ perSecond }) => perSecond).toFixed(0),
        middle(1, ({ perSecond }) => perSecond).toFixed(0),
        times.toFixed(1),
        middle(0, ({ p50Ms }) => p50Ms).toFixed(2),
        middle(1, ({ p50Ms }) => p50Ms).toFixed(2),
        middle(0, ({ p99Ms }) => p99Ms).toFixed(2),
        middle(1, ({ p99Ms }) => p99Ms).toFixed(2),
      ),
    )
  }
}

const main = async (): Promise<void> => {
  if (values.help === true || values.port === undefined) {
    print(USAGE)
    process.exitCode = values.help === true ? 0 : 1
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'signet-bench-'))
  const child = await Child.start('signet-child.ts', [folder, values.workers])
  try {
    const port = Number(values.port)
    await ensureSecrets(port)
    await compare(
      { port: child.port, data: await makePeople(child.port) },
      { port, data: await makePeople(port) },
    )
  } finally {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
