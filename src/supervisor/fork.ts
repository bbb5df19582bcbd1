import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The file descriptor on which a worker has the pipe for keys; 3 is the channel for messages. */
export const KEY_PIPE = 4

const WORKER = fileURLToPath(new URL('./worker-main.ts', import.meta.url))

/**
 * The launcher's, too. No process of a server may open a debugger (architecture.md F2). And what dies young is collected four times as
 * often as by default: that saves 50 MB a process, and the CPU that it costs is less than measurements scatter.
 */
const EXEC_ARGV = ['--disable-sigusr1', '--max-semi-space-size=8']

/** Starts a worker process. Its environment lacks NODE_OPTIONS; the launcher's NODE_COMPILE_CACHE is what makes it fast. */
export const forkWorker = (): ChildProcess => {
  const environment = { ...process.env }
  delete environment['NODE_OPTIONS']
  return fork(WORKER, [], {
    env: environment,
    execArgv: EXEC_ARGV,
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
}
