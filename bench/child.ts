import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

/** What a server of the bench is told. */
export type Order = { readonly id: number } & OrderBody
type OrderBody =
  | { readonly kind: 'report' | 'memory' | 'delay' | 'profile' | 'stop' }
  | { readonly kind: 'profiled'; readonly file: string }
  | { readonly kind: 'answer'; readonly answer: Answer }

/** An answer as the wire has it, without the headers that every HTTP server adds by itself. */
export interface Answer {
  readonly status: number
  /** Name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: string
}

/** What a process has used so far. */
export interface ChildReport {
  /** User and system time of all its threads. */
  readonly cpuMicroseconds: number
}

/** What a process holds. */
export interface MemoryReport {
  /** Pages that are this process's alone, LMDB's mapped file among them. */
  readonly privateBytes: number
  /** Resident pages that no file stands behind. */
  readonly anonymousBytes: number
}

/** How late the event loop of a process came to its work since this was asked last, ms. */
export interface DelayReport {
  readonly p99Ms: number
  readonly maxMs: number
}

/** A server in a process of its own. */
export class Child {
  readonly port: number
  /** From the start of the process until it listened, ms. */
  readonly readyMs: number
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #orders = 0

  private constructor(child: ChildProcess, port: number, readyMs: number) {
    this.#process = child
    this.port = port
    this.readyMs = readyMs
    child.on('message', ({ id, value }: { id: number; value: unknown }) => {
      this.#waiting.get(id)?.(value)
      this.#waiting.delete(id)
    })
  }

  /** Starts `file` (relative to this folder); resolves when it listens. */
  static async start(file: string, args: readonly string[] = []): Promise<Child> {
    const began = performance.now()
    const child = fork(new URL(file, import.meta.url), args, {
      execArgv: file.startsWith('signet')
        ? (process.env['BENCH_EXEC'] ?? '').split(' ').filter(Boolean)
        : [],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message: { port: number }) => resolve(message.port))
      child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)))
    })
    child.removeAllListeners('exit')
    return new Child(child, port, performance.now() - began)
  }

  report(): Promise<ChildReport> {
    return this.#order({ kind: 'report' }) as Promise<ChildReport>
  }

  memory(): Promise<MemoryReport> {
    return this.#order({ kind: 'memory' }) as Promise<MemoryReport>
  }

  delay(): Promise<DelayReport> {
    return this.#order({ kind: 'delay' }) as Promise<DelayReport>
  }

  /** From now on the bare server answers this. */
  async answer(answer: Answer): Promise<void> {
    await this.#order({ kind: 'answer', answer })
  }

  /** Runs `work` and writes a CPU profile of the server to `file`. */
  async profiled<T>(file: string | undefined, work: () => Promise<T>): Promise<T> {
    if (file === undefined) return work()
    await this.#order({ kind: 'profile' })
    const value = await work()
    await this.#order({ kind: 'profiled', file })
    return value
  }

  /** Resolves when the process has ended. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.send({ id: 0, kind: 'stop' })
    await ended
  }

  #order(body: OrderBody): Promise<unknown> {
    const id = ++this.#orders
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve)
      this.#process.send({ id, ...body }, (error) => {
        if (error !== null) reject(error)
      })
    })
  }
}
