import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** For tests: a client that sends exactly the bytes it is told to, and cuts what comes back into answers. */
export class WireClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake?.()
    })
  }

  static async connect(port: number): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new WireClient(socket)
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends every byte as a packet of its own. */
  async trickle(text: string): Promise<void> {
    for (const byte of Buffer.from(text, 'latin1')) {
      await new Promise((resolve) => this.#socket.write(Uint8Array.of(byte), resolve))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Takes nothing more from the server. */
  stopReading(): void {
    this.#socket.pause()
  }

  /** Ends the client's side. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** The next answer; `head` for answers to HEAD, which have a length and no body. Rejects when the server closes first. */
  async answer(head = false): Promise<WireAnswer> {
    for (;;) {
      const answer = this.#cut(head)
      if (answer) return answer
      if (this.#closed) throw new Error(`closed after ${JSON.stringify(this.#received.toString())}`)
      await this.#more()
    }
  }

  /** Resolves when the server has closed, to what it sent since the last answer. */
  async rest(): Promise<string> {
    this.#socket.on('end', () => this.#socket.end())
    if (this.#socket.readableEnded) this.#socket.end()
    while (!this.#closed) await this.#more()
    return this.#received.toString('latin1')
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #cut(head: boolean): WireAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    const [line = '', ...rest] = this.#received.toString('latin1', 0, end).split('\r\n')
    const headers: Record<string, string> = {}
    for (const header of rest) {
      const colon = header.indexOf(':')
      headers[header.slice(0, colon).toLowerCase()] = header.slice(colon + 1).trim()
    }
    const length = head ? 0 : Number(headers['content-length'] ?? 0)
    if (this.#received.length < end + 4 + length) return undefined
    const body = this.#received.toString('utf8', end + 4, end + 4 + length)
    this.#received = this.#received.subarray(end + 4 + length)
    return { status: Number(line.split(' ')[1]), headers, body }
  }
}
