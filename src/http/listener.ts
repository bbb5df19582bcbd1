import { randomUUID } from 'node:crypto'
import { createServer as createPlainServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { Connection } from './connection.ts'
import type { ConnectionHost } from './connection.ts'
import type { CorsRules } from './cors.ts'
import { isCrossOrigin, judgeCors } from './cors.ts'
import { errorList } from '../engine/refusal.ts'
import { renderError } from './envelope.ts'
import { interpret, takesStream } from './interpret.ts'
import type { InterpretOptions } from './interpret.ts'
import { httpLimits } from './limits.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpAnswer, HttpRequest, PageRequest, RawRequest } from './request.ts'

/** What a listener is made of. */
export interface ListenerOptions extends Omit<InterpretOptions, 'limits' | 'hasPages'> {
  /** Answers a request. What it throws is a fault: 500, and `log` hears of it. */
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer>
  /** Answers requests below `/ui/`, as `handle` does the others; absent: there is nothing. */
  readonly pages?: ((request: PageRequest) => Promise<HttpAnswer>) | undefined
  /** What pages of other origins may do now; asked for only when one asks. */
  readonly cors?: (() => Promise<CorsRules | undefined>) | undefined
  /** Overrides of the defaults. */
  readonly limits?: Partial<HttpLimits>
  /** Node's TLS options (`key`, `cert`, `minVersion` …); absent: plain HTTP. */
  readonly tls?: TlsOptions | undefined
  /** Hears of faults; never of what a client sent. */
  readonly log?: ((message: string, error: unknown) => void) | undefined
}

/** Where a listener is; a socket file is `address` with port 0. */
export interface BoundAddress {
  readonly address: string
  readonly port: number
}

/** Where to listen: an address (port 0 takes a free one) or a socket file. */
export type ListenAddress =
  | {
      readonly address: string
      readonly port: number
      /** Shares the port with other processes that ask for the same; the kernel spreads connections. */
      readonly reusePort?: boolean
    }
  | { readonly path: string }

/** A listening server. */
export interface Listener {
  /** Starts to accept; resolves to where. Rejects when the address is taken. */
  listen(address: ListenAddress): Promise<BoundAddress>
  /** Stops to accept, closes idle connections, finishes what has begun; after `graceMs` closes the rest. */
  stop(graceMs: number): Promise<void>
  /** Uses these certificates for connections from now on; under way ones keep theirs. Nothing happens on a plain listener. */
  renewTls(tls: SecureContextOptions): void
  /** Open connections, for metrics and tests. */
  connections(): number
}

/** Makes a listener for `options.handle`. Nothing is listened to before `listen`. */
export const createListener = (options: ListenerOptions): Listener => new HttpListener(options)

const FAULT = renderError(500, [errorList(['internal error'])])

class HttpListener implements Listener, ConnectionHost {
  readonly limits: HttpLimits
  readonly #options: ListenerOptions
  readonly #interpret: InterpretOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  /** Under TLS, the connections below the secured ones: some never get that far. */
  readonly #handshakes = new Set<Socket>()
  #sweeper: NodeJS.Timeout | undefined
  #now = performance.now()
  #dateSecond = 0
  #date = ''
  #stopping = false
  #whenEmpty: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.limits = { ...httpLimits, ...options.limits }
    this.#options = options
    this.#interpret = {
      limits: this.limits,
      hostCheck: options.hostCheck,
      rawMethods: options.rawMethods,
      hasPages: options.pages !== undefined,
    }
    const accept = (socket: Socket): void => this.#accept(socket)
    // A client may end its side once it has asked: it still gets its answer.
    const net = { allowHalfOpen: true, noDelay: true, keepAlive: true }
    if (options.tls) {
      const tls = { handshakeTimeout: this.limits.headerMs, ...options.tls, ...net }
      const server = createTlsServer(tls, accept)
      server.on('tlsClientError', (_error, socket) => socket.destroy())
      server.on('connection', (socket: Socket) => {
        this.#handshakes.add(socket)
        socket.on('close', () => this.#handshakes.delete(socket))
      })
      this.#server = server
    } else this.#server = createPlainServer(net, accept)
    this.#server.maxConnections = this.limits.connections
  }

  async listen(where: ListenAddress): Promise<BoundAddress> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      const options =
        'path' in where
          ? { path: where.path }
          : { port: where.port, host: where.address, reusePort: where.reusePort ?? false }
      this.#server.listen(options, () => {
        this.#server.removeListener('error', reject)
        resolve()
      })
    })
    this.#server.on('error', (error) => this.#options.log?.('listener failed', error))
    this.#sweeper = setInterval(() => this.#sweep(), this.limits.sweepMs)
    this.#sweeper.unref()
    if ('path' in where) return { address: where.path, port: 0 }
    const bound = this.#server.address() as AddressInfo
    return { address: bound.address, port: bound.port }
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#server.listening) return
    this.#stopping = true
    this.#server.close()
    for (const connection of this.#connections) connection.drain()
    if (this.#connections.size > 0)
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => {
          for (const connection of this.#connections) connection.destroy()
        }, graceMs)
        this.#whenEmpty = () => {
          clearTimeout(late)
          resolve()
        }
      })
    for (const socket of this.#handshakes) socket.destroy()
    clearInterval(this.#sweeper)
  }

  renewTls(tls: SecureContextOptions): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(tls)
  }

  connections(): number {
    return this.#connections.size
  }

  streams(method: string, target: string): boolean {
    return takesStream(method, target, this.#options.streamedPaths)
  }

  now(): number {
    return this.#now
  }

  date(): string {
    const second = Math.floor(Date.now() / 1_000)
    if (second !== this.#dateSecond) {
      this.#dateSecond = second
      this.#date = new Date(second * 1_000).toUTCString()
    }
    return this.#date
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#whenEmpty?.()
  }

  async answer(raw: RawRequest, socket: Socket): Promise<HttpAnswer> {
    try {
      if (this.#options.cors === undefined || !isCrossOrigin(raw)) {
        return await this.#answer(raw, socket)
      }
      const verdict = judgeCors(raw, await this.#options.cors())
      if ('answer' in verdict) return verdict.answer
      const answer = await this.#answer(raw, socket)
      return { ...answer, headers: { ...answer.headers, ...verdict.headers } }
    } catch (error) {
      return this.fault(error)
    }
  }

  async #answer(raw: RawRequest, socket: Socket): Promise<HttpAnswer> {
    const origin = {
      remoteAddress: socket.remoteAddress ?? '',
      remotePort: socket.remotePort ?? 0,
      requestId: randomUUID(),
    }
    const interpreted = interpret(raw, origin, this.#interpret)
    const judged = interpreted instanceof Promise ? await interpreted : interpreted
    if ('page' in judged) {
      const { path, query } = judged.page
      const { method, headers, body } = raw
      const { remoteAddress, remotePort } = origin
      const tls = this.#options.tls !== undefined
      const asked = { method, path, query, headers, body, remoteAddress, remotePort, tls }
      return await this.#options.pages!(asked)
    }
    const answer = 'answer' in judged ? judged.answer : await this.#options.handle(judged.request)
    return withNamespace(answer, raw)
  }

  fault(error: unknown): HttpAnswer {
    this.#options.log?.('request failed', error)
    return FAULT
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this, socket)
    this.#connections.add(connection)
    if (this.#stopping) connection.drain()
  }

  #sweep(): void {
    this.#now = performance.now()
    for (const connection of this.#connections) connection.sweep(this.#now)
  }
}

/** The namespace header comes back with the answer, as it was sent. */
const withNamespace = (answer: HttpAnswer, raw: RawRequest): HttpAnswer => {
  const namespace = raw.headers['x-vault-namespace']
  if (namespace === undefined || namespace === '') return answer
  const value = typeof namespace === 'string' ? namespace : (namespace[0] as string)
  return { ...answer, headers: { ...answer.headers, 'X-Vault-Namespace': value } }
}
