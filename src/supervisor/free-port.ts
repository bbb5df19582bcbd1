import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { ListenerConfig } from '../config/server-config.ts'

/** Below the range from which connections going out take theirs: nobody comes upon one by chance before it is used. */
const CHOSEN_PORTS = { from: 15_000, count: 17_000 }
const CHOICES = 100

/** Workers of a supervisor that was killed give the port up within this. */
const PATIENCE_MS = 1_500
const STEP_MS = 20

/**
 * Gives port 0 a number, and refuses a port that somebody else has: workers share ports, so a second server of the same
 * user would share them, too, without a word.
 */
export const withFreePorts = (
  listeners: readonly ListenerConfig[],
): Promise<readonly ListenerConfig[]> =>
  Promise.all(
    listeners.map(async (listener) => {
      if (listener.kind === 'unix') return listener
      const { host, port } = listener
      if (port === 0) return { ...listener, port: await choosePort(host) }
      await ensureFree(host, port)
      return listener
    }),
  )

const choosePort = async (host: string): Promise<number> => {
  for (let left = CHOICES; ; left--) {
    const port = CHOSEN_PORTS.from + Math.floor(Math.random() * CHOSEN_PORTS.count)
    try {
      await bindOnce(host, port)
      return port
    } catch (error) {
      if (!isTaken(error) || left === 0) throw error
    }
  }
}

const ensureFree = async (host: string, port: number): Promise<void> => {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      await bindOnce(host, port)
      return
    } catch (error) {
      if (!isTaken(error) || performance.now() > until) throw error
    }
    await wait(STEP_MS)
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

/** Succeeds only when nobody listens there, sharing or not. */
const bindOnce = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()))
  })
