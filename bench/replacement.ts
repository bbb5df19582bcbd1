import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { isAlive, until, WorkerServer } from '../test/support/worker-server.ts'
import type { Driven } from './drive.ts'
import { print } from './figures.ts'

const USAGE = `usage: node bench/replacement.ts [--kills 20] [--clients 64] [--rest 4] [--silent]

How long it takes until another worker has taken the place of one that is killed, while clients keep two workers busy.
--rest    seconds between two kills
--silent  stops the worker instead, and counts from when the supervisor ends it`

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    clients: { type: 'string', default: '64' },
    rest: { type: 'string', default: '4' },
    silent: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})

const WORKERS = 2
/** New connections after each kill: some surely reach the new worker. */
const PROBES = 24
const PATIENCE_MS = 60_000

const spread = (title: string, times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b)
  return `${title}: median ${sorted[Math.floor(sorted.length / 2)]!.toFixed(0)} ms, worst ${sorted.at(-1)!.toFixed(0)} ms`
}

/** Until the worker is gone: at once, or once its supervisor has noticed that it is silent. */
const end = async (worker: number): Promise<void> => {
  process.kill(worker, values.silent ? 'SIGSTOP' : 'SIGKILL')
  if (values.silent) await until(() => !isAlive(worker), PATIENCE_MS)
}

/** Ends one worker; gives the ms until another listens, and until all of many new connections were answered. */
const replaceOne = async (
  server: WorkerServer,
): Promise<{ readonly listens: number; readonly answers: number }> => {
  // The one that has served longest.
  const victim = Math.min(...server.workers())
  await end(victim)
  const began = performance.now()
  await until(() => server.hasReplaced(victim, WORKERS), PATIENCE_MS)
  const listens = performance.now() - began
  await Promise.all(
    Array.from({ length: PROBES }, () => server.ask({ path: 'auth/token/lookup-self' })),
  )
  return { listens, answers: performance.now() - began }
}

const main = async (): Promise<void> => {
  if (values.help === true) {
    print(USAGE)
    return
  }
  const server = await WorkerServer.prepare(WORKERS)
  await server.start()
  await server.initialise()
  await server.unseal()
  await server.ask({ path: 'sys/mounts/kv', body: { type: 'kv' } })
  const options = { file_path: `${server.folder}/audit.log` }
  await server.ask({ path: 'sys/audit/file', body: { type: 'file', options } })
  // In a process of its own: what is measured here must not wait for it.
  const load = fork(new URL('replacement-load.ts', import.meta.url), [
    String(server.port),
    server.root,
    values.clients,
  ])
  const listens: number[] = []
  const answers: number[] = []
  for (let kill = 0; kill < Number(values.kills); kill++) {
    await wait(Number(values.rest) * 1_000)
    const took = await replaceOne(server)
    listens.push(took.listens)
    answers.push(took.answers)
    print(`${took.listens.toFixed(0)} ms, ${took.answers.toFixed(0)} ms`)
  }
  load.send('end')
  const [{ perSecond }] = (await once(load, 'message')) as [Driven]
  await server.stop()
  await server.remove()
  print(`${perSecond.toFixed(0)} requests a second meanwhile`)
  print(spread('another listens', listens))
  print(spread(`${PROBES} new connections answered`, answers))
}

await main()
