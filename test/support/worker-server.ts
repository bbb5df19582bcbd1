import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Question, Told } from './ask.ts'
import { ask } from './ask.ts'
import type { Ended, ServerProcess } from './signet.ts'
import { startServerProcess } from './signet.ts'

/** How many requests reach all of a few workers, but for one run in a hundred thousand. */
const MANY = 32

const READY = 'Signet server started!'

/** A data folder and a port on which servers of one or several workers are started, one after the other. */
export class WorkerServer {
  readonly folder: string
  readonly url: string
  readonly port: number
  /** Hex, as `sys/init` gives them. */
  keys: readonly string[] = []
  root = ''
  readonly #config: string
  #process: ServerProcess | undefined

  private constructor(port: number, workers: number, more: string, storage: string | undefined) {
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.folder = mkdtempSync(join(tmpdir(), 'signet-workers-'))
    this.#config = join(this.folder, 'server.hcl')
    writeFileSync(
      this.#config,
      `${storage ?? `storage "lmdb" { path = "${join(this.folder, 'data')}" }`}
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
workers = ${workers}
${more}
`,
    )
  }

  /** `more`: further lines of the configuration; `storage`: another than LMDB in a folder of its own. */
  static async prepare(workers: number, more = '', storage?: string): Promise<WorkerServer> {
    return new WorkerServer(await freePort(), workers, more, storage)
  }

  get config(): string {
    return this.#config
  }

  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error('the server was not started')
    return this.#process
  }

  async start(): Promise<void> {
    this.#process = await startServerProcess([`-config=${this.#config}`], READY)
  }

  /** Initialises it with one share unless told otherwise, and keeps keys and root token. */
  async initialise(shares = 1, threshold = 1): Promise<void> {
    const made = await ask(this.url, {
      path: 'sys/init',
      method: 'PUT',
      body: { secret_shares: shares, secret_threshold: threshold },
    })
    this.keys = made.body.keys
    this.root = made.body.root_token
  }

  /** Gives as many shares as are needed. */
  async unseal(): Promise<void> {
    for (const key of this.keys) {
      const { body } = await this.ask({ path: 'sys/unseal', method: 'PUT', body: { key } })
      if (body.sealed === false) return
    }
    throw new Error('all keys given, and still sealed')
  }

  /** A request with the root token, over a connection of its own. */
  ask(question: Question): Promise<Told> {
    return ask(this.url, { token: this.root, ...question })
  }

  /** The same request many times at once, over as many connections: every worker gets some. */
  async askAll(question: Question): Promise<readonly Told[]> {
    return Promise.all(Array.from({ length: MANY }, () => this.ask(question)))
  }

  /** The distinct answers of all workers, by what is picked of them. */
  async everywhere<T>(question: Question, pick: (told: Told) => T): Promise<readonly T[]> {
    const picked = (await this.askAll(question)).map((told) => JSON.stringify(pick(told)))
    return [...new Set(picked)].map((text) => JSON.parse(text) as T)
  }

  /** What runs beside the supervisor: workers, and what may become one; what has ended counts no more, though nobody may have noticed. */
  processes(): readonly number[] {
    return childrenOf(this.process.pid).filter(isAlive)
  }

  /** The processes that listen on the port. */
  workers(): readonly number[] {
    const sockets = this.#listening().map((inode) => `socket:[${inode}]`)
    return this.processes().filter((pid) => openedBy(pid).some((file) => sockets.includes(file)))
  }

  /** The processes that do not: the spare, or a worker that starts. */
  others(): readonly number[] {
    const workers = this.workers()
    return this.processes().filter((pid) => !workers.includes(pid))
  }

  /** How many sockets listen on the port: one of each worker. */
  listeners(): number {
    return this.#listening().length
  }

  /** Their inodes. */
  #listening(): readonly string[] {
    const port = this.port.toString(16).toUpperCase().padStart(4, '0')
    const listens = new RegExp(`^ *\\d+: \\w+:${port} \\w+:0000 0A`)
    const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n')
    return lines.filter((line) => listens.test(line)).map((line) => line.trim().split(/ +/)[9]!)
  }

  /** Whether a process is gone and as many as there should be listen; its socket may outlive it for a moment. */
  hasReplaced(victim: number, workers: number): boolean {
    return (
      !this.processes().includes(victim) &&
      this.listeners() === workers &&
      this.workers().length === workers
    )
  }

  stop(signal?: NodeJS.Signals): Promise<Ended> {
    return this.process.stop(signal)
  }

  /** Ends it if it runs, and removes its data. */
  async remove(): Promise<void> {
    await this.#process?.stop('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The processes that a process has started. */
export const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** What a process has open, as the links of its descriptors name it; nothing once it has ended. */
export const openedBy = (pid: number): readonly string[] => {
  const folder = `/proc/${pid}/fd`
  return orNothing(() => readdirSync(folder)).flatMap((descriptor) =>
    orNothing(() => [readlinkSync(join(folder, descriptor))]),
  )
}

/** A process may end, or close what it had open, while it is looked at. */
const orNothing = (look: () => readonly string[]): readonly string[] => {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'EACCES') throw error
    return []
  }
}

/** Whether a process is there and has not ended. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until something holds; gives the ms it took. Throws when it takes longer than `withinMs`. */
export const until = async (
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<number> => {
  const began = performance.now()
  for (;;) {
    if (await holds()) return performance.now() - began
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms`)
    await wait(5)
  }
}

/** Below the range of outgoing connections, or one of ours might take it before the server does. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000)
    const bound = await new Promise<AddressInfo | undefined>((resolve) => {
      const probe = createServer()
      probe.once('error', () => resolve(undefined))
      probe.listen(port, '127.0.0.1', () => {
        const address = probe.address() as AddressInfo
        probe.close(() => resolve(address))
      })
    })
    if (bound !== undefined) return bound.port
  }
}
