import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import { createSocket } from 'node:dgram'
import { invalid } from '../../engine/refusal.ts'
import { DurationError, parseVaultNanoseconds } from '../../std/go-duration.ts'
import type { AuditDevice } from '../device.ts'
import { option } from '../device-options.ts'
import type { DeviceOptions } from '../device-options.ts'
import { LineQueue } from '../line-queue.ts'
import { auditLimits } from '../limits.ts'

const WRITE_TIMEOUT = '2s'
const NANOSECONDS_PER_MS = 1_000_000n

/** Something that text can be sent through until it fails. */
interface Wire {
  readonly alive: boolean
  send(text: string): Promise<void>
  end(): void
}

const timeoutOf = (options: DeviceOptions): number => {
  try {
    const text = option(options, 'write_timeout') || WRITE_TIMEOUT
    const ms = Number(parseVaultNanoseconds(text) / NANOSECONDS_PER_MS)
    if (ms > 0) return ms
  } catch (error) {
    if (error instanceof DurationError) throw invalid(error.message)
    throw error
  }
  throw invalid('write_timeout must be at least a millisecond')
}

/** `host:port`, the host of an IPv6 address in brackets. */
const hostPort = (address: string): { readonly host: string; readonly port: number } => {
  const found = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address)
  const port = Number(found?.[3])
  if (found === null || port > 65535) {
    throw invalid(`the address ${JSON.stringify(address)} is not of the form host:port`)
  }
  return { host: found[1] ?? (found[2] || 'localhost'), port }
}

/** Sends entries through a socket (options `address`, `socket_type`, `write_timeout`). */
export const socketDevice = (options: DeviceOptions): AuditDevice => {
  const address = option(options, 'address') ?? ''
  if (address === '') throw invalid('address is required')
  const timeoutMs = timeoutOf(options)
  const type = option(options, 'socket_type') || 'tcp'
  if (type === 'unix') {
    return new SocketDevice(() => StreamWire.connect({ path: address }, timeoutMs), false)
  }
  if (type !== 'tcp' && type !== 'udp') {
    throw invalid(`unknown socket_type ${JSON.stringify(type)}: use tcp, udp or unix`)
  }
  const target = hostPort(address)
  return type === 'tcp'
    ? new SocketDevice(() => StreamWire.connect(target, timeoutMs), false)
    : new SocketDevice(() => DatagramWire.connect(target, timeoutMs), true)
}

/** Settles as the promise, or rejects when it takes longer. */
const within = async <T>(promise: Promise<T>, ms: number, what: string): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

class StreamWire implements Wire {
  readonly #socket: Socket
  readonly #timeoutMs: number

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    // Failures arrive through the callbacks of writes; what the other side says is of no use.
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.resume()
    socket.unref()
  }

  static async connect(
    target: { readonly path: string } | { readonly host: string; readonly port: number },
    timeoutMs: number,
  ): Promise<Wire> {
    const socket = createConnection(target)
    const connected = Promise.withResolvers<void>()
    socket.once('connect', connected.resolve)
    socket.once('error', connected.reject)
    try {
      await within(connected.promise, auditLimits.networkMs, 'connecting')
    } catch (error) {
      socket.destroy()
      throw error
    }
    return new StreamWire(socket, timeoutMs)
  }

  get alive(): boolean {
    return this.#socket.writable
  }

  async send(text: string): Promise<void> {
    const sent = Promise.withResolvers<void>()
    this.#socket.write(text, (error) => (error ? sent.reject(error) : sent.resolve()))
    await within(sent.promise, this.#timeoutMs, 'writing')
  }

  end(): void {
    this.#socket.end()
    // What does not go in the time of one write never will.
    setTimeout(() => this.#socket.destroy(), this.#timeoutMs).unref()
  }
}

type DatagramSocket = ReturnType<typeof createSocket>

class DatagramWire implements Wire {
  readonly alive = true
  readonly #socket: DatagramSocket
  readonly #timeoutMs: number

  constructor(socket: DatagramSocket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    // A refusal of an earlier datagram is no failure of a later one, and there is nothing to do about it.
    socket.on('error', () => undefined)
    socket.unref()
  }

  static async connect(
    { host, port }: { readonly host: string; readonly port: number },
    timeoutMs: number,
  ): Promise<Wire> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const connected = Promise.withResolvers<void>()
    socket.once('error', connected.reject)
    socket.connect(port, host, () => connected.resolve())
    try {
      await within(connected.promise, auditLimits.networkMs, 'connecting')
    } catch (error) {
      socket.close()
      throw error
    }
    return new DatagramWire(socket, timeoutMs)
  }

  async send(text: string): Promise<void> {
    const sent = Promise.withResolvers<void>()
    this.#socket.send(text, (error) => (error ? sent.reject(error) : sent.resolve()))
    await within(sent.promise, this.#timeoutMs, 'writing')
  }

  end(): void {
    this.#socket.close()
  }
}

class SocketDevice implements AuditDevice {
  readonly #connect: () => Promise<Wire>
  readonly #queue: LineQueue
  #wire: Wire | undefined

  /** `single`: each line is a message of its own. */
  constructor(connect: () => Promise<Wire>, single: boolean) {
    this.#connect = connect
    const bounds = single ? { ...auditLimits, batchUnits: 0 } : auditLimits
    this.#queue = new LineQueue((text) => this.#send(text), bounds)
  }

  open(): Promise<void> {
    return this.#queue.between(async () => {
      await this.#connected()
    })
  }

  write(line: string): Promise<void> {
    return this.#queue.push(line)
  }

  reopen(): Promise<void> {
    return this.#queue.between(async () => {
      this.#letGo()
      await this.#connected()
    })
  }

  close(): Promise<void> {
    return this.#queue.between(async () => this.#letGo())
  }

  async #connected(): Promise<Wire> {
    if (this.#wire?.alive !== true) this.#letGo()
    this.#wire ??= await this.#connect()
    return this.#wire
  }

  #letGo(): void {
    this.#wire?.end()
    this.#wire = undefined
  }

  async #send(text: string): Promise<void> {
    const fresh = this.#wire === undefined
    try {
      await (await this.#connected()).send(text)
    } catch (error) {
      this.#letGo()
      if (fresh) throw error
      // Once anew: a collector that was restarted takes the lines again, maybe some of them twice.
      await (await this.#connected()).send(text)
    }
  }
}
