import { limits } from '../limits.ts'
import type { Log } from '../process/log.ts'
import type { Exchanged } from './remote-restore.ts'
import type { WorkerProcess } from './worker-process.ts'

/** Has every worker let go of the data, exchanges it, and has them take up what is there then. */
export const exchangeData = async (
  workers: readonly WorkerProcess[],
  exchange: () => Promise<string>,
  log: Log,
): Promise<Exchanged> => {
  await Promise.all(workers.map((worker) => doStep(worker, 'let-go')))
  let exchanged: Exchanged
  try {
    exchanged = { kind: 'exchanged', keptAs: await exchange() }
  } catch (error) {
    log('the data could not be exchanged', error)
    exchanged = { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
  await Promise.all(workers.map((worker) => doStep(worker, 'take-up')))
  return exchanged
}

/** A worker that does not do it in time, or fails, ends: nobody may go on with the old data. */
const doStep = async (worker: WorkerProcess, step: 'let-go' | 'take-up'): Promise<void> => {
  if (worker.isGone) return
  const late = setTimeout(() => worker.kill(), limits.restoreStepMs)
  const answer = await worker.keys.ask(step)
  clearTimeout(late)
  if (answer !== undefined && answer.length > 0) return
  worker.kill()
  await worker.gone
}
