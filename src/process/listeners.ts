import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import type { ServerAddress } from '../config/running-server.ts'
import type {
  ListenerConfig,
  ListenerTls,
  ServerConfig,
  UnixListenerConfig,
} from '../config/server-config.ts'
import type { HttpLimits } from '../http/limits.ts'
import type { BoundAddress, Listener } from '../http/listener.ts'
import { createListener } from '../http/listener.ts'
import { renderReply } from '../http/render.ts'
import { withForwardedFor } from './client-address.ts'
import { withResponseHeaders } from './extra-headers.ts'
import type { Log } from './log.ts'
import { corsAt } from './page-rules.ts'
import { withOpenMetrics } from './open-metrics.ts'
import type { Serving } from './serving.ts'
import { unnamedSocket } from './socket-files.ts'

/** Names by which a development server may be asked: keeps web pages from reaching it through a name of theirs. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** The listeners of a process, accepting. */
export interface Listening {
  readonly addresses: readonly ServerAddress[]
  /** Reads certificates and keys again (SIGHUP); a file that cannot be read is an Error, and the old ones stay in use. */
  reload(): void
  /** Stops to accept and finishes what has begun, at most `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** What answers behind the listeners. */
type Answering = Pick<Serving, 'front' | 'handle' | 'metrics' | 'pages' | 'settings'>

/** Opens the configured listeners. `shared`: beside other workers on the same ports. */
export const openListeners = async (
  config: ServerConfig,
  serving: Answering,
  log: Log,
  shared: boolean,
): Promise<Listening> => {
  const listeners: Listener[] = []
  const addresses: ServerAddress[] = []
  for (const wanted of config.listeners) {
    const listener = makeListener(wanted, config, serving, log)
    const bound =
      wanted.kind === 'unix'
        ? await openSocketFile(listener, wanted)
        : await listener.listen({ address: wanted.host, port: wanted.port, reusePort: shared })
    listeners.push(listener)
    addresses.push({ ...bound, tls: wanted.kind === 'tcp' && wanted.tls !== undefined })
  }
  return {
    addresses,
    reload: () => {
      for (const [index, { tls }] of config.listeners.map(withTls).entries()) {
        if (tls !== undefined) listeners[index]!.renewTls(secretsOf(tls))
      }
    },
    stop: async (graceMs) => {
      await Promise.all(listeners.map((listener) => listener.stop(graceMs)))
    },
  }
}

/** Takes the place of a socket file that another process may still listen on. */
const openSocketFile = async (
  listener: Listener,
  { path, mode }: UnixListenerConfig,
): Promise<BoundAddress> => {
  const unnamed = unnamedSocket(path)
  rmSync(unnamed, { force: true })
  await listener.listen({ path: unnamed })
  if (mode !== undefined) chmodSync(unnamed, mode)
  renameSync(unnamed, path)
  return { address: path, port: 0 }
}

const limitsOf = ({ limits }: ListenerConfig): Partial<HttpLimits> => ({
  ...(limits.readMs === undefined ? {} : { bodyMs: limits.readMs }),
  ...(limits.readHeaderMs === undefined ? {} : { headerMs: limits.readHeaderMs }),
  ...(limits.writeMs === undefined ? {} : { writeMs: limits.writeMs }),
  ...(limits.idleMs === undefined ? {} : { idleMs: limits.idleMs }),
  ...(limits.requestBytes === undefined ? {} : { bodyBytes: limits.requestBytes }),
  ...(limits.jsonMemoryBytes === undefined ? {} : { jsonMemoryBytes: limits.jsonMemoryBytes }),
  ...(limits.jsonStrings === undefined ? {} : { jsonStrings: limits.jsonStrings }),
})

const withTls = (wanted: ListenerConfig): { readonly tls: ListenerTls | undefined } => ({
  tls: wanted.kind === 'tcp' ? wanted.tls : undefined,
})

/** What a listener's TLS is made of, read from its files now. */
const secretsOf = (tls: ListenerTls): SecureContextOptions => ({
  cert: readFileSync(tls.certFile),
  key: readFileSync(tls.keyFile),
  minVersion: tls.minVersion,
  maxVersion: tls.maxVersion,
  ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
  ...(tls.clientCaFile === undefined ? {} : { ca: readFileSync(tls.clientCaFile) }),
})

const makeListener = (
  wanted: ListenerConfig,
  config: ServerConfig,
  { front, handle, metrics, pages, settings }: Answering,
  log: Log,
): Listener => {
  const { tls } = withTls(wanted)
  const loopback = wanted.kind === 'tcp' && /^(127\.|localhost$|::1$)/.test(wanted.host)
  return createListener({
    handle: withForwardedFor(
      wanted.forwardedFor,
      withResponseHeaders(
        wanted.responseHeaders,
        withOpenMetrics(wanted.unauthenticatedMetrics, metrics, async (request) =>
          renderReply(await handle(request)),
        ),
      ),
    ),
    rawMethods: front.rawMethods,
    streamedPaths: front.streamedPaths,
    pages,
    cors: corsAt(wanted.cors, settings),
    hostCheck: config.dev !== undefined && loopback ? LOCAL_NAMES : undefined,
    log,
    limits: limitsOf(wanted),
    tls:
      tls === undefined
        ? undefined
        : {
            ...secretsOf(tls),
            requestCert: !tls.disableClientCerts,
            rejectUnauthorized: tls.requireClientCert,
          },
  })
}
