import type { Worker } from 'node:worker_threads'
import type { Bcrypt } from './password.ts'

/** What a thread is given: a password to hash at a cost, or to compare with a hash. */
export type HashJob =
  | { readonly password: string; readonly cost: number; readonly hash?: undefined }
  | { readonly password: string; readonly hash: string }

/** What it gives back. */
export type HashOutcome =
  | { readonly value: string | boolean; readonly error?: undefined }
  | { readonly error: string }

/** What a thread may take: it holds one password at a time. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 }

const startThread = (): Worker => {
  // Loaded with the first password: no start should wait for it.
  const threads = process.getBuiltinModule('node:worker_threads')
  return new threads.Worker(new URL('./hash-thread.ts', import.meta.url), {
    resourceLimits: LIMITS,
  })
}

/** One thread, and the job it has. */
class HashThread {
  readonly #worker = startThread()
  #job: PromiseWithResolvers<string | boolean> | undefined
  /** It takes no more jobs. */
  ended = false

  constructor() {
    this.#worker.on('message', (outcome: HashOutcome) => {
      // An idle thread must not keep the process alive.
      this.#worker.unref()
      if (outcome.error === undefined) this.#job?.resolve(outcome.value)
      else this.#job?.reject(new Error(outcome.error))
    })
    const end = (error: Error): void => {
      this.ended = true
      this.#job?.reject(error)
    }
    this.#worker.on('error', end)
    this.#worker.on('exit', (code) => end(new Error(`a thread for passwords ended with ${code}`)))
  }

  run(job: HashJob): Promise<string | boolean> {
    this.#job = Promise.withResolvers()
    this.#worker.ref()
    this.#worker.postMessage(job)
    return this.#job.promise
  }
}

/**
 * bcrypt in threads of its own, made when they are first needed and kept: as many as there are jobs at once, which the caller
 * bounds. Unlike libuv's threads these can be told to yield to requests and commits where all cores are busy.
 */
export const threadedBcrypt = (): Bcrypt => {
  const idle: HashThread[] = []
  const run = async (job: HashJob): Promise<string | boolean> => {
    let thread = idle.pop()
    while (thread?.ended === true) thread = idle.pop()
    thread ??= new HashThread()
    try {
      return await thread.run(job)
    } finally {
      if (!thread.ended) idle.push(thread)
    }
  }
  return {
    hash: async (password, cost) => (await run({ password, cost })) as string,
    verify: async (password, hash) => (await run({ password, hash })) as boolean,
  }
}
