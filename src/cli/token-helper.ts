import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { environment } from './environment.ts'
import { localFailure } from './failure.ts'
import type { CommandIo } from './io.ts'

/** Keeps the token between commands (spec/cli.md 6). */
export type TokenHelper = {
  /** '' when none is kept. */
  get(): Promise<string>
  store(token: string): Promise<void>
  erase(): Promise<void>
}

/** The helper of this user: what the client configuration names, else the file `~/.vault-token`. */
export const tokenHelper = async (
  io: Pick<CommandIo, 'env' | 'home'>,
  address: string,
): Promise<TokenHelper> => {
  const program = await configuredHelper(io)
  return program === undefined
    ? fileTokenHelper(join(io.home, '.vault-token'))
    : externalTokenHelper(program, io.env, address)
}

/** The whole trimmed content of a file is the token; mode 0600. */
export const fileTokenHelper = (path: string): TokenHelper => ({
  async get() {
    try {
      return (await readFile(path, 'utf8')).trim()
    } catch (error) {
      if (isMissing(error)) return ''
      throw localFailure(`Error reading the token file: ${messageOf(error)}`)
    }
  },
  async store(token) {
    // Renaming replaces the file at once and gives it its mode even where another one stood.
    const { randomBytes } = await import('node:crypto')
    const temporary = `${path}.${randomBytes(6).toString('hex')}`
    try {
      await writeFile(temporary, token, { mode: 0o600, flag: 'wx' })
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw localFailure(`Error storing token: ${messageOf(error)}`)
    }
  },
  async erase() {
    await rm(path, { force: true })
  },
})

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** An executable called with `get`, `store` (the token on its standard input) or `erase`. */
export const externalTokenHelper = (
  program: string,
  env: CommandIo['env'],
  address: string,
): TokenHelper => {
  const call = async (verb: string, input?: string): Promise<string> => {
    const { spawn } = await import('node:child_process')
    const child = spawn(program, [verb], {
      env: { ...env, BAO_ADDR: address, VAULT_ADDR: address },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    const complaints: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk))
    // A helper may end without reading what it is given.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error) => {
        reject(localFailure(`Error running the token helper ${program}: ${error.message}`))
      })
      child.on('close', resolve)
    })
    if (code !== 0) {
      const said = Buffer.concat(complaints).toString('utf8').trimEnd()
      throw localFailure(`Error: the token helper ${program} ${verb} failed: ${said}`)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
  return {
    get: async () => (await call('get')).trim(),
    async store(token) {
      await call('store', token)
    },
    async erase() {
      await call('erase')
    },
  }
}

// The one key of the client's configuration file.
const configuredHelper = async (
  io: Pick<CommandIo, 'env' | 'home'>,
): Promise<string | undefined> => {
  const named = environment(io.env, 'CONFIG_PATH')
  const candidates =
    named !== undefined && named !== '' ? [named] : [join(io.home, '.bao'), join(io.home, '.vault')]
  for (const path of candidates) {
    const text = await fileText(path)
    if (text === undefined) continue
    const { tokenHelperOf } = await import('./client-config.ts')
    return expandHome(tokenHelperOf(text, path), io.home)
  }
  return undefined
}

const fileText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // A folder of that name is somebody else's.
    if (
      isMissing(error) ||
      (error instanceof Error && 'code' in error && error.code === 'EISDIR')
    ) {
      return undefined
    }
    throw localFailure(`Error reading the client configuration: ${messageOf(error)}`)
  }
}

const expandHome = (path: string | undefined, home = homedir()): string | undefined =>
  path?.startsWith('~/') === true ? join(home, path.slice(2)) : path
