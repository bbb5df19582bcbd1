import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** A request as bytes, made before the clock runs. */
export type Ask = (count: number) => string

/** How a load is put on a server. */
export interface Load {
  readonly port: number
  /** Kept-alive connections, each with one request under way. */
  readonly clients: number
  /** The request number `count`, over all connections. */
  readonly ask: Ask
  /** Ends after so many seconds, or so many requests. */
  readonly seconds?: number
  readonly requests?: number
  /** Ends once this is true. */
  readonly over?: () => boolean
  /** Hears of each answer's body, where a workload needs it. */
  readonly answered?: (body: string) => void
}

/** What a load met. */
export interface Driven {
  readonly requests: number
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers with a status above 299. */
  readonly refused: number
  /** The first of those. */
  readonly refusal: string | undefined
}

/** The text of a request. */
export const requestText = (
  method: string,
  path: string,
  token: string | undefined,
  body?: unknown,
): string => {
  const text = body === undefined ? '' : JSON.stringify(body)
  return (
    `${method} /v1/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
    (token === undefined ? '' : `X-Vault-Token: ${token}\r\n`) +
    (body === undefined
      ? ''
      : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n`) +
    `\r\n${text}`
  )
}

const HEAD_END = '\r\n\r\n'

/** Latencies in microseconds, exact up to 8 ms and within 1 % above. */
class Histogram {
  readonly #fine = new Uint32Array(8_192)
  readonly #coarse: number[] = []
  count = 0

  add(milliseconds: number): void {
    this.count++
    const microseconds = Math.floor(milliseconds * 1_000)
    if (microseconds < 8_192) this.#fine[microseconds]!++
    else {
      const bucket = Math.floor(Math.log(microseconds / 8_192) / Math.log(1.01))
      this.#coarse[bucket] = (this.#coarse[bucket] ?? 0) + 1
    }
  }

  /** The latency that a part of all stayed under, ms. */
  at(part: number): number {
    let left = Math.ceil(this.count * part)
    for (const [microseconds, number] of this.#fine.entries()) {
      left -= number
      if (left <= 0) return microseconds / 1_000
    }
    for (const [bucket, number] of this.#coarse.entries()) {
      left -= number ?? 0
      if (left <= 0) return (8_192 * 1.01 ** (bucket + 1)) / 1_000
    }
    return 0
  }
}

/** Puts a load on a server from this process: raw sockets, since a full HTTP client would cost as much as the server. */
export const drive = async (load: Load): Promise<Driven> => {
  const { answered, ask, clients, port } = load
  const latencies = new Histogram()
  const began = performance.now()
  const until = load.seconds === undefined ? Infinity : began + load.seconds * 1_000
  const most = load.requests ?? Infinity
  let sent = 0
  let refused = 0
  let refusal: string | undefined

  const client = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.setEncoding('latin1')
      let text = ''
      let at = 0
      const next = (): void => {
        at = performance.now()
        if (at >= until || sent >= most || load.over?.() === true) {
          socket.end()
          resolve()
          return
        }
        socket.write(ask(sent++), 'latin1')
      }
      socket.on('connect', next)
      socket.on('error', reject)
      socket.on('close', () => reject(new Error(`the server closed a connection after ${text}`)))
      socket.on('data', (piece: string) => {
        text = text === '' ? piece : text + piece
        const end = text.indexOf(HEAD_END)
        if (end === -1) return
        const found = /\r\ncontent-length: (\d+)\r\n/i.exec(text)
        if (text.length < end + HEAD_END.length + (found === null ? 0 : Number(found[1]))) return
        latencies.add(performance.now() - at)
        if (text.charCodeAt(9) !== 0x32) {
          refused++
          refusal ??= text
        }
        answered?.(text.slice(end + HEAD_END.length))
        text = ''
        next()
      })
    })

  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - began) / 1_000
  return {
    requests: latencies.count,
    seconds,
    perSecond: latencies.count / seconds,
    p50Ms: latencies.at(0.5),
    p99Ms: latencies.at(0.99),
    refused,
    refusal,
  }
}

/** One request by itself; throws for a status above 299. */
export const send = async (
  port: number,
  method: string,
  path: string,
  body?: unknown,
  token = 'root',
): Promise<unknown> => {
  const response = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
    method,
    headers: { 'x-vault-token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
