import type { RunningServer, ServerIo } from './config/running-server.ts'
import type { ServerConfig } from './config/server-config.ts'

/** Starts a server: one process, or a supervisor with its workers. Throws an Error that says what stands in the way. */
export const startServer = async (config: ServerConfig, io: ServerIo): Promise<RunningServer> => {
  if (config.workers === 1) {
    const { startSingle } = await import('./process/single-process.ts')
    return startSingle(config, io)
  }
  // It loads the code of the server while this process loads that of the supervisor.
  const { forkWorker } = await import('./supervisor/fork.ts')
  const first = forkWorker()
  const { startSupervisor } = await import('./supervisor/supervisor.ts')
  return startSupervisor(config, io, first)
}

export type { Inspected, Restored, RestoreOptions } from './process/restore.ts'

/** Reads a snapshot file whole: what it holds. Throws an Error for one that is not whole or was changed. */
export const inspectSnapshot: typeof import('./process/restore.ts').inspectSnapshot = async (
  file,
) => (await import('./process/restore.ts')).inspectSnapshot(file)

/** Restores a snapshot file into the storage of a server that does not run. Throws an Error that says what stands in the way. */
export const restoreSnapshot: typeof import('./process/restore.ts').restoreSnapshot = async (
  ...args
) => (await import('./process/restore.ts')).restoreSnapshot(...args)
