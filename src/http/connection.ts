import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { renderError } from './envelope.ts'
import type { HttpLimits } from './limits.ts'
import { BadMessage } from './message-head.ts'
import { MessageReader } from './message-reader.ts'
import type { Message } from './message-reader.ts'
import { StreamedBody } from './streamed-body.ts'
import type { HttpAnswer, RawRequest } from './request.ts'
import { responseHead } from './response-head.ts'

/** What a connection needs of its listener. */
export interface ConnectionHost {
  readonly limits: HttpLimits
  /** Whether the body of this request is taken piece by piece, however long it is. */
  streams(method: string, target: string): boolean
  /** Milliseconds, monotonic, as of the last sweep: deadlines need no more. */
  now(): number
  /** The Date header's value. */
  date(): string
  /** Never rejects: a fault is an answer too. */
  answer(request: RawRequest, socket: Socket): Promise<HttpAnswer>
  /** The answer to a fault of ours, which it reports. */
  fault(error: unknown): HttpAnswer
  closed(connection: Connection): void
}

/** `draining`: an answer waits for the client to take it; no further request is read before. */
type Phase = 'reading' | 'answering' | 'draining' | 'lingering'

/**
 * One client connection: requests are answered in turn, in the order they came. While one is being answered, no more
 * than a socket's buffer of what follows is taken in.
 */
export class Connection {
  readonly #host: ConnectionHost
  readonly #socket: Socket
  readonly #reader: MessageReader
  #phase: Phase = 'reading'
  /** Set when no further request is to be served. */
  #last = false
  #ended = false
  /** When the phase must be over, if it is `reading` or `lingering`. */
  #deadline: number
  /** When the client must have taken what was written. */
  #writeDeadline = Infinity
  #lingered = 0
  /** Set while a stream waits for the client to take what was sent. */
  #room: (() => void) | undefined
  /** The body of the request that is being answered, while it is taken piece by piece. */
  #body: StreamedBody | undefined

  constructor(host: ConnectionHost, socket: Socket) {
    this.#host = host
    this.#socket = socket
    this.#reader = new MessageReader(host.limits, ({ method, target }) =>
      host.streams(method, target),
    )
    // A new connection has as long to show headers as a new request: it has no past to be patient about.
    this.#deadline = host.now() + host.limits.headerMs
    socket.on('data', (bytes) => this.#received(bytes as Buffer))
    socket.on('drain', () => this.#drained())
    socket.on('end', () => this.#clientEnded())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#room?.()
      this.#body?.fail('the connection was closed before the whole body had come')
      host.closed(this)
    })
  }

