import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { RunningServer, ServerAddress, ServerIo } from '../config/running-server.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { limits } from '../limits.ts'
import { startDevelopment } from '../process/development.ts'
import type { Log } from '../process/log.ts'
import { logTo } from '../process/log.ts'
import { makeServing } from '../process/serving.ts'
import type { OpenStorage } from '../process/storage.ts'
import { openStorage } from '../process/storage.ts'
import { LocalShares } from '../seal/share-keeper.ts'
import { forkWorker } from './fork.ts'
import type { KeyMessageKind } from './key-channel.ts'
import { KeyChannel } from './key-channel.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'

const LOOK_MS = 1_000
const UPKEEP_MS = 60_000
/** A worker that dies this soon after its start is not replaced at once. */
const YOUNG_MS = 1_000
const SLOW_RESTART_MS = 1_000

interface Worker {
  readonly child: ChildProcess
  readonly channel: KeyChannel
  readonly first: boolean
  readonly startedAt: number
  /** Resolves when it listens. */
  readonly listening: Promise<readonly ServerAddress[]>
  readonly gone: Promise<void>
  lastSign: number
  /** It is to end: nobody takes its place when it does. */
  leaving: boolean
}

/** Starts the configured number of workers on the same ports and the same store, and keeps them running. */
export const startSupervisor = async (
  config: ServerConfig,
  io: ServerIo,
): Promise<RunningServer> => {
  const log = logTo(io.log)
  const fixed = withSharedStorage(await withFixedPorts(config))
  const storage = await openStorage(fixed.storage, 'owner')
  const supervisor = new Supervisor(fixed, storage, log, io)
  try {
    return await supervisor.start()
  } catch (error) {
    await supervisor.stop()
    throw error
  }
}

/** Memory is not shared by processes: several workers get a store in a temporary folder instead, gone with the supervisor (C8). */
const withSharedStorage = (config: ServerConfig): ServerConfig => {
  if (config.storage.kind !== 'inmem') return config
  const folder = mkdtempSync(join(tmpdir(), 'signet-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return { ...config, storage: { kind: 'lmdb', path: folder } }
}

/**
 * Gives port 0 a number, and refuses a port that somebody else has: workers share ports, so a second server of the same
 * user would share them, too, without a word.
 */
const withFixedPorts = async (config: ServerConfig): Promise<ServerConfig> => {
  const listeners = []
  for (const listener of config.listeners) {
    listeners.push(
      listener.kind === 'unix'
        ? listener
        : { ...listener, port: await freePort(listener.host, listener.port) },
    )
  }
  return { ...config, listeners }
}

const freePort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = probe.address() as AddressInfo
      probe.close(() => resolve(bound))
    })
  })

class Supervisor {
  readonly #config: ServerConfig
  readonly #storage: OpenStorage
  readonly #log: Log
  readonly #io: ServerIo
  readonly #shares: LocalShares
  readonly #workers = new Set<Worker>()
  /** Of its own memory, so that it can be wiped. */
  #key: Buffer | undefined
  #stopping = false
  #watch: NodeJS.Timeout | undefined
  #upkeep: NodeJS.Timeout | undefined

