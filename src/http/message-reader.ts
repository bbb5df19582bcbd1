import { Buffer } from 'node:buffer'
import { BadMessage, checkRequestLine, checkTrailer, parseHead } from './message-head.ts'
import type { MessageHead } from './message-head.ts'
import type { HttpLimits } from './limits.ts'

/** What a reader waits for: the first byte of a request, the rest of its head, its body. */
export type ReaderState = 'idle' | 'head' | 'body'

/** A whole request; or one whose body is still to come, piece by piece (`nextPiece`). */
export interface Message {
  readonly head: MessageHead
  readonly body: Buffer
  readonly streamed: boolean
}

type BodyPart = 'fixed' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done'

const EMPTY = Buffer.alloc(0)
const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 0x0d
const LF = 0x0a
/** A chunk's size and extensions, without the blanks that some readers tolerate. */
const CHUNK_SIZE =
  /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[^"\\]*"))?)*$/

/**
 * Cuts a connection's bytes into requests, however they are split: any method, kept alive, pipelined, byte by byte.
 * Node's own parser refuses methods that are not on its list, LIST and SCAN among them, and what it has taken in by then
 * cannot be had back, so it cannot be helped from outside. This reader accepts nothing that Node's would frame in
 * another way (its test compares the two). Once it has thrown, the connection is of no more use.
 */
export class MessageReader {
  readonly #limits: HttpLimits
  readonly #streams: (head: MessageHead) => boolean
  #pending: Buffer = EMPTY
  /** Where the search for the head's end goes on, so that single bytes cost no second look. */
  #searched = 0
  #lineChecked = false
  #head: MessageHead | undefined
  #part: BodyPart = 'fixed'
  /** The body so far: the first piece as it came, or a buffer that doubles, so that tiny pieces stay cheap. */
  #body: Buffer = EMPTY
  #bodyBytes = 0
  /** Of the fixed body or the chunk: bytes still to come. */
  #left = 0
  /** Bytes of chunk extensions and trailers so far. */
  #overhead = 0
  #continues = false
  /** The body of the present request is taken in pieces, and may be of any length. */
  #streaming = false

  /** `streams`: whose bodies are taken in pieces. */
  constructor(limits: HttpLimits, streams: (head: MessageHead) => boolean = () => false) {
    this.#limits = limits
    this.#streams = streams
  }

  get state(): ReaderState {
    if (this.#head) return 'body'
    return this.#pending.length === 0 ? 'idle' : 'head'
  }

  /** Bytes taken in but not yet read as (part of) a request's body. */
  get pendingBytes(): number {
    return this.#pending.length
  }

  /** True once for a request whose client waits for `100 Continue`, before its body has begun. */
  takeContinue(): boolean {
    const wanted = this.#continues && this.#bodyBytes === 0 && this.#pending.length === 0
    if (wanted) this.#continues = false
    return wanted
  }

  /** Adds what the connection brought. */
  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
  }

