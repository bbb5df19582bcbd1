import { readdirSync, readlinkSync, statSync } from 'node:fs'

const FDS = '/proc/self/fd'

/**
 * Ensures that this process has just these two files open, the data and its lock file, as they stand at their paths now, and no lock
 * file that stood there before: two processes that write the same data under two lock files lose what the other writes. Throws an
 * Error that says what was found. Only where the system lists a process's open files (Linux).
 */
export const ensureOpenFiles = (data: string, lock: string): void => {
  let fds: readonly string[]
  try {
    fds = readdirSync(FDS)
  } catch {
    return
  }
  const open = new Set<string>()
  const wrong: string[] = []
  for (const fd of fds) {
    try {
      const link = readlinkSync(`${FDS}/${fd}`)
      if (link === `${lock} (deleted)`) wrong.push(`${link} still is open`)
      open.add(inodeOf(`${FDS}/${fd}`))
    } catch {
      // The one with which they were listed is closed.
    }
  }
  for (const path of [data, lock]) if (!open.has(inodeOf(path))) wrong.push(`${path} is not open`)
  if (wrong.length > 0)
    throw new Error(`LMDB has other files open than those there: ${wrong.join('; ')}`)
}

const inodeOf = (path: string): string => {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev} ${ino}`
}
