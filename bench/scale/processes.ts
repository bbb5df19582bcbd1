import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { drive, requestText } from '../drive.ts'
import type { Sizes } from './dataset.ts'
import { idOf, loginName, tokenName } from './dataset.ts'
import { median, print } from '../figures.ts'
import { printFigure } from './report.ts'
import type { Site } from './site.ts'
import { uniform } from './zipf.ts'

/** Goals: private memory of a worker, and from the start until identity answers. */
const WORKER_MB = 150
const READY_MS = 500
/** Until all workers listen, and the spare has loaded its code. */
const SETTLE_MS = 3_000

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** The status of an answer; undefined while nobody listens. */
const statusOf = (
  port: number,
  method: string,
  path: string,
  body?: unknown,
): Promise<number | undefined> =>
  new Promise((resolve) => {
    const headers = { 'x-vault-token': 'root' }
    const asked = request(
      { port, host: '127.0.0.1', method, path: `/v1/${path}`, headers },
      (got) => {
        got.resume()
        got.on('end', () => resolve(got.statusCode))
      },
    )
    asked.on('error', () => resolve(undefined))
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })

/** `bin/signet server` on a loaded data folder. */
interface Started {
  readonly port: number
  readonly process: ChildProcess
  /** From the start until an entity was answered, and the part of it from the unseal key on; ms. */
  readonly readyMs: number
  readonly unsealMs: number
}

const BIN = new URL('../../bin/signet', import.meta.url).pathname

const start = async (folder: string, workers: number): Promise<Started> => {
  const port = await freePort()
  const file = join(folder, 'server.hcl')
  writeFileSync(
    file,
    `storage "lmdb" { path = "${join(folder, 'signet', 'data')}" }
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
audit "file" "file" { options = { file_path = "${join(folder, 'signet', 'audit.log')}" } }
workers = ${workers}
`,
  )
  const { unseal_key: key } = JSON.parse(
    readFileSync(join(folder, 'signet', 'keys.json'), 'utf8'),
  ) as { readonly unseal_key: string }
  const began = performance.now()
  const process = spawn(BIN, ['server', `-config=${file}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const until = async (ask: () => Promise<boolean>): Promise<void> => {
    while (!(await ask())) {
      if (process.exitCode !== null) throw new Error(`the server ended with ${process.exitCode}`)
      await wait(2)
    }
  }
  await until(async () => (await statusOf(port, 'GET', 'sys/seal-status')) === 200)
  const listens = performance.now()
  await until(async () => (await statusOf(port, 'PUT', 'sys/unseal', { key })) === 200)
  const path = `identity/entity/id/${idOf('entity', 1)}`
  await until(async () => (await statusOf(port, 'GET', path)) === 200)
  const ready = performance.now()
  return { port, process, readyMs: ready - began, unsealMs: ready - listens }
}

const stop = async ({ process }: Started): Promise<void> => {
  const ended = new Promise((resolve) => process.once('exit', resolve))
  process.kill('SIGTERM')
  await ended
}

/** A data folder and what is in it. */
interface Folder {
  readonly folder: string
  readonly sizes: Sizes
}

/** How long it takes until an entity is answered, on each folder in turn. */
export const printReady = async (few: Folder, many: Folder, rounds: number): Promise<void> => {
  for (const workers of [1, 2]) {
    const found = new Map<Folder, Started[]>([
      [few, []],
      [many, []],
    ])
    for (let round = 0; round <= rounds; round++) {
      for (const [folder, started] of found) {
        const server = await start(folder.folder, workers)
        // The first round fills the cache of compiled code.
        if (round > 0) started.push(server)
        await stop(server)
      }
    }
    for (const [{ sizes }, started] of found) {
      const title = `${sizes.entities}: from the start to an entity answered, ${workers} worker(s)`
      printFigure(title, median(started.map(({ readyMs }) => readyMs)), 'ms', READY_MS)
      const unseal = median(started.map(({ unsealMs }) => unsealMs))
      printFigure('  of it since the unseal key was given', unseal, 'ms')
    }
  }
}

const matched = (file: string, pattern: RegExp): number => {
  if (!existsSync(file)) return 0
  let kilobytes = 0
  for (const [, size] of readFileSync(file, 'latin1').matchAll(pattern)) kilobytes += Number(size)
  return kilobytes / 1_000
}

const printMemory = (title: string, started: Started): void => {
  const { pid } = started.process
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  const processes = [pid!, ...(children === '' ? [] : children.split(' ').map(Number))]
  for (const [index, one] of processes.entries()) {
    const what = index > 0 ? `worker ${index}` : children === '' ? 'the one process' : 'supervisor'
    const own = matched(`/proc/${one}/status`, /^RssAnon:\s+(\d+) kB$/gm)
    const mapped = matched(`/proc/${one}/smaps_rollup`, /^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)
    const rest = `(${mapped.toFixed(0)} with pages of the data file that no other process maps)`
    printFigure(`${title}, ${what} ${rest}`, own, 'MB', WORKER_MB)
  }
}

/** Private memory of all processes: just after a restart, and after reads and logins all over. */
export const printMemories = async (
  { folder, sizes }: Folder,
  { jwtOf }: Pick<Site, 'jwtOf'>,
  requests: number,
): Promise<void> => {
  const server = await start(folder, 2)
  try {
    // The first worker serves before the second has loaded its code.
    await wait(SETTLE_MS)
    printMemory(`${sizes.entities}: private memory after a restart`, server)
    const next = uniform(Math.min(sizes.entities, sizes.tokens))
    const { refused, refusal } = await drive({
      port: server.port,
      clients: 64,
      requests,
      ask: (count) => {
        const i = next()
        return count % 10 === 0
          ? requestText('POST', 'auth/jwt/login', undefined, {
              role: 'people',
              jwt: jwtOf(loginName(i)),
            })
          : requestText('GET', `identity/entity/id/${idOf('entity', i)}`, tokenName(i))
      },
    })
    if (refused > 0) throw new Error(`${refused} refused: ${refusal}`)
    printMemory(`${sizes.entities}: after ${requests} reads and logins`, server)
    await wait(2_000)
    print('')
  } finally {
    await stop(server)
  }
}
