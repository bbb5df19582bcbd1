import { auditLimits } from './limits.ts'

/** A device has more waiting than it may: it does not take its lines, or not as fast as they come. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull'
}

interface Step {
  /** Absent: a task between writes. */
  readonly lines?: string[]
  readonly run: (text: string) => Promise<void>
  readonly done: PromiseWithResolvers<void>
  units: number
}

/** What a queue may hold, in UTF-16 units. */
export interface QueueLimits {
  readonly batchUnits: number
  readonly waitingUnits: number
}

/**
 * Writes lines in their order, one write at a time. Lines that come while one is under way go together into the next:
 * no timer, and a quiet device writes at the end of the turn. The lines of a write share its fate.
 */
export class LineQueue {
  readonly #write: (text: string) => Promise<void>
  readonly #limits: QueueLimits
  readonly #steps: Step[] = []
  #waiting = 0
  #running = false

  constructor(write: (text: string) => Promise<void>, queueLimits: QueueLimits = auditLimits) {
    this.#write = write
    this.#limits = queueLimits
  }

  /** Settles as the write that the line is part of; rejects with QueueFull at once when too much waits. */
  push(line: string): Promise<void> {
    if (this.#waiting > 0 && this.#waiting + line.length > this.#limits.waitingUnits) {
      return Promise.reject(new QueueFull('too many entries are waiting for the device'))
    }
    this.#waiting += line.length
    const last = this.#steps.at(-1)
    if (last?.lines !== undefined && last.units + line.length <= this.#limits.batchUnits) {
      last.lines.push(line)
      last.units += line.length
      return last.done.promise
    }
    return this.#add({
      lines: [line],
      run: this.#write,
      done: Promise.withResolvers(),
      units: line.length,
    })
  }

  /** Runs a task after the lines that wait, before those to come: reopening, closing. Settles as the task. */
  between(task: () => Promise<void>): Promise<void> {
    return this.#add({ run: task, done: Promise.withResolvers(), units: 0 })
  }

  #add(step: Step): Promise<void> {
    this.#steps.push(step)
    if (!this.#running) {
      this.#running = true
      // At the end of the present turn of the event loop, so that all its requests share a write.
      setImmediate(() => void this.#run())
    }
    return step.done.promise
  }

  async #run(): Promise<void> {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      try {
        await step.run(step.lines?.join('') ?? '')
        step.done.resolve()
      } catch (error) {
        step.done.reject(error)
      } finally {
        this.#waiting -= step.units
      }
    }
    this.#running = false
  }
}
