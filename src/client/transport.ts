import type {
  Agent,
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  RequestOptions,
} from 'node:http'
import { pipeline } from 'node:stream/promises'
import { TransportError } from './api-error.ts'
import { codeOf, explainFailure } from './explain-failure.ts'

// An import statement would read every export, WebSocket among them, whose library costs 40 ms.
const http = process.getBuiltinModule('node:http')
const https = (): typeof import('node:https') => process.getBuiltinModule('node:https')

/** TLS material and choices for an https address; every text is PEM. */
export type TlsOptions = {
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
  readonly skipVerify?: boolean
}

/** Where and how to connect. `timeoutMilliseconds` bounds one request, connection included. */
export type TransportOptions = {
  readonly address: string
  readonly tls: TlsOptions
  readonly timeoutMilliseconds: number
}

/** An answer as it came: status, headers, and the body's bytes. */
export type RawAnswer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request as it goes out; `target` is the path with its query. */
export type RawRequest = {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | BodyStream | undefined
}

/**
 * A body that is sent as it is read, by `open` alone, and once the server says that it takes it (`Expect: 100-continue`): a refusal
 * comes before it. Where nothing is said, it is sent after a second: proxies may keep that to themselves.
 */
export type BodyStream = {
  readonly bytes: number
  readonly pieces: AsyncIterable<Uint8Array>
}

const CONTINUE_MS = 1_000

const isStream = (body: RawRequest['body']): body is BodyStream =>
  typeof body === 'object' && 'pieces' in body

/** An answer whose body is still to come, piece by piece. Reading it to its end fails when the server broke off. */
export type OpenAnswer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: AsyncIterable<Buffer>
}

/** Sends HTTP requests to one address. node:http itself: fetch costs a start-up of its own. */
export class Transport {
  readonly #options: TransportOptions
  readonly #agent: Agent

  constructor(options: TransportOptions) {
    this.#options = options
    // Idle sockets are unreferenced by the agent, so a command still ends by itself.
    this.#agent = new http.Agent({ keepAlive: true })
  }

  /** Sends one request; throws a `TransportError` with a text for people when no answer came. */
  async send(request: RawRequest, address = this.#options.address): Promise<RawAnswer> {
    try {
      return await this.#once(request, address)
    } catch (error) {
      // A kept-alive connection that the server had closed meanwhile: nothing was received, and
      // only a request that may be repeated is.
      const repeatable = request.method === 'GET' || request.method === 'DELETE'
      if (!(error instanceof StaleConnection)) throw error
      if (!repeatable) throw explainFailure(error.reason, address)
      return await this.#once(request, address)
    }
  }

  /** Sends one request; gives the answer as soon as it begins. */
  async open(request: RawRequest, address = this.#options.address): Promise<OpenAnswer> {
    return await new Promise<OpenAnswer>((resolve, reject) => {
      const options = requestOptions(request, address)
      const onAnswer = (answer: IncomingMessage): void =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: piecesOf(answer, address),
        })
      const sent =
        options.protocol === 'https:'
          ? https().request({ ...options, ...tlsRequestOptions(this.#options.tls) }, onAnswer)
          : http.request(options, onAnswer)
      sent.on('error', (reason: Error) => reject(explainFailure(reason, address)))
      const limit = this.#options.timeoutMilliseconds
      if (limit > 0) {
        sent.setTimeout(limit, () => {
          sent.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
        })
      }
      const { body } = request
      if (isStream(body)) sendPieces(sent, body)
      else sent.end(body)
    })
  }

  async #once(request: RawRequest, address: string): Promise<RawAnswer> {
    const options = requestOptions(request, address)
    const secure = options.protocol === 'https:'
    return await new Promise<RawAnswer>((resolve, reject) => {
      const onAnswer = (answer: IncomingMessage): void => collect(answer, resolve, fail)
      const sent: ClientRequest = secure
        ? https().request({ ...options, ...tlsRequestOptions(this.#options.tls) }, onAnswer)
        : http.request({ ...options, agent: this.#agent }, onAnswer)
      function fail(reason: Error): void {
        if (sent.reusedSocket && codeOf(reason) === 'ECONNRESET') {
          reject(new StaleConnection(reason))
        } else reject(explainFailure(reason, address))
      }
      sent.on('error', fail)
      const limit = this.#options.timeoutMilliseconds
      if (limit > 0) {
        sent.setTimeout(limit, () => {
          sent.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
        })
      }
      if (isStream(request.body)) throw new TypeError('a body that is read is sent by open()')
      sent.end(request.body)
    })
  }
}

function sendPieces(sent: ClientRequest, { pieces }: BodyStream): void {
  let answered = false
  let begun = false
  const begin = (): void => {
    clearTimeout(late)
    if (begun || answered) return
    begun = true
    pipeline(pieces, sent).catch((error: unknown) => {
      // A server that refuses does not read the rest: its answer is what counts.
      if (!answered) sent.destroy(error instanceof Error ? error : new Error(String(error)))
    })
  }
  const late = setTimeout(begin, CONTINUE_MS)
  sent.once('continue', begin)
  sent.once('response', () => {
    answered = true
    clearTimeout(late)
  })
  sent.once('close', () => clearTimeout(late))
  sent.flushHeaders()
}

async function* piecesOf(answer: IncomingMessage, address: string): AsyncIterable<Buffer> {
  try {
    for await (const piece of answer) yield piece as Buffer
  } catch (error) {
    throw explainFailure(error instanceof Error ? error : new Error(String(error)), address)
  }
}

class StaleConnection extends Error {
  readonly reason: Error

  constructor(reason: Error) {
    super(reason.message)
    this.reason = reason
  }
}

function requestOptions(request: RawRequest, address: string): RequestOptions {
  const base = { method: request.method, path: request.target }
  const { body } = request
  const length =
    body === undefined ? undefined : isStream(body) ? body.bytes : Buffer.byteLength(body)
  const headers = {
    ...request.headers,
    ...(length === undefined ? {} : { 'Content-Length': String(length) }),
    ...(isStream(body) ? { Expect: '100-continue' } : {}),
  }
  if (address.startsWith('unix://')) {
    return { ...base, headers: { ...headers, Host: 'localhost' }, socketPath: address.slice(7) }
  }
  const url = parseAddress(address)
  return {
    ...base,
    headers,
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port === '' ? {} : { port: url.port }),
  }
}

/** The address as a URL; throws a `TransportError` when it is none or neither http nor https. */
export function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TransportError(
      `${address} is no address of a server; give one like http://127.0.0.1:8200`,
      'ERR_INVALID_URL',
    )
  }
  return url
}

function tlsRequestOptions(tls: TlsOptions): Record<string, unknown> {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.skipVerify === true ? { rejectUnauthorized: false } : {}),
  }
}

function collect(
  answer: IncomingMessage,
  resolve: (answer: RawAnswer) => void,
  fail: (error: Error) => void,
): void {
  const chunks: Buffer[] = []
  answer.on('data', (chunk: Buffer) => chunks.push(chunk))
  answer.on('error', fail)
  answer.on('end', () => {
    const status = answer.statusCode ?? 0
    resolve({ status, headers: answer.headers, body: Buffer.concat(chunks) })
  })
}