  constructor(config: ServerConfig, storage: OpenStorage, log: Log, io: ServerIo) {
    this.#config = config
    this.#storage = storage
    this.#log = log
    this.#io = io
    this.#shares = new LocalShares({
      store: storage.store,
      waitMs: limits.storeWaitMs,
      isUnsealed: () => this.#key !== undefined,
      onKey: (combined) => this.#unseal(combined),
      onSeal: () => this.#seal(),
    })
  }

  async start(): Promise<RunningServer> {
    const dev = this.#config.dev === undefined ? {} : await this.#startDevelopment()
    const workers = Array.from({ length: this.#config.workers }, (_, index) =>
      this.#spawn(index === 0),
    )
    const [addresses] = await Promise.all(workers.map((worker) => worker.listening))
    this.#watch = setInterval(() => this.#look(), LOOK_MS)
    this.#upkeep = setInterval(() => this.#storage.upkeep(), UPKEEP_MS)
    return {
      addresses: addresses!,
      ...dev,
      stop: () => this.stop(),
      reload: async () => {
        for (const worker of this.#workers) this.#tell(worker, { kind: 'reload' })
      },
    }
  }

  /** Has all workers finish and end, then gives the store up. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#watch)
    clearInterval(this.#upkeep)
    await Promise.all([...this.#workers].map((worker) => this.#retire(worker)))
    this.#key?.fill(0)
    this.#key = undefined
    await this.#storage.close()
  }

  /** The only time that the supervisor opens the barrier: to initialise a development server. */
  async #startDevelopment() {
    const { lifecycle } = makeServing({
      config: this.#config,
      store: this.#storage.store,
      keeper: this.#shares,
      log: this.#log,
    })
    return startDevelopment(this.#config.dev!, lifecycle)
  }

  #spawn(first: boolean): Worker {
    const child = forkWorker()
    let listening!: (addresses: readonly ServerAddress[]) => void
    let failed!: (error: Error) => void
    const worker: Worker = {
      child,
      first,
      startedAt: performance.now(),
      lastSign: performance.now(),
      leaving: false,
      channel: new KeyChannel(
        child.stdio[4] as Duplex,
        (kind, payload) => this.#asked(kind, payload),
        (error) => this.#log('the key pipe failed', error),
      ),
      listening: new Promise((resolve, reject) => {
        listening = resolve
        failed = reject
      }),
      gone: new Promise((resolve) => child.once('exit', () => resolve())),
    }
    // Whoever waits for the start hears of a failure; when nobody does, the log does.
    worker.listening.catch((error: unknown) => this.#log('a worker did not start', error))
    this.#workers.add(worker)
    child.on('message', (message) => {
      const told = message as ToSupervisor
      worker.lastSign = performance.now()
      if (told.kind === 'log') this.#io.log(told.line)
      else if (told.kind === 'listening') listening(told.addresses)
      else if (told.kind === 'failed') failed(new Error(told.reason))
    })
    child.once('exit', (code, signal) => {
      failed(new Error(`the worker ended with ${signal ?? code} before it listened`))
      this.#ended(worker, signal ?? String(code))
    })
    this.#tell(worker, { kind: 'start', config: this.#config, first })
    void worker.channel.ask('key', this.#key)
    return worker
  }

  #ended(worker: Worker, how: string): void {
    this.#workers.delete(worker)
    // Its reader slot would pin pages (architecture.md C3).
    this.#storage.upkeep()
    if (worker.leaving || this.#stopping) return
    this.#log(`worker ${worker.child.pid} ended with ${how}; another takes its place`)
    const young = performance.now() - worker.startedAt < YOUNG_MS
    if (!young) this.#spawn(worker.first)
    else {
      setTimeout(() => {
        if (!this.#stopping) this.#spawn(worker.first)
      }, SLOW_RESTART_MS)
    }
  }

  /** Ends workers that have not given a sign for long: they may hold a lock. */
  #look(): void {
    const now = performance.now()
    for (const worker of this.#workers) {
      if (now - worker.lastSign > limits.workerSilenceMs) {
        this.#log(`worker ${worker.child.pid} is silent and is ended`)
        worker.child.kill('SIGKILL')
      }
    }
  }

  async #asked(kind: KeyMessageKind, payload: Buffer): Promise<Buffer | undefined> {
    switch (kind) {
      case 'share': {
        const outcome = await this.#shares.give(payload)
        payload.fill(0)
        return Buffer.from(outcome)
      }
      case 'reset':
        await this.#shares.reset()
        return Buffer.from('done')
      case 'progress':
        return Buffer.from(JSON.stringify(await this.#shares.progress()))
      case 'seal':
        await this.#shares.seal()
        return Buffer.from('done')
      case 'key':
      case 'forget':
      case 'reply':
        throw new Error(`a worker does not send ${kind}`)
    }
  }

  async #unseal(combined: Buffer): Promise<void> {
    this.#key = Buffer.alloc(combined.length)
    combined.copy(this.#key)
    await Promise.all([...this.#workers].map(({ channel }) => channel.ask('key', this.#key)))
  }

  /** JavaScript cannot wipe what it has copied: sealing replaces the processes that knew the key (architecture.md F1). */
  async #seal(): Promise<void> {
    this.#key?.fill(0)
    this.#key = undefined
    const present = [...this.#workers]
    await Promise.all(present.map(({ channel }) => channel.ask('forget')))
    for (const worker of present) worker.leaving = true
    // The old ones say that the server is sealed until the new ones can.
    void Promise.allSettled(
      present.map(async (worker) => {
        await this.#spawn(worker.first).listening
        await this.#retire(worker)
      }),
    )
  }

  async #retire(worker: Worker): Promise<void> {
    worker.leaving = true
    this.#tell(worker, { kind: 'drain' })
    const late = setTimeout(() => worker.child.kill('SIGKILL'), limits.drainMs + LOOK_MS)
    await worker.gone
    clearTimeout(late)
  }

  #tell(worker: Worker, message: ToWorker): void {
    if (worker.child.connected) worker.child.send(message)
  }
}
