import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..')

const launcher = join(root, 'bin', 'signet')

/** How a command ended. */
export type Ended = {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Env = Readonly<Record<string, string>>

// Nothing of the caller's own Vault, home or runtime options.
const environment = (env: Env): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  ...env,
})

/** Runs `bin/signet` to its end. */
export const signet = async (words: readonly string[], env: Env = {}, cwd = root): Promise<Ended> =>
  await runProgram(launcher, words, env, cwd)

/** Runs a program to its end. */
export const runProgram = async (
  program: string,
  words: readonly string[],
  env: Env = {},
  cwd = root,
): Promise<Ended> => {
  const child = spawn(program, words, {
    cwd,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = collect(child)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, ...said() }
}

const collect = (child: ChildProcess): (() => { stdout: string; stderr: string }) => {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return () => ({ stdout, stderr })
}

/** A server in a process of its own. */
export type ServerProcess = {
  /** Its first URL. */
  readonly address: string
  readonly pid: number
  /** Everything on standard output until now. */
  readonly stdout: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  /** Resolves when standard output contains the text. */
  readonly says: (text: string) => Promise<void>
  /** Ends it with a signal, SIGTERM unless another is given. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>
}

/** Starts `bin/signet server` and waits until `ready` stands on its standard output. */
export const startServerProcess = async (
  words: readonly string[],
  ready: string,
  env: Env = {},
): Promise<ServerProcess> => {
  const child = spawn(launcher, ['server', ...words], {
    cwd: root,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = collect(child)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const says = async (text: string): Promise<void> =>
    await new Promise((resolve, reject) => {
      const look = (): void => {
        if (said().stdout.includes(text)) resolve()
      }
      child.stdout.on('data', look)
      void ended.then(() => reject(new Error(`the server ended: ${said().stdout}${said().stderr}`)))
      look()
    })
  await says(ready)
  const address = /https?:\/\/[^\s']+/.exec(said().stdout)?.[0] ?? ''
  return {
    address,
    pid: child.pid!,
    stdout: () => said().stdout,
    signal: (signal) => void child.kill(signal),
    says,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return { code: await ended, ...said() }
    },
  }
}
