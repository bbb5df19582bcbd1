import { limits } from '../limits.ts'
import type { Log } from '../process/log.ts'
import type { KeyMessageKind } from './key-channel.ts'
import type { Exchanged } from './remote-restore.ts'
import type { WorkerProcess } from './worker-process.ts'

/**
 * Has every worker let go of the data, exchanges it, and has them take up what is there then: all of them open it before any of them
 * writes (see `openBeside`).
 */
export const exchangeData = async (
  workers: readonly WorkerProcess[],
  exchange: () => Promise<string>,
  log: Log,
): Promise<Exchanged> => {
  await allDo(workers, 'let-go', limits.restoreStepMs)
  let exchanged: Exchanged
  try {
    exchanged = { kind: 'exchanged', keptAs: await exchange() }
  } catch (error) {
    log('the data could not be exchanged', error)
    exchanged = { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
  await allDo(workers, 'take-up', limits.restoreStepMs)
  await allDo(workers, 'resume', limits.restoreStepMs)
  return exchanged
}

/** Has a worker begin to open the data while none of the others writes: LMDB loses what is written meanwhile (see `LmdbStore.hold`). */
export const openBeside = async (
  worker: WorkerProcess,
  others: readonly WorkerProcess[],
  begin: () => void,
): Promise<void> => {
  await allDo(others, 'hold', limits.openStepMs)
  try {
    if (worker.isGone) return
    begin()
    const late = setTimeout(() => worker.kill(), limits.openStepMs)
    await worker.opened
    clearTimeout(late)
  } finally {
    await allDo(others, 'go-on', limits.openStepMs)
  }
}

const allDo = async (
  workers: readonly WorkerProcess[],
  step: KeyMessageKind,
  withinMs: number,
): Promise<void> => {
  await Promise.all(workers.map((worker) => doStep(worker, step, withinMs)))
}

/** A worker that does not do it in time, or fails, ends: nobody may go on with the old data, or write when nobody may. */
const doStep = async (
  worker: WorkerProcess,
  step: KeyMessageKind,
  withinMs: number,
): Promise<void> => {
  if (worker.isGone) return
  const late = setTimeout(() => worker.kill(), withinMs)
  const answer = await worker.keys.ask(step)
  clearTimeout(late)
  if (answer !== undefined && answer.length > 0) return
  worker.kill()
  await worker.gone
}
