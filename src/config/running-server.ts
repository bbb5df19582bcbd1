import type { ServerConfig } from './server-config.ts'

/** Where a running server listens; a socket file is `address` with port 0. */
export type ServerAddress = {
  readonly address: string
  readonly port: number
  readonly tls: boolean
}

/** An address as a URL; a socket file as `unix://…`. */
export const urlOf = ({ address, port, tls }: ServerAddress): string => {
  if (address.startsWith('/')) return `unix://${address}`
  // All addresses of the machine: this machine reaches it at its own.
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address
  return `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** A server that accepts requests. */
export type RunningServer = {
  readonly addresses: readonly ServerAddress[]
  /** Stops to accept, finishes what has begun, closes the store. */
  stop(): Promise<void>
  /** Reopens audit files and reads certificates again (SIGHUP). */
  reload?(): Promise<void>
  /** Development mode only. */
  readonly rootToken?: string
  /** Development mode only; base64. */
  readonly unsealKey?: string
}

/** What a server needs of the process around it. */
export type ServerIo = {
  /** Takes one line of the log, without its newline. */
  readonly log: (line: string) => void
}

/** What `src/server.ts` exports; the command line knows the server by this alone. */
export type StartServer = (config: ServerConfig, io: ServerIo) => Promise<RunningServer>
