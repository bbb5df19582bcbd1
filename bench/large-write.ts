import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'
import { drive, requestText, send } from './drive.ts'
import type { Ask, Driven } from './drive.ts'
import { print, tableRow } from './figures.ts'

const USAGE = `usage: node bench/large-write.ts [what ...] [--size 100000] [--workers 1,2] [--clients 1,8] [--seconds 4]
                                [--folder <folder>] [--profile <folder>]

How long others wait for their writes while one request changes very much. What: members (a list of all members, as one text and
as an array), half (a list that changes half of them), group (its deletion), aliases (deletion of an entity with
many), children (revocation of a token with that many), mount (disabling a mount with that many secrets); all without.
  --folder   keeps the entities for the next run
  --profile  writes a .cpuprofile of each large request (which slows it; of one process only)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '1,2' },
    clients: { type: 'string', default: '1,8' },
    seconds: { type: 'string', default: '4' },
    folder: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

const SIZE = Number(values.size)
/** Aliases of one entity, each of a mount of its own: several commits' worth. */
const ALIASES = 300
/** Entities that the others write; none is a member. */
const OTHERS = 500

type Answered = {
  readonly auth: { readonly client_token: string; readonly accessor: string }
  readonly data: Readonly<Record<string, never>>
}

/** What the writes of this run need. */
interface Ground {
  readonly server: Child
  readonly ids: readonly string[]
  readonly roleId: string
  readonly secretId: string
}

const call = async (
  { port }: Child,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Answered> => (await send(port, method, path, body, token)) as Answered

/** Sends so many requests, 32 at a time. */
const fill = async (
  { port }: Child,
  requests: number,
  ask: Ask,
  answered?: (body: string) => void,
) => {
  const { refused, refusal } = await drive({
    port,
    clients: 32,
    requests,
    ask,
    ...(answered !== undefined && { answered }),
  })
  if (refused > 0) throw new Error(`${refused} refused: ${refusal}`)
}

/** Ids of the entities of a folder; made where there are none yet. */
const entities = async (server: Child, folder: string): Promise<readonly string[]> => {
  const file = join(folder, `ids-${SIZE}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as string[]
  const ids: string[] = []
  await fill(
    server,
    SIZE,
    (at) => requestText('POST', 'identity/entity', 'root', { name: `member-${at}` }),
    (body) => ids.push(/"id":"([^"]+)"/.exec(body)![1]!),
  )
  await fill(server, OTHERS, (at) =>
    requestText('POST', 'identity/entity', 'root', { name: `other-${at}` }),
  )
  await call(server, 'POST', 'sys/auth/approle', { type: 'approle' })
  await call(server, 'POST', 'auth/approle/role/app', { token_policies: ['default'] })
  writeFileSync(file, JSON.stringify(ids))
  return ids
}

/** What others do meanwhile, in turn: an entity, a secret, a login. */
const others =
  ({ roleId, secretId }: Ground): Ask =>
  (count) => {
    const at = Math.floor(count / 3) % OTHERS
    if (count % 3 === 0) {
      const metadata = { turn: String(count) }
      return requestText('POST', `identity/entity/name/other-${at}`, 'root', { metadata })
    }
    if (count % 3 === 1) {
      return requestText('POST', `secret/data/app-${at}`, 'root', { data: { turn: count } })
    }
    const login = { role_id: roleId, secret_id: secretId }
    return requestText('POST', 'auth/approle/login', undefined, login)
  }

/** One large request, all its bytes at hand; gives its status line. */
const sendWhole = ({ port }: Child, request: Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => socket.write(request))
    socket.on('error', reject)
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(bytes.toString('latin1').split('\r\n')[0]!)
    })
  })

