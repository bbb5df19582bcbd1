import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { RunningServer, ServerAddress, ServerIo } from '../config/running-server.ts'
import type { DevConfig, ServerConfig } from '../config/server-config.ts'
import { LocalRates } from '../core/rate-counter.ts'
import { limits } from '../limits.ts'
import type { DevelopmentKeys } from '../process/development.ts'
import type { Log } from '../process/log.ts'
import { logForm, logTo } from '../process/log.ts'
import { removeSocketFiles } from '../process/socket-files.ts'
import type { OpenStorage } from '../process/storage.ts'
import { isOwned, openStorage } from '../process/storage.ts'
import type { Gather, GatherPurpose } from '../seal/gathering.ts'
import { encodeGathered } from '../seal/gathering.ts'
import { LocalShares } from '../seal/share-keeper.ts'
import { exchangeData, openBeside } from './open-data.ts'
import { forkWorker } from './fork.ts'
import { withFreePorts } from './free-port.ts'
import type { KeyMessageKind } from './key-channel.ts'
import { Measurements } from './measurements.ts'
import type { Exchanged } from './remote-restore.ts'
import { RestartDelay } from './restart-delay.ts'
import { Spare } from './spare.ts'
import { WorkerProcess } from './worker-process.ts'

const LOOK_MS = 1_000
const NEWLINE = 0x0a
const UPKEEP_MS = 60_000

/** Starts the configured number of workers on the same ports and the same store, and keeps them running. `first`: a worker just forked. */
export const startSupervisor = async (
  config: ServerConfig,
  io: ServerIo,
  first: ChildProcess,
): Promise<RunningServer> => {
  const { storage, remove } = sharedStorage(config)
  const supervisor = new Supervisor({ ...config, storage }, io)
  try {
    const running = await supervisor.start(first)
    return {
      ...running,
      stop: async () => {
        await running.stop()
        remove()
      },
    }
  } catch (error) {
    await supervisor.stop()
    remove()
    throw error
  }
}

/** Memory is not shared by processes: several workers get a store in a temporary folder instead, gone with the supervisor (architecture.md C8). */
const sharedStorage = ({
  storage,
}: ServerConfig): Pick<ServerConfig, 'storage'> & { readonly remove: () => void } => {
  if (storage.kind !== 'inmem') return { storage, remove: () => {} }
  const path = mkdtempSync(join(tmpdir(), 'signet-'))
  const remove = (): void => {
    process.off('exit', remove)
    rmSync(path, { recursive: true, force: true })
  }
  process.once('exit', remove)
  return { storage: { kind: 'lmdb', path, temporary: true }, remove }
}

class Supervisor {
  readonly #io: ServerIo
  readonly #log: Log
  readonly #workers = new Set<WorkerProcess>()
  readonly #spare: Spare<WorkerProcess>
  readonly #delay = new RestartDelay()
  readonly #measurements = new Measurements()
  readonly #rates = new LocalRates()
  #config: ServerConfig
  #storage: OpenStorage | undefined
  #shares: LocalShares | undefined
  /** Of its own memory, so that it can be wiped. */
  #key: Buffer | undefined
  /** The key is in use by all workers. */
  #unsealed = false
  /** Until the processes that knew a key have stopped to listen. */
  #replaced: Promise<unknown> = Promise.resolve()
  /** While the data is exchanged, or opened by a worker. */
  #exchanging: Promise<unknown> = Promise.resolve()
  /** Until then a worker that ends makes the start fail. */
  #started = false
  #stopping = false
  #lastLook = 0
  #watch: NodeJS.Timeout | undefined
  #upkeep: NodeJS.Timeout | undefined

