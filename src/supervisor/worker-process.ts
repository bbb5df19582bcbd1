import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import type { ServerAddress } from '../config/running-server.ts'
import type { ServerConfig, StorageKind } from '../config/server-config.ts'
import { limits } from '../limits.ts'
import type { Taken } from '../core/rate-counter.ts'
import type { Measured } from '../metrics/measured.ts'
import type { Log } from '../process/log.ts'
import { KEY_PIPE } from './fork.ts'
import type { KeyMessageHandler } from './key-channel.ts'
import { KeyChannel } from './key-channel.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'
import type { Asked } from './remote-rates.ts'

/** Beyond the time for draining, how long a worker may take to end before it is killed. */
const END_MS = 1_000

export interface WorkerProcessOptions {
  /** Answers what it asks on the key pipe. */
  readonly onAsk: KeyMessageHandler
  readonly onLog: (line: string) => void
  /** It wants to know what all processes have measured. */
  readonly onMeasureAll: () => Promise<readonly (readonly Measured[])[]>
  /** It has requests counted. */
  readonly onTake: (asked: readonly Asked[]) => readonly Taken[]
  readonly log: Log
}

/** A worker, or what may become one, as its supervisor sees it, from the fork on. */
export class WorkerProcess {
  readonly keys: KeyChannel
  /** Resolves when it has loaded its code, or is gone. */
  readonly loaded: Promise<void>
  /** Resolves when it has opened the data, or does not any more. */
  readonly opened: Promise<void>
  /** Resolves when it listens; rejects when it cannot, or ends before. */
  readonly listening: Promise<readonly ServerAddress[]>
  /** Resolves when it accepts no more connections. */
  readonly closed: Promise<void>
  /** Resolves to the signal or exit code it ended with. */
  readonly gone: Promise<string>
  /** When it last gave a sign, in `performance.now()`. */
  lastSign = performance.now()
  /** When it first ran its own code, in `performance.now()`; undefined while it loads it. */
  spokeAt: number | undefined
  /** Since when it listens, in `performance.now()`. */
  listeningSince: number | undefined
  /** It was told to begin, with the key of that moment. */
  begun = false
  /** It is to end: nobody takes its place when it does. */
  leaving = false
  isGone = false
  /** What it told last. */
  measured: readonly Measured[] = []
  /** Has the socket files, which cannot be shared. */
  first = false
  readonly #child: ChildProcess
  readonly #measuring = new Set<() => void>()

  /** `child`: just forked by `forkWorker`. */
  constructor(
    child: ChildProcess,
    { onAsk, onLog, onMeasureAll, onTake, log }: WorkerProcessOptions,
  ) {
    this.#child = child
    this.keys = new KeyChannel(child.stdio[KEY_PIPE] as Duplex, onAsk, (error) =>
      log(`the key pipe of worker ${child.pid} failed`, error),
    )
    const listening = Promise.withResolvers<readonly ServerAddress[]>()
    const loaded = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<string>()
    this.loaded = loaded.promise
    this.opened = opened.promise
    this.listening = listening.promise
    this.closed = closed.promise
    this.gone = gone.promise
    // Whoever waits for the start hears of a failure; when nobody does, this does.
    listening.promise.catch((error: unknown) => {
      if (this.begun && !this.leaving) log(`worker ${child.pid} did not start: ${String(error)}`)
    })
    child.on('message', (message) => {
      const told = message as ToSupervisor
      this.lastSign = performance.now()
      this.spokeAt ??= this.lastSign
      loaded.resolve()
      if (told.kind === 'log') onLog(told.line)
      else if (told.kind === 'opened') opened.resolve()
      else if (told.kind === 'closed') closed.resolve()
      else if (told.kind === 'measured') this.#toldMeasured(told.measured)
      else if (told.kind === 'take') {
        this.tell({ kind: 'taken', number: told.number, taken: onTake(told.asked) })
      } else if (told.kind === 'measure-all') {
        void onMeasureAll().then((all) =>
          this.tell({ kind: 'all-measured', number: told.number, all }),
        )
      } else if (told.kind === 'failed') {
        opened.resolve()
        listening.reject(Object.assign(new Error(told.reason), { code: told.code }))
      } else if (told.kind === 'listening') {
        this.listeningSince = performance.now()
        listening.resolve(told.addresses)
      }
    })
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      const how = signal ?? `exit code ${code}`
      this.isGone = true
      this.#toldMeasured(this.measured)
      listening.reject(new Error(`a worker ended with ${how} before it listened`))
      loaded.resolve()
      opened.resolve()
      closed.resolve()
      gone.resolve(how)
    }
    child.once('exit', ended)
    if (child.exitCode !== null || child.signalCode !== null)
      ended(child.exitCode, child.signalCode)
    // A fork that failed, or a message to a process just gone: `exit` or `listening` tells.
    child.on('error', (error) => listening.reject(error))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Has it load the code that this kind of storage needs. */
  prepare(storage: StorageKind): void {
    this.tell({ kind: 'prepare', storage })
  }

  /** Has it open the store and listen; `key` is that of the seal, undefined while sealed. */
  begin(config: ServerConfig, first: boolean, key: Buffer | undefined): void {
    this.first = first
    this.begun = true
    this.tell({ kind: 'start', config, first })
    void this.keys.ask('key', key)
  }

  tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message)
  }

  /** Has it tell what it has measured; resolves when it has, or is gone, or late. */
  async measure(withinMs: number): Promise<void> {
    if (this.isGone || this.spokeAt === undefined) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(late)
        this.#measuring.delete(done)
        resolve()
      }
      const late = setTimeout(done, withinMs)
      this.#measuring.add(done)
      this.tell({ kind: 'measure' })
    })
  }

  #toldMeasured(measured: readonly Measured[]): void {
    this.measured = measured
    for (const done of this.#measuring) done()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Has it finish what it has begun and end; kills it when that takes too long. */
  async retire(): Promise<void> {
    this.leaving = true
    this.tell({ kind: 'drain' })
    const late = setTimeout(() => this.kill(), limits.drainMs + END_MS)
    await this.gone
    clearTimeout(late)
  }
}
