import { devConfig } from '../../src/config/dev-config.ts'
import type { ServerConfig } from '../../src/config/server-config.ts'
import { startServer } from '../../src/server.ts'

/** A server in this process, as a test meets it. */
export type TestServer = {
  readonly port: number
  readonly workers: number
  readonly rootToken: string
  stop(): Promise<void>
}

/** What a test can ask for. */
export type TestServerOptions = {
  /** Changes the development configuration before the server starts. */
  readonly configure?: (config: ServerConfig) => ServerConfig
  /** Processes that answer; SIGNET_TEST_WORKERS, else one, unless given. */
  readonly workers?: number
  /** Takes each line of the log; absent: dropped. */
  readonly log?: (line: string) => void
}

const defaultWorkers = Number(process.env['SIGNET_TEST_WORKERS'] ?? 1)

/**
 * Starts an empty, unsealed development server on a free port of 127.0.0.1, all in memory, root token `root`.
 * Resolves when it accepts requests.
 */
export const startTestServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const { configure = (config) => config, log = () => {}, workers = defaultWorkers } = options
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  const server = await startServer(configure({ ...config, workers }), { log })
  const [listener] = server.addresses
  if (listener === undefined) throw new Error('the server has no listener')
  return { port: listener.port, workers, rootToken: 'root', stop: () => server.stop() }
}
