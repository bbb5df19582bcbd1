import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import { drive, requestText, send } from './drive.ts'
import type { Ask } from './drive.ts'
import { median, print } from './figures.ts'
import { enableJwt, importBody, issuerOf } from './scale/load.ts'
import { signer } from './scale/site.ts'

const USAGE = `usage: node bench/aliases.ts [--sizes 10,1000,9900] [--rounds 9] [--requests 100] [--folder <folder>]

What requests cost by how many aliases an entity has: one entity of each size, measured in turn on one server. Then, of the
largest, what is allowed to cost more: a read of the entity, and its deletion.
  --requests  requests of a round, and so many mounts more than aliases: at most 10,000 aliases an entity in all
  --folder    keeps the mounts and entities for the next run`

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10,1000,9900' },
    rounds: { type: 'string', default: '9' },
    requests: { type: 'string', default: '100' },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

const sizes = values.sizes.split(',').map(Number)
const rounds = Number(values.rounds)
const requests = Number(values.requests)
const mountCount = Math.max(...sizes) + requests

const mountName = (i: number): string => `m-${i}`
const nameOf = (size: number, i: number): string => `s${size}-${i}`

interface People {
  readonly server: Child
  readonly accessors: readonly string[]
  /** Of each size, its id. */
  readonly entities: ReadonlyMap<number, string>
  readonly jwtOf: (subject: string) => string
}

/** Requests of one kind for the entity of a size. */
interface Operation {
  readonly title: string
  /** How many times as many of them are sent: of cheap ones a round would be too short. */
  readonly times?: number
  readonly ask: (size: number) => Ask
  readonly answered?: (size: number, body: string) => void
}

const enableMounts = async (port: number, folder: string): Promise<void> => {
  const issuer = issuerOf(folder)
  const began = performance.now()
  for (let i = 0; i < mountCount; i++) {
    if (sizes.includes(i + 1)) await enableJwt(port, mountName(i), issuer)
    else await send(port, 'POST', `sys/auth/${mountName(i)}`, { type: 'jwt' })
  }
  print(
    `${mountCount} auth mounts enabled in ${((performance.now() - began) / 1_000).toFixed(0)} s`,
  )
}

const makePeople = async (port: number): Promise<void> => {
  for (const size of sizes) {
    const began = performance.now()
    const lines: object[] = [{ type: 'entity', name: `person-${size}` }]
    for (let i = 0; i < size; i++) {
      const mount = `auth/${mountName(i)}/`
      const person = { type: 'entity-alias', entity_name: `person-${size}` }
      lines.push({ ...person, name: nameOf(size, i), mount_path: mount })
    }
    await importBody(port, lines.map((line) => JSON.stringify(line)).join('\n'))
    print(`${size} aliases imported in ${(performance.now() - began).toFixed(0)} ms`)
  }
}

const openPeople = async (server: Child, folder: string): Promise<People> => {
  const { data } = (await send(server.port, 'GET', 'sys/auth')) as {
    readonly data: Readonly<Record<string, { readonly accessor: string }>>
  }
  const accessors = Array.from({ length: mountCount }, (_, i) => data[`${mountName(i)}/`]!.accessor)
  const entities = new Map<number, string>()
  for (const size of sizes) {
    const answer = (await send(server.port, 'GET', `identity/entity/name/person-${size}`)) as {
      readonly data: { readonly id: string }
    }
    entities.set(size, answer.data.id)
  }
  return { server, accessors, entities, jwtOf: signer(issuerOf(folder)) }
}

