import { BadMessage } from './message-head.ts'
import type { MessageReader } from './message-reader.ts'
import { BrokenBody } from '../engine/broken-body.ts'

/** What a streamed body needs of its connection. */
export interface BodyPorts {
  /** More is wanted: let it come. */
  readonly want: () => void
  /** When the next bytes must be there, in the time of `isLate`. */
  readonly deadline: () => number
}

/**
 * The body of one request as it comes: read no faster than it is asked for. Throws BrokenBody when the client stops, or sends what
 * is no body.
 */
export class StreamedBody implements AsyncIterable<Uint8Array> {
  readonly #reader: MessageReader
  readonly #ports: BodyPorts
  #ended = false
  /** Nothing comes any more behind what is here. */
  #isLast = false
  #failure: string | undefined
  #wake: (() => void) | undefined
  #deadline = Infinity

  constructor(reader: MessageReader, ports: BodyPorts) {
    this.#reader = reader
    this.#ports = ports
  }

  /** Whether all of it was taken. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether somebody has waited too long for it. */
  isLate(now: number): boolean {
    return now >= this.#deadline
  }

  /** The reader has got something. */
  came(): void {
    this.#wake?.()
  }

  /** The client sends nothing more. */
  last(): void {
    this.#isLast = true
    this.#wake?.()
  }

  /** Whoever waits, now or later, is told that the rest does not come. */
  fail(reason: string): void {
    this.#failure ??= reason
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const piece = this.#next()
      if (piece === 'end') {
        this.#ended = true
        return
      }
      if (piece === undefined) await this.#more()
      else yield piece
    }
  }

  #next(): Uint8Array | 'end' | undefined {
    if (this.#failure !== undefined) throw new BrokenBody(this.#failure)
    try {
      const piece = this.#reader.nextPiece()
      if (piece !== undefined || !this.#isLast) return piece
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error
      throw new BrokenBody(error.message)
    }
    throw new BrokenBody('the client ended before the whole body had come')
  }

  async #more(): Promise<void> {
    this.#deadline = this.#ports.deadline()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#ports.want()
    })
    this.#wake = undefined
    this.#deadline = Infinity
  }
}
