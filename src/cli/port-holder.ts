import { readFile, readdir, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'

/** Who listens on a port of this machine. */
export type PortHolder = { readonly pid: number; readonly name: string }

/** Whether nobody listens on a port of an address yet. */
export const isFree = async (host: string, port: number): Promise<boolean> => {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Who holds a port, where the system tells: undefined for other people's processes and unknown systems. */
export const portHolder = async (port: number): Promise<PortHolder | undefined> => {
  if (process.platform === 'linux') return await holderByProc(port)
  return process.platform === 'darwin' ? await holderByLsof(port) : undefined
}

/** `in use`, with by whom where that is known. */
export const usedBy = (port: number, holder: PortHolder | undefined): string =>
  holder === undefined
    ? `${port} is in use`
    : `${port} is in use by pid ${holder.pid} (${holder.name})`

const LISTENING = '0A'

const holderByProc = async (port: number): Promise<PortHolder | undefined> => {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf))
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(suffix) && state === LISTENING)
    .map((fields) => `socket:[${fields[9]}]`)
  if (inodes.length === 0) return undefined
  for (const pid of await namesIn('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const descriptor of await namesIn(`/proc/${pid}/fd`)) {
      if (!inodes.includes(await linkOf(`/proc/${pid}/fd/${descriptor}`))) continue
      return { pid: Number(pid), name: (await textOf(`/proc/${pid}/comm`)).trim() }
    }
  }
  return undefined
}

// Processes end, and other people's cannot be looked into: both count as empty.
const textOf = async (path: string): Promise<string> => await readFile(path, 'utf8').catch(() => '')
const namesIn = async (path: string): Promise<string[]> => await readdir(path).catch(() => [])
const linkOf = async (path: string): Promise<string> => await readlink(path).catch(() => '')

const holderByLsof = async (port: number): Promise<PortHolder | undefined> => {
  const { execFile } = await import('node:child_process')
  const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']
  const said = await new Promise<string>((resolve) => {
    execFile('lsof', args, (_error, stdout) => resolve(stdout))
  })
  const pid = /^p(\d+)$/m.exec(said)?.[1]
  const name = /^c(.+)$/m.exec(said)?.[1]
  return pid === undefined ? undefined : { pid: Number(pid), name: name ?? 'unknown' }
}
