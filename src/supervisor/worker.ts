import { Socket } from 'node:net'
import { limits } from '../limits.ts'
import type { Listening } from '../process/listeners.ts'
import { openListeners } from '../process/listeners.ts'
import { logTo } from '../process/log.ts'
import { makeServing } from '../process/serving.ts'
import { openStorage } from '../process/storage.ts'
import { KEY_PIPE } from './fork.ts'
import { KeyChannel } from './key-channel.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'
import { RemoteShares } from './remote-shares.ts'

/*
 * A worker: serves requests beside others on the same ports. It is started by the supervisor and lives no longer than that:
 * when the channel to it breaks, the worker finishes what it has begun and ends.
 */

const ALIVE_MS = 1_000

const tell = (message: ToSupervisor): void => {
  if (process.connected) process.send!(message)
}

const log = logTo((line) => tell({ kind: 'log', line }))

interface Running {
  readonly listening: Listening
  close(): Promise<void>
  reload(): Promise<void>
}

const start = async ({
  config,
  first,
}: ToWorker & { readonly kind: 'start' }): Promise<Running> => {
  const storage = await openStorage(config.storage, 'worker')
  const serving = makeServing({
    config,
    store: storage.store,
    keeper: new RemoteShares(() => channel),
    log,
  })
  let begun!: () => void
  const keyKnown = new Promise<void>((resolve) => (begun = resolve))
  const channel = new KeyChannel(
    new Socket({ fd: KEY_PIPE, readable: true, writable: true }),
    async (kind, payload) => {
      if (kind === 'key' && payload.length > 0) await serving.lifecycle.unseal(payload)
      if (kind === 'forget') await serving.lifecycle.close()
      payload.fill(0)
      begun()
      return Buffer.from('done')
    },
    (error) => log('the key pipe failed', error),
  )
  // A worker that takes another's place must not say that it is sealed while the others are not.
  await keyKnown
  const mine = first ? config : { ...config, listeners: config.listeners.filter(isShareable) }
  const listening = await openListeners(mine, serving.front, log, true)
  serving.listensAt(listening.addresses)
  return {
    listening,
    reload: () => serving.reload(),
    close: async () => {
      await serving.lifecycle.close()
      await storage.close()
    },
  }
}

/** A socket file has one owner; ports are shared. */
const isShareable = ({ kind }: { readonly kind: string }): boolean => kind === 'tcp'

let running: Promise<Running> | undefined
let ending: Promise<void> | undefined

const end = async (): Promise<void> => {
  const present = await running?.catch(() => undefined)
  await present?.listening.stop(limits.drainMs)
  await present?.close()
  process.exit(0)
}

const onMessage = async (message: ToWorker): Promise<void> => {
  switch (message.kind) {
    case 'start':
      running = start(message)
      try {
        tell({ kind: 'listening', addresses: (await running).listening.addresses })
      } catch (error) {
        tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
      }
      return
    case 'drain':
      ending ??= end()
      return
    case 'reload':
      await (await running)?.reload()
  }
}

process.on('message', (message) => {
  onMessage(message as ToWorker).catch((error: unknown) => log('a worker failed', error))
})
process.on('disconnect', () => {
  ending ??= end()
})
// The terminal's Ctrl-C reaches all processes; the supervisor says when to end.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {
  ending ??= end()
})
setInterval(() => tell({ kind: 'alive' }), ALIVE_MS)