const operationsOn = (people: People): readonly Operation[] => {
  const { accessors, entities, jwtOf } = people
  const made = new Map<number, string[]>(sizes.map((size) => [size, []]))
  const last = new Map<number, string>()
  return [
    {
      title: 'login by the last alias',
      ask: (size) => () =>
        requestText('POST', `auth/${mountName(size - 1)}/login`, undefined, {
          role: 'people',
          jwt: jwtOf(nameOf(size, size - 1)),
        }),
    },
    {
      title: 'add an alias',
      ask: (size) => (count) =>
        requestText('POST', 'identity/entity-alias', 'root', {
          name: `new-${size}`,
          mount_accessor: accessors[size + count]!,
          canonical_id: entities.get(size)!,
        }),
      answered: (size, body) => {
        const { data } = JSON.parse(body) as { readonly data: { readonly id: string } }
        made.get(size)!.push(data.id)
        last.set(size, data.id)
      },
    },
    {
      title: 'read an alias by id',
      times: 10,
      ask: (size) => () =>
        requestText('GET', `identity/entity-alias/id/${last.get(size)!}`, 'root'),
    },
    {
      title: 'rename an alias',
      ask: (size) => (count) =>
        requestText('POST', `identity/entity-alias/id/${made.get(size)![count]!}`, 'root', {
          name: `renamed-${size}-${count}`,
        }),
    },
    {
      title: 'delete an alias',
      ask: (size) => () =>
        requestText('DELETE', `identity/entity-alias/id/${made.get(size)!.pop()!}`, 'root'),
    },
    {
      title: 'update the entity',
      ask: (size) => (count) =>
        requestText('POST', `identity/entity/id/${entities.get(size)!}`, 'root', {
          metadata: { n: String(count) },
        }),
    },
  ]
}

/** CPU of a request in microseconds. */
const cost = async (people: People, operation: Operation, size: number): Promise<number> => {
  const { server } = people
  const count = requests * (operation.times ?? 1)
  const before = (await server.report()).cpuMicroseconds
  const driven = await drive({
    port: server.port,
    clients: 1,
    requests: count,
    ask: operation.ask(size),
    answered: (body) => operation.answered?.(size, body),
  })
  if (driven.refused > 0) throw new Error(`${operation.title}: ${driven.refusal}`)
  return ((await server.report()).cpuMicroseconds - before) / count
}

const printRequests = async (people: People): Promise<void> => {
  const operations = operationsOn(people)
  const costs = new Map<string, number>()
  const all = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const operation of operations) {
      // Each is the first in turn, so that none always pays for what the one before left.
      for (const [index] of sizes.entries()) {
        const size = sizes[(index + round) % sizes.length]!
        const one = await cost(people, operation, size)
        const key = `${operation.title} ${size}`
        // The first round warms up.
        if (round > 0) all.set(key, [...(all.get(key) ?? []), one])
      }
    }
  }
  for (const [key, some] of all) costs.set(key, median(some))
  print(`CPU us a request, and against ${sizes[0]} aliases`)
  for (const { title } of operations) {
    const row = sizes.map((size) => {
      const own = costs.get(`${title} ${size}`)!
      return `${size}: ${own.toFixed(0)} (${(own / costs.get(`${title} ${sizes[0]}`)!).toFixed(2)})`
    })
    print(`  ${title.padEnd(26)} ${row.join('   ')}`)
  }
}

const timed = async (people: People, title: string, run: () => Promise<unknown>): Promise<void> => {
  await people.server.delay()
  const { cpuMicroseconds } = await people.server.report()
  const began = performance.now()
  await run()
  const ms = performance.now() - began
  const cpu = ((await people.server.report()).cpuMicroseconds - cpuMicroseconds) / 1_000
  const { maxMs } = await people.server.delay()
  print(
    `  ${title}: ${ms.toFixed(0)} ms, CPU ${cpu.toFixed(0)} ms, event loop late by at most ${maxMs.toFixed(0)} ms`,
  )
}

const printWhole = async (people: People): Promise<void> => {
  const { port } = people.server
  for (const size of sizes) {
    const path = `identity/entity/id/${people.entities.get(size)!}`
    print(`the whole entity with ${size} aliases`)
    await timed(people, 'first read', () => send(port, 'GET', path))
    await timed(people, 'second read', () => send(port, 'GET', path))
    if (values.folder === undefined) {
      await timed(people, 'deletion', () => send(port, 'DELETE', path))
    }
  }
}

if (values.help === true) {
  print(USAGE)
} else {
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'signet-aliases-'))
  const done = join(folder, 'loaded')
  const isLoaded = existsSync(done)
  mkdirSync(folder, { recursive: true })
  const server = await Child.start('signet-child.ts', [folder])
  if (!isLoaded) {
    await enableMounts(server.port, folder)
    await makePeople(server.port)
    writeFileSync(done, '')
  }
  const people = await openPeople(server, folder)
  await printRequests(people)
  await printWhole(people)
  await server.stop()
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
}
