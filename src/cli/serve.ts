import { rm, writeFile } from 'node:fs/promises'
import type { RunningServer, StartServer } from '../config/running-server.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { say, warn } from './command.ts'
import { localFailure } from './failure.ts'
import type { CommandIo } from './io.ts'
import { portHolder, usedBy } from './port-holder.ts'
import { ServerLog } from './server-log.ts'

/** Signals that stop a server; the same again after this long stops it without waiting. */
const IMPATIENCE_MS = 1000

/** Starts a server, lets `announce` tell about it, and runs it until a signal ends it; the exit code. */
export const serve = async (
  config: ServerConfig,
  io: CommandIo,
  announce: (running: RunningServer) => Promise<string>,
): Promise<number> => {
  const log = new ServerLog(io, config)
  for (const note of config.notes) log.note(note)
  let stop = (_signal: NodeJS.Signals): void => undefined
  const stopped = new Promise<void>((resolve) => (stop = () => resolve()))
  // Before it listens: a signal that comes while it starts must not cut it off in the middle.
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const running = await starting(config, io, log)
  process.on('SIGHUP', () => reload(running, io, log))
  if (config.pidFile !== undefined) await writeFile(config.pidFile, `${process.pid}\n`)
  io.stdout.write(await announce(running))
  log.open()
  await stopped
  say(io, '==> Signet shutdown triggered')
  const since = performance.now()
  const hurry = (): void => {
    if (performance.now() - since > IMPATIENCE_MS) process.exit(1)
  }
  process.on('SIGINT', hurry)
  process.on('SIGTERM', hurry)
  await running.stop()
  if (config.pidFile !== undefined) await rm(config.pidFile, { force: true })
  return 0
}

const reload = (running: RunningServer, io: CommandIo, log: ServerLog): void => {
  say(io, '==> Signet reload triggered')
  running.reload?.().catch((error: unknown) => log.note(`reload failed: ${messageOf(error)}`))
}

const starting = async (
  config: ServerConfig,
  io: CommandIo,
  log: ServerLog,
): Promise<RunningServer> => {
  const { startServer }: { readonly startServer: StartServer } = await import('../server.ts')
  try {
    return await startServer(config, { log: log.line })
  } catch (error) {
    log.open()
    const busy = config.listeners.find((each) => each.kind === 'tcp')
    if (busy !== undefined && codeOf(error) === 'EADDRINUSE') {
      const who = usedBy(busy.port, await portHolder(busy.port))
      const advice =
        config.dev === undefined
          ? 'change the address of the listener, or stop what holds it'
          : 'choose another with -dev-listen-address, or stop what holds it'
      throw localFailure(`Error initializing listener of type tcp: ${who}; ${advice}`)
    }
    warn(io, '')
    throw localFailure(`Error starting the server: ${messageOf(error)}`)
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
