import type { Measured } from '../metrics/measured.ts'
import { addCounted } from '../metrics/measured.ts'
import { measureProcess } from '../metrics/process-meters.ts'
import type { WorkerProcess } from './worker-process.ts'

/** A worker that takes longer counts with what it told last. */
const PATIENCE_MS = 1_000

/** What all workers have measured; what those that are gone have counted stays, so that no count ever falls. */
export class Measurements {
  #ofGone: readonly Measured[] = []

  /** By process. */
  async collect(workers: Iterable<WorkerProcess>): Promise<readonly (readonly Measured[])[]> {
    const present = [...workers]
    await Promise.all(present.map((worker) => worker.measure(PATIENCE_MS)))
    const told = present.filter(({ isGone }) => !isGone).map(({ measured }) => measured)
    return [measureProcess('supervisor'), this.#ofGone, ...told]
  }

  /** Takes in what a worker told last. */
  gone({ measured }: WorkerProcess): void {
    this.#ofGone = addCounted(this.#ofGone, measured)
  }
}
