import type { Stats } from 'node:fs'
import { close, constants, fchmod, fstat, mkdir, open, read, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AppendFile, OpenAppend } from './device.ts'

const FOLDER_MODE = 0o700
/** What a file is made with when its mode is to be left alone. */
const FILE_MODE = 0o600
const NEWLINE = 0x0a
/**
 * A write of up to so many bytes to a regular file is done at once: it goes to the page cache in less time than it takes to
 * hand it to another thread, which for one client costs more than all the rest of a request (measured). Pipes and
 * devices may hold a write up for as long as they like.
 */
const DIRECT_BYTES = 65_536

/** A write to a file that another process is at goes on within this time. */
const WRITE_MS = 10

const openFile = promisify(open)
const closeFile = promisify(close)
const readFile = promisify(read)
const statFile = promisify(fstat) as (fd: number) => Promise<Stats>
const changeMode = promisify(fchmod)
const makeFolder = promisify(mkdir)

/** Whether the last of so many bytes ends no line. A file that may be written but not read can still be appended to: then it does. */
const lacksNewline = async (path: string, size: number): Promise<boolean> => {
  if (size === 0) return false
  let fd: number
  try {
    fd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const last = Buffer.alloc(1)
    const { bytesRead } = await readFile(fd, last, 0, 1, size - 1)
    return bytesRead === 1 && last[0] !== NEWLINE
  } finally {
    await closeFile(fd)
  }
}

/** Whether the file ends in the middle of a line, and does not go on: another process may be in the middle of a write. */
const endsTorn = async (path: string, fd: number): Promise<boolean> => {
  for (let { size } = await statFile(fd); await lacksNewline(path, size);) {
    await wait(WRITE_MS)
    const later = await statFile(fd)
    if (later.size === size) return true
    size = later.size
  }
  return false
}

class OpenedFile implements AppendFile {
  readonly torn: boolean
  readonly #fd: number
  readonly #regular: boolean

  constructor(fd: number, regular: boolean, torn: boolean) {
    this.#fd = fd
    this.#regular = regular
    this.torn = torn
  }

  async write(bytes: Uint8Array, offset: number): Promise<number> {
    const length = bytes.length - offset
    if (this.#regular && length <= DIRECT_BYTES) {
      return writeSync(this.#fd, bytes, offset, length, null)
    }
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, offset, length, null, (error, written) =>
        error ? reject(error) : resolve(written),
      )
    })
  }

  async close(): Promise<void> {
    await closeFile(this.#fd)
  }
}

/** Opens on the real file system, with O_APPEND: processes that share the file never share an offset. */
export const openAppend: OpenAppend = async (path, mode) => {
  await makeFolder(dirname(path), { recursive: true, mode: FOLDER_MODE })
  const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY
  const fd = await openFile(path, flags, mode === 0 ? FILE_MODE : mode)
  try {
    const stats = await statFile(fd)
    if (!stats.isFile()) return new OpenedFile(fd, false, false)
    if (mode !== 0 && (stats.mode & 0o7777) !== mode) await changeMode(fd, mode)
    return new OpenedFile(fd, true, await endsTorn(path, fd))
  } catch (error) {
    await closeFile(fd)
    throw error
  }
}
