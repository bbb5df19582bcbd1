import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { hashSync, verifySync } from '@node-rs/bcrypt'
import type { HashJob, HashOutcome } from './hash-threads.ts'

/*
 * A thread that computes bcrypt hashes and nothing else. On Linux it yields to all other threads of the process: there a
 * priority is a thread's own (elsewhere it would be the process's, which is left alone).
 */
const PRIORITY = 15

if (process.platform === 'linux') setPriority(PRIORITY)

const outcomeOf = (job: HashJob): HashOutcome => {
  try {
    return job.hash === undefined
      ? { value: hashSync(job.password, job.cost) }
      : { value: verifySync(job.password, job.hash) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', (job: HashJob) => parentPort?.postMessage(outcomeOf(job)))
