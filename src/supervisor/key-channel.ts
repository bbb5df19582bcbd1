import type { Duplex } from 'node:stream'

/**
 * What travels between supervisor and worker on the pipe of their own: keys and shares, as raw bytes (architecture.md F1), and what must
 * not overtake them.
 */
export type KeyMessageKind =
  /** Worker: here is a share; answered by `reply`. */
  | 'share'
  /** Worker: forget the shares given; answered by `reply`. */
  | 'reset'
  /** Worker: how far is the unsealing; answered by `reply`. */
  | 'progress'
  /** Worker: seal everything; answered by `reply`. */
  | 'seal'
  /** Worker: here is a key for an operation, behind a line of JSON that says for which; answered by `reply`. */
  | 'gather'
  /** Worker: how many keys were gathered; answered by `reply`. */
  | 'gathered'
  /** Worker: forget the keys gathered for this purpose; answered by `reply`. */
  | 'drop'
  /** Worker: the key of the seal is another now; answered by `reply`. */
  | 'rekeyed'
  /** Worker: the data made in the folder of this name is to take the place of the present; answered by `reply` once it is in force. */
  | 'restore'
  /** Supervisor: let go of the data; answered by `reply` once nothing is done with it any more. */
  | 'let-go'
  /** Supervisor: open the data there is now; answered by `reply` once that is done. */
  | 'take-up'
  /** Supervisor: all have opened the data; answered by `reply` once requests are answered from it. */
  | 'resume'
  /** Supervisor: another is about to open the data; answered by `reply` once nothing is written any more. */
  | 'hold'
  /** Supervisor: the other has opened it; answered by `reply`. */
  | 'go-on'
  /** Supervisor: the key of the seal; empty when sealed. Answered by `reply` once it is in use. */
  | 'key'
  /** Supervisor: forget the key now; answered by `reply`. */
  | 'forget'
  /** The answer to the message of this number. */
  | 'reply'

const KINDS: readonly KeyMessageKind[] = [
  'share',
  'reset',
  'progress',
  'seal',
  'gather',
  'gathered',
  'drop',
  'rekeyed',
  'restore',
  'let-go',
  'take-up',
  'resume',
  'hold',
  'go-on',
  'key',
  'forget',
  'reply',
]

/** Answers a message; what it throws ends as an empty answer at the other side, and is told to `onFault`. */
export type KeyMessageHandler = (
  kind: KeyMessageKind,
  payload: Buffer,
) => Promise<Buffer | undefined>

const HEADER_BYTES = 9
/** The longest message holds all shares there can be. */
const MOST_BYTES = 16_384

const NOTHING = Buffer.alloc(0)

/** Leaves no copy behind of what it joins. */
const joined = (first: Buffer, second: Buffer): Buffer => {
  const both = Buffer.concat([first, second])
  first.fill(0)
  second.fill(0)
  return both
}

/** One end of the pipe: frames of kind (1 byte), number (4), length (4) and payload. */
export class KeyChannel {
  readonly #pipe: Duplex
  readonly #handle: KeyMessageHandler
  readonly #onFault: (error: unknown) => void
  readonly #waiting = new Map<number, (payload: Buffer | undefined) => void>()
  #pending: Buffer = NOTHING
  #next = 1
  #closed = false

  constructor(pipe: Duplex, handle: KeyMessageHandler, onFault: (error: unknown) => void) {
    this.#pipe = pipe
    this.#handle = handle
    this.#onFault = onFault
    pipe.on('data', (bytes: Buffer) => this.#received(bytes))
    pipe.on('error', () => this.#end())
    pipe.on('close', () => this.#end())
  }

  /** Sends a message and waits for its answer; undefined when the other side is gone. */
  async ask(kind: KeyMessageKind, payload: Buffer = NOTHING): Promise<Buffer | undefined> {
    if (this.#closed) return undefined
    const number = this.#next++
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve)
      this.#send(kind, number, payload)
    })
  }

  #send(kind: KeyMessageKind, number: number, payload: Buffer): void {
    // Not from Buffer's pool, whose memory other parts of the process see.
    const frame = Buffer.alloc(HEADER_BYTES + payload.length)
    frame[0] = KINDS.indexOf(kind)
    frame.writeUInt32BE(number, 1)
    frame.writeUInt32BE(payload.length, 5)
    payload.copy(frame, HEADER_BYTES)
    this.#pipe.write(frame, () => frame.fill(0))
  }

  #received(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : joined(this.#pending, bytes)
    while (this.#pending.length >= HEADER_BYTES) {
      const length = this.#pending.readUInt32BE(5)
      const kind = KINDS[this.#pending[0]!]
      if (kind === undefined || length > MOST_BYTES) {
        this.#pipe.destroy(new Error('the key pipe carries something else'))
        return
      }
      if (this.#pending.length < HEADER_BYTES + length) return
      const number = this.#pending.readUInt32BE(1)
      const payload = this.#pending.subarray(HEADER_BYTES, HEADER_BYTES + length)
      this.#pending = this.#pending.subarray(HEADER_BYTES + length)
      if (kind === 'reply') this.#answered(number, payload)
      else void this.#answer(kind, number, payload)
    }
  }

  #answered(number: number, payload: Buffer): void {
    this.#waiting.get(number)?.(payload)
    this.#waiting.delete(number)
  }

  async #answer(kind: KeyMessageKind, number: number, payload: Buffer): Promise<void> {
    let answer: Buffer | undefined
    try {
      answer = await this.#handle(kind, payload)
    } catch (error) {
      this.#onFault(error)
    }
    if (!this.#closed) this.#send('reply', number, answer ?? NOTHING)
    // It may hold keys, and was copied.
    answer?.fill(0)
  }

  #end(): void {
    this.#closed = true
    for (const resolve of this.#waiting.values()) resolve(undefined)
    this.#waiting.clear()
  }
}
