import { Worker } from 'node:worker_threads'
import type { Drained } from './drain-thread.ts'

/** Sends a request whose answer is not kept; see drain-thread.ts. */
export const drain = (port: number, text: string): Promise<Drained> =>
  new Promise((resolve, reject) => {
    const thread = new Worker(new URL('drain-thread.ts', import.meta.url), {
      workerData: { port, text },
    })
    thread.once('message', (drained: Drained) => {
      resolve(drained)
      void thread.terminate()
    })
    thread.once('error', reject)
  })