  /** The next whole request, if there is one; of a streamed one its head. Throws BadMessage. */
  next(): Message | undefined {
    if (!this.#head && !this.#readHead()) return undefined
    const head = this.#head as MessageHead
    if (this.#streaming) return { head, body: EMPTY, streamed: true }
    if (!this.#readBody()) return undefined
    const body = this.#takeBody()
    this.#endMessage()
    return { head, body, streamed: false }
  }

  /** Bytes of a streamed body; `end` behind the last of them, once; undefined when more must come first. Throws BadMessage. */
  nextPiece(): Buffer | 'end' | undefined {
    const whole = this.#readBody()
    const piece = this.#takeBody()
    if (piece.length > 0) return piece
    if (!whole) return undefined
    this.#endMessage()
    return 'end'
  }

  #takeBody(): Buffer {
    const body = this.#body.subarray(0, this.#bodyBytes)
    this.#body = EMPTY
    this.#bodyBytes = 0
    return body
  }

  #endMessage(): void {
    this.#head = undefined
    this.#streaming = false
    this.#continues = false
  }

  #readHead(): boolean {
    // Empty lines before a request are allowed (RFC 9112 2.2): some clients end a body with one.
    let skip = 0
    while (this.#pending[skip] === CR || this.#pending[skip] === LF) skip++
    if (skip > 0) {
      this.#pending = this.#pending.subarray(skip)
      this.#searched = 0
    }
    const end = this.#pending.indexOf(HEAD_END, this.#searched)
    if (
      end > this.#limits.headerBytes ||
      (end === -1 && this.#pending.length > this.#limits.headerBytes)
    )
      throw new BadMessage(431, 'request header too large')
    if (end === -1) {
      this.#searched = Math.max(0, this.#pending.length - 3)
      this.#refuseEarly()
      return false
    }
    const head = parseHead(this.#pending.toString('latin1', 0, end))
    this.#pending = this.#pending.subarray(end + 4)
    this.#searched = 0
    this.#lineChecked = false
    this.#overhead = 0
    this.#continues = head.expectsContinue
    this.#streaming = this.#streams(head)
    if (head.framing.kind === 'chunked') this.#part = 'chunk-size'
    else {
      this.#part = 'fixed'
      this.#left = head.framing.bytes
      this.#bound(this.#left)
    }
    this.#head = head
    return true
  }

  /** What cannot become a request is refused at once: garbage, TLS on a plain port. */
  #refuseEarly(): void {
    if (this.#lineChecked || this.#pending.length === 0) return
    const first = this.#pending[0] as number
    if (first < 0x21 || first > 0x7e) throw new BadMessage(400, 'not HTTP')
    const lf = this.#pending.indexOf(LF)
    if (lf === -1) return
    if (lf === 0 || this.#pending[lf - 1] !== CR) throw new BadMessage(400, 'malformed line end')
    checkRequestLine(this.#pending.toString('latin1', 0, lf - 1))
    this.#lineChecked = true
  }

  #bound(bytes: number): void {
    if (!this.#streaming && this.#limits.bodyBytes >= 0 && bytes > this.#limits.bodyBytes)
      throw new BadMessage(413, 'http: request body too large')
  }

  #readBody(): boolean {
    for (;;) {
      switch (this.#part) {
        case 'fixed':
          return this.#take()
        case 'chunk-size': {
          const line = this.#line()
          if (line === undefined) return false
          const size = CHUNK_SIZE.exec(line)
          if (!size) throw new BadMessage(400, 'malformed chunk')
          this.#left = Number.parseInt(size[1] as string, 16)
          this.#bound(this.#bodyBytes + this.#left)
          this.#part = this.#left === 0 ? 'trailers' : 'chunk-data'
          break
        }
        case 'chunk-data':
          if (!this.#take()) return false
          this.#part = 'chunk-end'
          break
        case 'chunk-end': {
          const line = this.#line()
          if (line === undefined) return false
          if (line !== '') throw new BadMessage(400, 'malformed chunk')
          this.#part = 'chunk-size'
          break
        }
        case 'trailers': {
          const line = this.#line()
          if (line === undefined) return false
          if (line === '') this.#part = 'done'
          else checkTrailer(line)
          break
        }
        case 'done':
          return true
      }
    }
  }

  /** Moves pending bytes to the body; true when the fixed body or the chunk is complete. */
  #take(): boolean {
    if (this.#left === 0) return true
    const taken = this.#pending.subarray(0, this.#left)
    if (taken.length === 0) return false
    this.#append(taken)
    this.#left -= taken.length
    this.#pending = this.#pending.subarray(taken.length)
    return this.#left === 0
  }

  #append(piece: Buffer): void {
    const bytes = this.#bodyBytes + piece.length
    if (this.#bodyBytes === 0) this.#body = piece
    else {
      if (bytes > this.#body.length) {
        const larger = Buffer.allocUnsafe(Math.max(bytes, this.#bodyBytes * 2))
        this.#body.copy(larger, 0, 0, this.#bodyBytes)
        this.#body = larger
      }
      piece.copy(this.#body, this.#bodyBytes)
    }
    this.#bodyBytes = bytes
  }

  /** The next line of chunk framing without its CRLF; undefined when it has not ended. */
  #line(): string | undefined {
    const lf = this.#pending.indexOf(LF)
    const length = lf === -1 ? this.#pending.length : lf + 1
    if (this.#overhead + length > this.#limits.trailerBytes)
      throw new BadMessage(400, 'chunk framing too large')
    if (lf === -1) return undefined
    // A data line's own size and CRLF are no overhead, extensions and trailers are.
    this.#overhead += Math.max(0, length - 12)
    if (this.#pending[lf - 1] !== CR) throw new BadMessage(400, 'malformed line end')
    const line = this.#pending.toString('latin1', 0, lf - 1)
    this.#pending = this.#pending.subarray(lf + 1)
    return line
  }
}
