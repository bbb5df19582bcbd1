import { flushCompileCache } from 'node:module'
import { Socket } from 'node:net'
import type { Taken } from '../core/rate-counter.ts'
import { limits } from '../limits.ts'
import type { Measured } from '../metrics/measured.ts'
import type { Listening } from '../process/listeners.ts'
import { openListeners } from '../process/listeners.ts'
import { ProcessMeters } from '../metrics/process-meters.ts'
import { logForm, logTo, openLogs } from '../process/log.ts'
import { makeServing } from '../process/serving.ts'
import { isShared, loadStorage, openStorage } from '../process/storage.ts'
import { KEY_PIPE } from './fork.ts'
import type { KeyMessageHandler } from './key-channel.ts'
import { KeyChannel } from './key-channel.ts'
import type { ToSupervisor, ToWorker } from './messages.ts'
import { Questions } from './questions.ts'
import type { Asked } from './remote-rates.ts'
import { RemoteRates } from './remote-rates.ts'
import { siteBeside } from './remote-restore.ts'
import { RemoteShares } from './remote-shares.ts'

/*
 * A worker: serves requests beside others on the same ports. It is started by the supervisor and lives no longer than that:
 * when the channel to it breaks, the worker finishes what it has begun and ends. Until it is told to start it is a spare: it has
 * loaded its code, and neither opens nor knows anything.
 */

const ALIVE_MS = 1_000

/** Beyond the time for draining, how long a worker may take to end by itself. */
const END_MS = 500

const tell = (message: ToSupervisor): void => {
  // A supervisor that is gone hears nothing, and is no fault of the worker.
  if (process.connected) process.send!(message, undefined, undefined, () => {})
}

const tellLine = (line: string): void => tell({ kind: 'log', line })

/** Until the configuration says otherwise. */
let log = logTo(tellLine)

const meters = new ProcessMeters()
const counts = new Questions<readonly Asked[], readonly Taken[]>((number, asked) =>
  tell({ kind: 'take', number, asked }),
)
const measurements = new Questions<void, readonly (readonly Measured[])[]>((number) =>
  tell({ kind: 'measure-all', number }),
)

interface Running {
  readonly listening: Listening
  close(): Promise<void>
  reload(): Promise<void>
}

const start = async ({
  config,
  first,
}: ToWorker & { readonly kind: 'start' }): Promise<Running> => {
  const logs = openLogs(tellLine, logForm(config))
  log = logs.of('core')
  const storage = await openStorage(config.storage, 'worker', logs.of('storage'))
  tell({ kind: 'opened' })
  const serving = makeServing({
    config,
    store: storage.store,
    site: isShared(storage) ? siteBeside(storage, () => channel) : storage.site,
    keeper: new RemoteShares(() => channel),
    meters,
    collectMeasured: () => measurements.ask(),
    rateCounter: new RemoteRates((asked) => counts.ask(asked)),
    log,
    logs,
  })
  const keyKnown = Promise.withResolvers<void>()
  const handle: KeyMessageHandler = async (kind, payload) => {
    try {
      if (kind === 'key' && payload.length > 0) await serving.lifecycle.unseal(payload)
      if (kind === 'forget') await serving.lifecycle.close()
      if (kind === 'let-go' && isShared(storage)) {
        await serving.rest()
        await storage.letGo()
      }
      if (kind === 'take-up' && isShared(storage)) storage.takeUp()
      if (kind === 'resume') {
        // It goes on trying, and so would another in its place.
        await serving.resume().catch((error: unknown) => log('opening the data anew failed', error))
      }
    } catch (error) {
      // One that does not open while the others are open would answer `sealed` for them: it does not begin to listen.
      keyKnown.reject(error)
      throw error
    } finally {
      payload.fill(0)
      keyKnown.resolve()
    }
    return Buffer.from('done')
  }
  const turned = inTurn(handle)
  const channel = new KeyChannel(
    new Socket({ fd: KEY_PIPE, readable: true, writable: true }),
    async (kind, payload) => {
      // Not in turn: what is under way there may be waiting to write.
      if (kind === 'hold' && isShared(storage)) await storage.hold()
      else if (kind === 'go-on' && isShared(storage)) storage.release()
      else return turned(kind, payload)
      return Buffer.from('done')
    },
    (error) => log('a message on the key pipe failed', error),
  )
  // A worker that takes another's place must not say that it is sealed while the others are not.
  await keyKnown.promise
  const mine = first ? config : { ...config, listeners: config.listeners.filter(isShareable) }
  const listening = await openListeners(mine, serving, logs.of('listener'), true)
  serving.listensAt(listening.addresses)
  // It may be killed, and then could not leave to the next what it has compiled.
  if (first) flushCompileCache()
  return {
    listening,
    reload: async () => {
      listening.reload()
      await serving.reload()
    },
    close: async () => {
      await serving.lifecycle.close()
      await serving.lifecycle.retired()
      await storage.close()
    },
  }
}

/** One message after the other: a key that is forgotten while it is taken in must not stay. */
const inTurn = (handle: KeyMessageHandler): KeyMessageHandler => {
  let last: Promise<unknown> = Promise.resolve()
  return (kind, payload) => {
    const answer = last.then(() => handle(kind, payload))
    last = answer.catch(() => undefined)
    return answer
  }
}

/** A socket file has one owner; ports are shared. */
const isShareable = ({ kind }: { readonly kind: string }): boolean => kind === 'tcp'

let running: Promise<Running> | undefined
let ending: Promise<void> | undefined

/** Stops to accept, gives what has begun `graceMs`, and ends. */
const end = (graceMs: number): void => {
  setTimeout(() => process.exit(1), graceMs + END_MS)
  ending ??= finish(graceMs)
}

const finish = async (graceMs: number): Promise<void> => {
  const present = await running?.catch(() => undefined)
  const stopped = present?.listening.stop(graceMs)
  tell({ kind: 'closed' })
  await stopped
  tell({ kind: 'measured', measured: meters.measured() })
  await present?.close()
  process.exit(0)
}

const begin = async (message: ToWorker & { readonly kind: 'start' }): Promise<void> => {
  running = start(message)
  try {
    tell({ kind: 'listening', addresses: (await running).listening.addresses })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error), code })
    end(0)
  }
}

const onMessage = async (message: ToWorker): Promise<void> => {
  switch (message.kind) {
    case 'prepare':
      return loadStorage(message.storage)
    case 'start':
      return begin(message)
    case 'drain':
      return end(limits.drainMs)
    case 'reload':
      await (await running)?.reload()
      return
    case 'measure':
      return tell({ kind: 'measured', measured: meters.measured() })
    case 'taken':
      counts.answered(message.number, message.taken)
      return
    case 'all-measured':
      measurements.answered(message.number, message.all)
  }
}

process.on('message', (message) => {
  onMessage(message as ToWorker).catch((error: unknown) => log('a worker failed', error))
})
// Another supervisor may want the folder and the ports at once.
process.on('disconnect', () => end(limits.orphanDrainMs))
// It may have died while this loaded its code.
if (!process.connected) end(0)
// The terminal's Ctrl-C reaches all processes; the supervisor says when to end.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => end(limits.drainMs))
tell({ kind: 'alive' })
setInterval(() => tell({ kind: 'alive' }), ALIVE_MS)
