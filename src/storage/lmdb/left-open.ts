import { readFileSync, statSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const LOOK_MS = 20

/** The parts of a device's number, in the form of Linux (makedev(3)). */
const hex = (number: bigint): string => number.toString(16).padStart(2, '0')
const majorOf = (dev: bigint): string => hex(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn))
const minorOf = (dev: bigint): string => hex((dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn))

/** Other processes that hold a lock in this file, as Linux lists them; none where it does not, or there is no file. */
const holdersOf = (file: string): readonly number[] => {
  let locks: string
  let place: string
  try {
    const { dev, ino } = statSync(file, { bigint: true })
    place = `${majorOf(dev)}:${minorOf(dev)}:${ino}`
    locks = readFileSync('/proc/locks', 'utf8')
  } catch {
    return []
  }
  const held = new RegExp(`POSIX +\\S+ +\\S+ +(\\d+) ${place} `, 'g')
  const pids = [...locks.matchAll(held)].map(([, pid]) => Number(pid))
  return [...new Set(pids)].filter((pid) => pid !== process.pid)
}

/**
 * Resolves once no other process has the data open whose lock file this is, or after so long, with those that still have: workers
 * outlive a supervisor that was killed for a moment, and what they write while another process opens the data can be lost (see
 * `LmdbStore.hold`).
 */
export const untilLeft = async (lockFile: string, withinMs: number): Promise<readonly number[]> => {
  for (const end = performance.now() + withinMs; ;) {
    const holders = holdersOf(lockFile)
    if (holders.length === 0 || performance.now() > end) return holders
    await wait(LOOK_MS)
  }
}