  /** Closes what is past its deadline. */
  sweep(now: number): void {
    if (this.#body?.isLate(now) === true) this.#body.fail('the body did not go on in time')
    if (this.#socket.writableLength > 0 && now >= this.#writeDeadline) this.destroy()
    else if (now < this.#deadline) return
    else if (this.#phase === 'lingering') this.destroy()
    else if (this.#phase === 'reading') {
      if (this.#reader.state === 'idle') this.#socket.destroySoon()
      else this.#refuse(408, 'timeout')
    }
  }

  /** Serves what has begun, then closes; at once when nothing has. */
  drain(): void {
    this.#last = true
    if (this.#phase === 'reading' && this.#reader.state === 'idle') this.#socket.destroySoon()
  }

  /** Closes without ceremony. */
  destroy(): void {
    this.#socket.destroy()
  }

  #received(bytes: Buffer): void {
    if (this.#phase === 'lingering') {
      this.#lingered += bytes.length
      if (this.#lingered > this.#host.limits.lingerBytes) this.destroy()
      return
    }
    const before = this.#reader.state
    this.#reader.push(bytes)
    if (this.#phase === 'reading') this.#proceed(before === 'idle')
    else {
      this.#socket.pause()
      this.#body?.came()
    }
  }

  /** Reads on; `began` says that a request's first bytes may just have come. */
  #proceed(began: boolean): void {
    let message: Message | undefined
    const before = this.#reader.state
    try {
      message = this.#reader.next()
    } catch (error) {
      if (error instanceof BadMessage) this.#refuse(error.status, error.message)
      else this.#close(this.#host.fault(error))
      return
    }
    if (message) {
      this.#phase = 'answering'
      void this.#serve(message)
      return
    }
    const { limits } = this.#host
    const state = this.#reader.state
    if (state === 'body' && before !== 'body') this.#deadline = this.#host.now() + limits.bodyMs
    else if (state === 'head' && began) this.#deadline = this.#host.now() + limits.headerMs
    if (state === 'body' && this.#reader.takeContinue())
      this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    if (this.#ended) this.#socket.end()
  }

  async #serve({ head, body, streamed }: Message): Promise<void> {
    const { method, target, headers } = head
    const bodyStream = streamed ? this.#openBody() : undefined
    const raw = {
      method,
      target,
      headers,
      body,
      ...(bodyStream === undefined ? {} : { bodyStream }),
    }
    const answer = await this.#host.answer(raw, this.#socket)
    // What is left of a body that nobody wanted to the end cannot be told from a request.
    if (bodyStream !== undefined && !bodyStream.ended) this.#last = true
    this.#body = undefined
    if (!head.keepAlive) this.#last = true
    if (answer.stream !== undefined) {
      await this.#streamed(answer, answer.stream, head.takesChunks)
      return
    }
    if (this.#socket.destroyed) return
    // Asked again afterwards: the listener may have begun to stop while the answer was made.
    const closes = this.#last
    try {
      this.#write(answer, method === 'HEAD', closes)
    } catch (error) {
      this.#close(this.#host.fault(error))
      return
    }
    this.#finish(closes)
  }

  #openBody(): StreamedBody {
    const { limits } = this.#host
    this.#body = new StreamedBody(this.#reader, {
      want: () => {
        if (this.#reader.takeContinue()) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        this.#socket.resume()
      },
      deadline: () => this.#host.now() + limits.bodyMs,
    })
    if (this.#ended) this.#body.last()
    return this.#body
  }

  #drained(): void {
    this.#room?.()
    if (this.#phase === 'draining') this.#readOn()
  }

  /** Sends an answer while it is made, no faster than the client takes it; breaks off where it fails. */
  async #streamed(
    answer: HttpAnswer,
    stream: AsyncIterable<Uint8Array>,
    takesChunks: boolean,
  ): Promise<void> {
    const pieces = stream[Symbol.asyncIterator]()
    // Its end is where the connection ends, for a client that knows no chunks.
    if (!takesChunks) this.#last = true
    const closes = this.#last
    try {
      const framing = takesChunks ? 'chunked' : 'until-close'
      this.#send(responseHead(answer, framing, this.#host.date(), closes))
      for (;;) {
        while (this.#socket.writableNeedDrain && !this.#socket.destroyed) await this.#roomToWrite()
        if (this.#socket.destroyed) {
          await pieces.return?.()
          return
        }
        const step = await pieces.next()
        if (step.done === true) break
        if (step.value.length === 0) continue
        this.#socket.cork()
        if (takesChunks) this.#send(`${step.value.length.toString(16)}\r\n`)
        this.#send(step.value)
        if (takesChunks) this.#send('\r\n')
        this.#socket.uncork()
      }
    } catch (error) {
      this.#host.fault(error)
      this.destroy()
      return
    }
    if (takesChunks) this.#send('0\r\n\r\n')
    this.#finish(this.#last)
  }

  #send(bytes: string | Uint8Array): void {
    if (this.#socket.destroyed) return
    this.#writeDeadline = this.#host.now() + this.#host.limits.writeMs
    if (typeof bytes === 'string') this.#socket.write(bytes, 'latin1')
    else this.#socket.write(bytes)
  }

  async #roomToWrite(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#room = resolve
    })
    this.#room = undefined
  }

  /** After an answer: the next request, or the end of the connection. */
  #finish(closes: boolean): void {
    if (this.#socket.destroyed) return
    if (closes) {
      this.#socket.end()
      this.#linger()
    } else if (this.#socket.writableNeedDrain) this.#phase = 'draining'
    else this.#readOn()
  }

  /** Turns to the next request of a kept-alive connection. */
  #readOn(): void {
    this.#phase = 'reading'
    const { limits } = this.#host
    const pending = this.#reader.pendingBytes > 0
    this.#deadline = this.#host.now() + (pending ? limits.headerMs : limits.idleMs)
    if (pending || this.#ended) this.#proceed(pending)
    if (this.#socket.isPaused() && this.#isReading()) this.#socket.resume()
  }

  #isReading(): boolean {
    return this.#phase === 'reading' || this.#phase === 'lingering'
  }

  #write(answer: HttpAnswer, headOnly: boolean, closes: boolean): void {
    const { body } = answer
    const length = body === undefined ? 0 : Buffer.byteLength(body)
    const head = responseHead(answer, length, this.#host.date(), closes)
    this.#writeDeadline = this.#host.now() + this.#host.limits.writeMs
    if (body === undefined || headOnly) this.#socket.write(head, 'latin1')
    else if (typeof body !== 'string') {
      this.#socket.cork()
      this.#socket.write(head, 'latin1')
      this.#socket.write(body)
      this.#socket.uncork()
    } else if (length === body.length) this.#socket.write(head + body, 'latin1')
    else {
      this.#socket.cork()
      this.#socket.write(head, 'latin1')
      this.#socket.write(body, 'utf8')
      this.#socket.uncork()
    }
  }

  /** Answers what cannot be read as a request, and closes. */
  #refuse(status: number, reason: string): void {
    const text = status === 413 || status === 408 ? reason : `bad request: ${reason}`
    this.#close(renderError(status, [text]))
  }

  #close(answer: HttpAnswer): void {
    this.#write(answer, false, true)
    this.#socket.end()
    this.#linger()
  }

  /**
   * Reads and drops what the client still sends: closing at once would reset the connection and might take the answer
   * with it.
   */
  #linger(): void {
    this.#phase = 'lingering'
    this.#last = true
    if (this.#ended) return
    this.#deadline = this.#host.now() + this.#host.limits.lingerMs
    this.#socket.resume()
  }

  #clientEnded(): void {
    this.#ended = true
    this.#body?.last()
    if (this.#phase === 'reading' || this.#phase === 'lingering') this.#socket.end()
  }
}
