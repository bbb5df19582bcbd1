import type { RunningServer, ServerIo } from './config/running-server.ts'
import type { ServerConfig } from './config/server-config.ts'

/** Starts a server: one process, or a supervisor with its workers. Throws an Error that says what stands in the way. */
export const startServer = async (config: ServerConfig, io: ServerIo): Promise<RunningServer> => {
  if (config.workers === 1) {
    const { startSingle } = await import('./process/single-process.ts')
    return startSingle(config, io)
  }
  // Without the code of the server: that is for its workers to load, at the same time.
  const { startSupervisor } = await import('./supervisor/supervisor.ts')
  return startSupervisor(config, io)
}