  constructor(config: ServerConfig, io: ServerIo) {
    this.#config = config
    this.#io = io
    this.#log = logTo(io.log, logForm(config))
    this.#spare = new Spare({
      fork: () => this.#forkProcess(),
      wanted: () => this.#isComplete(),
      log: this.#log,
    })
  }

  async start(child: ChildProcess): Promise<RunningServer> {
    // It goes on loading its code while this process claims store and ports.
    const first = this.#join(this.#workerOf(child))
    const storage = await openStorage(this.#config.storage, 'owner', this.#log)
    this.#storage = storage
    this.#config = { ...this.#config, listeners: await withFreePorts(this.#config.listeners) }
    const shares = new LocalShares({
      store: storage.store,
      waitMs: limits.storeWaitMs,
      isUnsealed: () => this.#unsealed,
      onKey: (combined) => this.#unseal(combined),
      onSeal: () => this.#seal(),
      onRekeyed: (combined) => this.#rekeyed(combined),
    })
    this.#shares = shares
    const { dev } = this.#config
    const keys = dev === undefined ? {} : await this.#startDevelopment(dev, storage, shares)
    void this.#begin(first, true)
    const addresses = await first.listening
    // It serves already: while all of them load their code at once, on few cores, nobody would.
    await Promise.all(Array.from({ length: this.#config.workers - 1 }, () => this.#startAnother()))
    this.#started = true
    this.#spare.keep()
    this.#lastLook = performance.now()
    this.#watch = setInterval(() => this.#look(), LOOK_MS)
    this.#upkeep = setInterval(() => storage.upkeep(), UPKEEP_MS)
    return {
      addresses,
      ...keys,
      stop: () => this.stop(),
      reload: async () => {
        for (const worker of this.#workers) worker.tell({ kind: 'reload' })
      },
    }
  }

  async #startAnother(): Promise<void> {
    const worker = this.#fork()
    await this.#begin(worker, false)
    await worker.listening.catch((error: unknown) => {
      // The server was sealed meanwhile, and another has its place.
      if (!worker.leaving) throw error
    })
  }

  /** Has all workers finish and end, then gives the store up. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#watch)
    clearInterval(this.#upkeep)
    await Promise.all([this.#spare.stop(), ...[...this.#workers].map((worker) => worker.retire())])
    this.#forgetKey()
    if (this.#storage === undefined) return
    removeSocketFiles(this.#config.listeners)
    await this.#storage.close()
  }

  /** The only time that the supervisor opens the barrier: to initialise a development server. */
  async #startDevelopment(
    dev: DevConfig,
    { store }: OpenStorage,
    keeper: LocalShares,
  ): Promise<DevelopmentKeys> {
    // All of the server's code, which the supervisor has no other use for.
    const [{ startDevelopment }, { makeServing }] = await Promise.all([
      import('../process/development.ts'),
      import('../process/serving.ts'),
    ])
    const { lifecycle } = makeServing({ config: this.#config, store, keeper, log: this.#log })
    return startDevelopment(dev, lifecycle)
  }

  #fork(): WorkerProcess {
    return this.#join(this.#forkProcess())
  }

  /** One that counts among the workers only once it has joined them. */
  #forkProcess(): WorkerProcess {
    return this.#workerOf(forkWorker())
  }

  #workerOf(child: ChildProcess): WorkerProcess {
    const worker = new WorkerProcess(child, {
      onAsk: (kind, payload) => this.#asked(kind, payload),
      onLog: this.#io.log,
      onMeasureAll: () => this.#measurements.collect(this.#workers),
      onTake: (asked) => asked.map(({ key, window }) => this.#rates.take(key, window)),
      log: this.#log,
    })
    worker.prepare(this.#config.storage.kind)
    return worker
  }

  #join(worker: WorkerProcess): WorkerProcess {
    this.#workers.add(worker)
    void worker.gone.then((how) => this.#ended(worker, how))
    return worker
  }

  /** Has a worker open the data and listen, once it has loaded its code and nothing else is done with the data. */
  async #begin(worker: WorkerProcess, first: boolean): Promise<void> {
    worker.first = first
    await worker.loaded
    await this.#alone(async () => {
      if (worker.isGone) return
      const begin = (): void => worker.begin(forWorkers(this.#config), first, this.#key)
      if (this.#config.storage.kind !== 'lmdb') return begin()
      const others = [...this.#workers].filter(({ begun }) => begun)
      await openBeside(worker, others, begin)
    })
  }

  /** Runs what opens or exchanges the data, one after the other. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#exchanging.then(run)
    // Whoever waits for it only wants to know that it is over.
    this.#exchanging = done.catch(() => undefined)
    return done
  }

  /** A worker more, made of the spare if there is one; the next spare is forked when it no longer holds this one up. */
  #spawn(first: boolean): WorkerProcess {
    const worker = this.#join(this.#spare.take() ?? this.#forkProcess())
    void this.#begin(worker, first)
    worker.listening.then(
      () => this.#spare.keep(),
      // The worker's end brings another.
      () => {},
    )
    return worker
  }

  /** Whether as many workers listen as there should be. */
  #isComplete(): boolean {
    const listening = [...this.#workers].filter(
      ({ leaving, listeningSince }) => !leaving && listeningSince !== undefined,
    )
    return this.#started && !this.#stopping && listening.length === this.#config.workers
  }

  #ended(worker: WorkerProcess, how: string): void {
    this.#workers.delete(worker)
    this.#measurements.gone(worker)
    this.#succeed(worker, how)
    // Its reader slot would pin pages (architecture.md C3).
    void this.#exchanging.then(() => this.#cleanUpBehind(worker))
  }

  /** Has another take the place of one that was not to end. */
  #succeed(worker: WorkerProcess, how: string): void {
    if (worker.leaving || this.#stopping || !this.#started) return
    this.#log(`worker ${worker.pid} ended with ${how}; another takes its place`)
    const { listeningSince } = worker
    const delay = this.#delay.after(
      listeningSince === undefined ? undefined : performance.now() - listeningSince,
    )
    if (delay === 0) this.#spawn(worker.first)
    else {
      setTimeout(() => {
        if (!this.#stopping) this.#spawn(worker.first)
      }, delay)
    }
  }

  async #cleanUpBehind({ pid }: WorkerProcess): Promise<void> {
    const storage = this.#storage
    if (storage === undefined || this.#stopping) return
    storage.upkeep()
    try {
      if (isOwned(storage) && pid !== undefined) await storage.removeLeftBy(pid)
    } catch (error) {
      this.#log(`what worker ${pid} left in the data folder could not be removed`, error)
    }
  }

  /** Ends workers that have not given a sign for long: they may hold a lock (architecture.md C1). */
  #look(): void {
    const now = performance.now()
    const stood = now - this.#lastLook > 2 * LOOK_MS
    this.#lastLook = now
    const { process: spare } = this.#spare
    for (const worker of spare === undefined ? this.#workers : [...this.#workers, spare]) {
      // Who stood still itself has not heard the signs that were given.
      if (stood) worker.lastSign = now
      const most = worker.spokeAt === undefined ? limits.workerStartMs : limits.workerSilenceMs
      if (now - worker.lastSign > most) {
        const what = worker === spare ? 'the spare process' : 'worker'
        this.#log(`${what} ${worker.pid} is silent and is ended`)
        worker.kill()
      }
    }
  }

  async #asked(kind: KeyMessageKind, payload: Buffer): Promise<Buffer | undefined> {
    const shares = this.#shares!
    switch (kind) {
      case 'share': {
        const outcome = await shares.give(payload)
        payload.fill(0)
        return Buffer.from(outcome)
      }
      case 'reset':
        await shares.reset()
        return Buffer.from('done')
      case 'progress':
        return Buffer.from(JSON.stringify(await shares.progress()))
      case 'seal':
        await shares.seal()
        return Buffer.from('done')
      case 'gather': {
        const end = payload.indexOf(NEWLINE)
        const gather = JSON.parse(payload.subarray(0, end).toString()) as Gather
        const gathered = await shares.gather(gather, payload.subarray(end + 1))
        payload.fill(0)
        const answer = encodeGathered(gathered)
        if (gathered.kind === 'complete') for (const key of gathered.keys) key.fill(0)
        return answer
      }
      case 'gathered': {
        const { purpose, nonce } = JSON.parse(payload.toString()) as Gather
        return Buffer.from(String(await shares.gathered(purpose, nonce)))
      }
      case 'drop':
        await shares.dropGathered(payload.toString() as GatherPurpose)
        return Buffer.from('done')
      case 'rekeyed':
        await shares.rekeyed(payload)
        payload.fill(0)
        return Buffer.from('done')
      case 'restore': {
        const exchanged = await this.#restore(payload.toString())
        return Buffer.from(JSON.stringify(exchanged))
      }
      case 'key':
      case 'forget':
      case 'let-go':
      case 'take-up':
      case 'resume':
      case 'hold':
      case 'go-on':
      case 'reply':
        throw new Error(`a worker does not send ${kind}`)
    }
  }

  async #unseal(combined: Buffer): Promise<void> {
    // A process that is to go does not learn a key again, and no connection reaches it once others are unsealed.
    await this.#replaced
    const key = Buffer.alloc(combined.length)
    combined.copy(key)
    this.#key = key
    const present = [...this.#workers].filter(({ begun, leaving }) => begun && !leaving)
    const answers = await Promise.all(present.map(({ keys }) => keys.ask('key', key)))
    const failed = present.filter((_, index) => answers[index]?.length === 0)
    if (present.length > 0 && failed.length === present.length) {
      this.#forgetKey()
      throw new Error('no worker could be unsealed; the log says why')
    }
    for (const worker of failed) worker.kill()
    this.#unsealed = true
  }

  /** Workers that start later open the seal as it is now. */
  #rekeyed(combined: Buffer): void {
    if (!this.#unsealed || this.#key?.equals(combined) === true) return
    this.#forgetKey()
    this.#key = Buffer.alloc(combined.length)
    combined.copy(this.#key)
  }

  #forgetKey(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }

  /** Has every worker let go of the data, puts other data in its place, and has them take it up. */
  #restore(folder: string): Promise<Exchanged> {
    return this.#alone(() => this.#exchange(folder))
  }

  async #exchange(folder: string): Promise<Exchanged> {
    const { storage: config } = this.#config
    const storage = this.#storage!
    if (config.kind !== 'lmdb' || !isOwned(storage)) throw new Error('there is no data folder')
    // The others have not opened the data yet, and do not before this is over.
    const present = [...this.#workers].filter(({ begun }) => begun)
    const made = join(config.path, basename(folder))
    return exchangeData(present, () => storage.exchange(made), this.#log)
  }

  /** JavaScript cannot wipe what it has copied: sealing replaces the processes that knew the key (architecture.md F1). */
  async #seal(): Promise<void> {
    // After a restore under another seal, every worker wants it.
    if (!this.#unsealed && this.#key === undefined) return
    this.#unsealed = false
    this.#forgetKey()
    const present = [...this.#workers].filter(({ leaving }) => !leaving)
    for (const worker of present) worker.leaving = true
    await Promise.all(present.map(({ keys }) => keys.ask('forget')))
    // The old ones say that the server is sealed until the new ones can.
    this.#replaced = Promise.all(present.map((worker) => this.#replace(worker)))
  }

  async #replace(worker: WorkerProcess): Promise<void> {
    if (!this.#stopping) {
      // When it does not start, another takes its place in turn.
      await this.#spawn(worker.first).listening.catch((): readonly ServerAddress[] => [])
    }
    void worker.retire()
    await worker.closed
  }
}

/** The text of a root token is no business of a worker. */
const forWorkers = (config: ServerConfig): ServerConfig =>
  config.dev === undefined
    ? config
    : { ...config, dev: { listenAddress: config.dev.listenAddress } }
