import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Client } from 'pg'
import type { ClientConfig } from 'pg'

/** A PostgreSQL server of its own, in a temporary folder. */
export interface TestPostgres {
  readonly host: string
  readonly port: number
  /** A URL for the database `postgres` as its superuser. */
  readonly url: string
  /** The same with another port, database or query. */
  urlWith(change: {
    readonly port?: number
    readonly database?: string
    readonly query?: string
  }): string
  /** Runs statements as the superuser; gives the rows of the last. */
  run(sql: string): Promise<readonly Record<string, unknown>[]>
  /** Sets the clock that statements in the database `postgres` read to so many ms ahead of the machine's. */
  setClock(aheadMs: number): Promise<void>
  /** Ends it in good order (`fast`), or as a crash of the machine would, but for the page cache. */
  halt(how: 'fast' | 'crash'): Promise<void>
  /** Makes it a standby of nobody at the next start. Call it between `halt` and `start`. */
  makeStandby(): void
  /** Starts it again after `halt`; resolves when it answers. */
  start(): Promise<void>
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

const DEBIAN = '/usr/lib/postgresql'

/** Where a program of PostgreSQL lies: in PATH or, the newest first, where Debian puts it. */
const programPath = (name: string): string | undefined => {
  const debian = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN, version, 'bin'))
    : []
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...debian]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** PostgreSQL refuses to run as root: the user that Debian made for it, or nobody. */
const unprivileged = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const [, , uid, gid] =
    lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** What `it` and `describe` take: a reason to skip if a program is missing. With CI=true that is a failure instead. */
export const skipWithout = (program: 'postgres' | 'pgbouncer'): string | false => {
  if (programPath(program) !== undefined) return false
  const text = `${program} is not installed (apt-get install ${program === 'postgres' ? 'postgresql' : program})`
  if (process.env['CI'] === 'true') throw new Error(text)
  console.error(`SKIPPED: ${text}`)
  return text
}

/** A port of 127.0.0.1 that is free now. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A process that ends with this one, however that ends: a shell waits for its standard input to close. */
const spawnTied = (program: string, words: readonly string[], stopSignal: string): ChildProcess =>
  spawn(
    'sh',
    [
      '-c',
      `"$@" & child=$!; cat > /dev/null; kill -${stopSignal} $child; wait $child`,
      'sh',
      program,
      ...words,
    ],
    {
      ...unprivileged(),
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    },
  )

const endTied = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = once(child, 'exit')
  child.stdin!.end()
  await over
}

const giveAway = (path: string): void => {
  const owner = unprivileged()
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
}

const temporaryFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), name))
  giveAway(folder)
  chmodSync(folder, 0o700)
  return folder
}

const connectWhenReady = async (url: string | ClientConfig): Promise<Client> => {
  for (let left = 300; ; left--) {
    const client = new Client(url)
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      if (left === 0) throw error
      await setTimeout(50)
    }
  }
}

/**
 * Starts a server with these settings (`name=value`). `files` puts files into its data folder: a path to copy, or the
 * text of pg_hba.conf; `server.crt` and `server.key` turn TLS on. Call `skipWithout('postgres')` before.
 */
export const startPostgres = async (
  settings: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<TestPostgres> => {
  const folder = temporaryFolder('signet-pg-')
  const made = spawnSync(
    programPath('initdb')!,
    [
      '-D',
      join(folder, 'data'),
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...unprivileged(), cwd: '/', encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  for (const [name, file] of Object.entries(files)) {
    const path = join(folder, 'data', name)
    writeFileSync(path, name === 'pg_hba.conf' ? file : readFileSync(file), { mode: 0o600 })
    giveAway(path)
  }
  const port = await freePort()
  const host = '127.0.0.1'
  const urlWith: TestPostgres['urlWith'] = ({
    port: other = port,
    database = 'postgres',
    query = '',
  }) => `postgres://postgres@${host}:${other}/${database}${query}`
  const url = urlWith({})
  const socket = { host: folder, port, user: 'postgres', database: 'postgres' }
  const tls = 'server.crt' in files ? ['ssl=on'] : []
  const words = [
    ['-D', join(folder, 'data'), '-p', String(port), '-h', host, '-k', folder],
    ...['shared_buffers=32MB', 'max_wal_size=256MB', ...tls, ...settings].map((setting) => [
      '-c',
      setting,
    ]),
  ].flat()
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    child = spawnTied(programPath('postgres')!, words, 'INT')
    await (await connectWhenReady(socket)).end()
  }
  const halt: TestPostgres['halt'] = async (how) => {
    if (how === 'crash') {
      const [pid] = readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
      process.kill(Number(pid), 'SIGQUIT')
    }
    if (child !== undefined) await endTied(child)
    child = undefined
  }
  const run: TestPostgres['run'] = async (sql) => {
    const client = await connectWhenReady(socket)
    try {
      const result: unknown = await client.query(sql)
      const last = (Array.isArray(result) ? result.at(-1) : result) as {
        rows: Record<string, unknown>[]
      }
      return last.rows
    } finally {
      await client.end()
    }
  }
  // A function of the catalogue can be replaced where it is inlined.
  const setClock = async (aheadMs: number): Promise<void> => {
    await run(`create or replace function pg_catalog.clock_timestamp() returns timestamptz
      language sql volatile strict parallel safe
      as $$ select pg_catalog.timeofday()::timestamptz + interval '${aheadMs} milliseconds' $$`)
  }
  const stop = async (): Promise<void> => {
    await halt('fast')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  const makeStandby = (): void => {
    const path = join(folder, 'data', 'standby.signal')
    writeFileSync(path, '')
    giveAway(path)
  }
  return { host, port, url, urlWith, run, setClock, halt, makeStandby, start, stop }
}

/** A PgBouncer in transaction mode before a server. */
export interface TestPgBouncer {
  readonly port: number
  stop(): Promise<void>
}

/** Starts one with so many connections to the server. Call `skipWithout('pgbouncer')` before. */
export const startPgBouncer = async (
  server: TestPostgres,
  poolSize: number,
): Promise<TestPgBouncer> => {
  const folder = temporaryFolder('signet-pgbouncer-')
  const port = await freePort()
  const ini = join(folder, 'pgbouncer.ini')
  const text = [
    '[databases]',
    `* = host=${server.host} port=${server.port} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 500',
  ]
  writeFileSync(ini, text.map((line) => `${line}\n`).join(''))
  chmodSync(ini, 0o644)
  const child = spawnTied(programPath('pgbouncer')!, [ini], 'INT')
  const stop = async (): Promise<void> => {
    await endTied(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await (await connectWhenReady(server.urlWith({ port }))).end()
  } catch (error) {
    await stop()
    throw error
  }
  return { port, stop }
}
