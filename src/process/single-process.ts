import type { RunningServer, ServerIo } from '../config/running-server.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { limits } from '../limits.ts'
import { startDevelopment } from './development.ts'
import { openListeners } from './listeners.ts'
import { logForm, openLogs } from './log.ts'
import { makeLocalServing } from './local-serving.ts'
import { removeSocketFiles } from './socket-files.ts'
import { openStorage } from './storage.ts'

/** A server that is this process alone. Throws an Error that says what stands in the way. */
export const startSingle = async (config: ServerConfig, io: ServerIo): Promise<RunningServer> => {
  const logs = openLogs(io.log, logForm(config))
  const log = logs.of('core')
  const storage = await openStorage(config.storage, 'owner', logs.of('storage'))
  const serving = makeLocalServing({
    config,
    store: storage.store,
    site: storage.site,
    waitMs: limits.storeWaitMs,
    log,
    logs,
  })
  const close = async (): Promise<void> => {
    await serving.lifecycle.close()
    await serving.lifecycle.retired()
    await storage.close()
  }
  try {
    const dev =
      config.dev === undefined ? {} : await startDevelopment(config.dev, serving.lifecycle)
    const listening = await openListeners(config, serving, logs.of('listener'), false)
    serving.listensAt(listening.addresses)
    return {
      addresses: listening.addresses,
      ...dev,
      stop: async () => {
        await listening.stop(limits.drainMs)
        removeSocketFiles(config.listeners)
        await close()
      },
      reload: async () => {
        listening.reload()
        await serving.reload()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
