import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import { drive, requestText } from './drive.ts'
import type { Ask } from './drive.ts'
import { makeEntities } from './people.ts'

const USAGE = `usage: node bench/scale.ts [--few 2000] [--many 200000] [--rounds 9] [--requests 300]

What entities cost when there are many of them, against few: creating and reading one, memory, and a restart.`

const { values } = parseArgs({
  options: {
    few: { type: 'string', default: '2000' },
    many: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '300' },
    help: { type: 'boolean', short: 'h' },
  },
})

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

/** A server with so many entities in a folder of its own. */
interface Filled {
  readonly folder: string
  readonly server: Child
}

const fill = async (entities: number): Promise<Filled> => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-scale-'))
  const server = await Child.start('signet-child.ts', [folder])
  const began = performance.now()
  await makeEntities(server.port, 'e', entities)
  const seconds = (performance.now() - began) / 1_000
  print(`${entities} entities made in ${seconds.toFixed(0)} s, 64 clients`)
  return { folder, server }
}

/** CPU of the server for one request, microseconds. */
const cpuOf = async (server: Child, clients: number, ask: Ask): Promise<number> => {
  const before = await server.report()
  const { refusal, refused, requests } = await drive({
    port: server.port,
    clients,
    ask,
    requests: Number(values.requests) * (clients === 1 ? 1 : 10),
  })
  if (refused > 0) throw new Error(`${refused} refused: ${refusal}`)
  const after = await server.report()
  return (after.cpuMicroseconds - before.cpuMicroseconds) / requests
}

let made = 0

const create: Ask = () => requestText('POST', 'identity/entity', 'root', { name: `s-${++made}` })

/** Entities drawn uniformly, as a cache likes it least. */
const readAny =
  (entities: number): Ask =>
  () =>
    requestText('GET', `identity/entity/name/e-${Math.floor(Math.random() * entities)}`, 'root')

/** Prints the cost on both servers, in turn, so that what else the machine does falls on both. */
const compare = async (
  title: string,
  clients: number,
  few: readonly [Child, Ask],
  many: readonly [Child, Ask],
): Promise<void> => {
  const costs: (readonly [few: number, many: number])[] = []
  for (let round = 0; round <= Number(values.rounds); round++) {
    const pair = [await cpuOf(few[0], clients, few[1]), await cpuOf(many[0], clients, many[1])]
    // The first round warms both up.
    if (round > 0) costs.push(pair as [number, number])
  }
  print(
    `${title.padEnd(20)} ${String(clients).padStart(2)} client(s): ` +
      `${median(costs.map(([cpu]) => cpu)).toFixed(0)} us CPU, with many ${median(costs.map(([, cpu]) => cpu)).toFixed(0)} us: ` +
      `ratio ${median(costs.map(([a, b]) => b / a)).toFixed(2)}`,
  )
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

const printMemory = async (title: string, server: Child): Promise<void> => {
  const { anonymousBytes, privateBytes } = await server.memory()
  print(
    `${title}: ${megabytes(anonymousBytes)} resident without a file behind it (${megabytes(privateBytes)} private in all)`,
  )
}

/** How long a start on each folder takes until requests are taken and identity answers, in turn; ms. */
const printRestarts = async (few: string, many: string): Promise<void> => {
  const times: { readonly few: number[]; readonly many: number[] } = { few: [], many: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [kind, folder] of [
      ['few', few],
      ['many', many],
    ] as const) {
      const began = performance.now()
      const server = await Child.start('signet-child.ts', [folder])
      await drive({
        port: server.port,
        clients: 1,
        requests: 1,
        ask: () => requestText('GET', 'identity/entity/name/e-1', 'root'),
      })
      times[kind].push(performance.now() - began)
      if (round === 0 && kind === 'many') await printMemory('memory just after a restart', server)
      await server.stop()
    }
  }
  print(
    `restart until an entity is answered: ${median(times.few).toFixed(0)} ms with few entities, ` +
      `${median(times.many).toFixed(0)} ms with many`,
  )
}

const main = async (): Promise<void> => {
  if (values.help === true) {
    print(USAGE)
    return
  }
  const entities = { few: Number(values.few), many: Number(values.many) }
  const few = await fill(entities.few)
  const many = await fill(entities.many)
  await printMemory(`memory after making ${entities.many}`, many.server)
  for (const clients of [1, 64]) {
    await compare('entity creation', clients, [few.server, create], [many.server, create])
    await compare(
      'entity read by name',
      clients,
      [few.server, readAny(entities.few)],
      [many.server, readAny(entities.many)],
    )
  }
  await printMemory(`memory after reads all over ${entities.many}`, many.server)
  await few.server.stop()
  await many.server.stop()
  await printRestarts(few.folder, many.folder)
  for (const folder of [few.folder, many.folder]) rmSync(folder, { recursive: true, force: true })
}

await main()