/** Commits of the server so far. */
const commitsOf = async ({ port }: Child): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/sys/metrics?format=prometheus`, {
    headers: { 'x-vault-token': 'root' },
  })
  let commits = 0
  const counts = /^signet_store_commit_seconds_count\{.*outcome="committed".*\} (\d+)/gm
  for (const [, count] of (await response.text()).matchAll(counts)) commits += Number(count)
  return commits
}

/** Waits until the server does no more by itself than keep its lease; how long that took, s. */
const untilQuiet = async (server: Child): Promise<number> => {
  const began = performance.now()
  for (let before = await commitsOf(server); ;) {
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const now = await commitsOf(server)
    if (now - before <= 3) return (performance.now() - began) / 1_000 - 2
    before = now
  }
}

/** One kind of large request. */
interface Kind {
  readonly name: string
  readonly title: string
  /** Prepares it, and gives the request. */
  readonly make: (ground: Ground) => Promise<string>
}

let made = 0
/** The group of the last list, and what was in it. */
let last = ''

const listOf = (name: string, members: readonly string[] | string): string =>
  requestText('POST', `identity/group/name/${name}`, 'root', { member_entity_ids: members })

/** A group with all members: the last, or a new one. */
const filled = async ({ ids, server }: Ground): Promise<string> => {
  if (last === '') {
    last = `group-${Date.now()}-${++made}`
    await sendWhole(server, Buffer.from(listOf(last, ids.join(','))))
    await untilQuiet(server)
  }
  return last
}

const kinds: readonly Kind[] = [
  {
    name: 'members',
    title: 'all members, one text',
    make: async ({ ids, server }) => {
      last = `group-${Date.now()}-${++made}`
      await call(server, 'POST', 'identity/group', { name: last })
      return listOf(last, ids.join(','))
    },
  },
  {
    name: 'members',
    title: 'all members, an array',
    make: async ({ ids, server }) => {
      last = `group-${Date.now()}-${++made}`
      await call(server, 'POST', 'identity/group', { name: last })
      return listOf(last, ids)
    },
  },
  {
    name: 'half',
    title: 'half of the members',
    make: async (ground) => listOf(await filled(ground), ground.ids.slice(0, SIZE / 2).join(',')),
  },
  {
    name: 'group',
    title: 'deletion of the group',
    make: async (ground) => {
      const name = await filled(ground)
      last = ''
      return requestText('DELETE', `identity/group/name/${name}`, 'root')
    },
  },
  {
    name: 'aliases',
    title: `deletion of an entity with ${ALIASES} aliases`,
    make: async ({ server }) => {
      const entity = { name: `many-${Date.now()}-${++made}` }
      const id: string = (await call(server, 'POST', 'identity/entity', entity)).data['id']!
      const accessorsOf = async () =>
        (await call(server, 'GET', 'sys/auth')).data as never as Readonly<
          Record<string, { readonly accessor: string }>
        >
      const before = await accessorsOf()
      for (let at = 0; at < ALIASES; at++) {
        if (before[`many-${at}/`] === undefined) {
          await call(server, 'POST', `sys/auth/many-${at}`, { type: 'approle' })
        }
      }
      const mounts = await accessorsOf()
      for (let at = 0; at < ALIASES; at++) {
        await call(server, 'POST', 'identity/entity-alias', {
          name: entity.name,
          canonical_id: id,
          mount_accessor: mounts[`many-${at}/`]!.accessor,
        })
      }
      return requestText('DELETE', `identity/entity/id/${id}`, 'root')
    },
  },
  {
    name: 'children',
    title: 'revocation of a token with children',
    make: async ({ server }) => {
      const policy = 'path "auth/token/create" { capabilities = ["update"] }'
      await call(server, 'POST', 'sys/policies/acl/maker', { policy })
      const parent = await call(server, 'POST', 'auth/token/create', { policies: ['maker'] })
      const token = parent.auth.client_token
      await fill(server, SIZE, () =>
        requestText('POST', 'auth/token/create', token, { policies: ['maker'] }),
      )
      return requestText('POST', 'auth/token/revoke', 'root', { token })
    },
  },
  {
    name: 'mount',
    title: 'disabling a mount with secrets',
    make: async ({ server }) => {
      const path = `large-${Date.now()}`
      await call(server, 'POST', `sys/mounts/${path}`, { type: 'kv', options: { version: '1' } })
      await fill(server, SIZE, (at) =>
        requestText('POST', `${path}/folder/secret-${at}`, 'root', { value: String(at) }),
      )
      return requestText('DELETE', `sys/mounts/${path}`, 'root')
    },
  },
]

const row = tableRow([40, 8, 8, 10, 9, 9, 9, 9, 9, 10, 10])

/** CPU that the server had used when it was asked last. */
let spent = 0

const printPart = async (
  title: string,
  workers: number,
  clients: number,
  server: Child,
  { maxMs, p50Ms, p99Ms, perSecond, refused, refusal, seconds }: Driven,
): Promise<void> => {
  const delay = await server.delay()
  const { cpuMicroseconds } = await server.report()
  const cpu = (cpuMicroseconds - spent) / 1e6
  spent = cpuMicroseconds
  print(
    row(
      title,
      String(workers),
      String(clients),
      seconds.toFixed(1),
      perSecond.toFixed(0),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      maxMs.toFixed(1),
      workers === 1 ? cpu.toFixed(1) : '',
      // With workers the process that is asked serves nothing.
      workers === 1 ? delay.p99Ms.toFixed(1) : '',
      workers === 1 ? delay.maxMs.toFixed(1) : '',
    ),
  )
  if (refused > 0) throw new Error(`${refused} refused: ${refusal}`)
}

/** The others alone, with the large request, and just after its answer. */
const measure = async (
  kind: Kind,
  ground: Ground,
  workers: number,
  clients: number,
): Promise<void> => {
  const { server } = ground
  const request = Buffer.from(await kind.make(ground), 'latin1')
  await untilQuiet(server)
  const load = { port: server.port, clients, ask: others(ground) }
  const seconds = Number(values.seconds)
  await drive({ ...load, seconds: 1 })
  await server.delay()
  spent = (await server.report()).cpuMicroseconds
  print(kind.title)
  await printPart('  others alone', workers, clients, server, await drive({ ...load, seconds }))

  const over = new AbortController()
  const file =
    workers > 1 || values.profile === undefined
      ? undefined
      : join(values.profile, `${kind.title.replaceAll(/\W+/g, '-')}-${clients}.cpuprofile`)
  await server.profiled(file, async () => {
    const meanwhile = drive({ ...load, signal: over.signal })
    const status = await sendWhole(server, request)
    over.abort()
    const driven = await meanwhile
    if (!/ 20\d /.test(status)) throw new Error(`${kind.title}: ${status}`)
    await printPart('  until it is answered', workers, clients, server, driven)
  })
  const behind = file === undefined ? undefined : file.replace('.cpuprofile', '-behind.cpuprofile')
  await server.profiled(behind, async () => {
    const driven = await drive({ ...load, seconds: 2 * seconds })
    await printPart('  behind it', workers, clients, server, driven)
  })
  print(`  and ${(await untilQuiet(server)).toFixed(0)} s more until all is cleaned up`)
}

const run = async (folder: string, workers: number): Promise<void> => {
  const server = await Child.start('signet-child.ts', [
    folder,
    String(workers),
    String(2 * SIZE + 1_000),
  ])
  try {
    const ids = await entities(server, folder)
    const role = 'auth/approle/role/app'
    const roleId = (await call(server, 'GET', `${role}/role-id`)).data['role_id']!
    const secretId = (await call(server, 'POST', `${role}/secret-id`, {})).data['secret_id']!
    const ground = { server, ids, roleId, secretId }
    for (const clients of values.clients.split(',').map(Number)) {
      for (const kind of kinds) {
        if (positionals.length > 0 && !positionals.includes(kind.name)) continue
        await measure(kind, ground, workers, clients)
      }
    }
  } finally {
    await server.stop()
  }
}

const main = async (): Promise<void> => {
  if (values.help === true) {
    print(USAGE)
    return
  }
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'signet-large-'))
  mkdirSync(folder, { recursive: true })
  if (values.profile !== undefined) mkdirSync(values.profile, { recursive: true })
  try {
    print(
      row(
        '',
        'workers',
        'clients',
        'seconds',
        'req/s',
        'p50 ms',
        'p99 ms',
        'max ms',
        'CPU s',
        'loop p99',
        'loop max',
      ),
    )
    for (const workers of values.workers.split(',').map(Number)) await run(folder, workers)
  } finally {
    if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

await main()
