import type { Stats } from 'node:fs'
import { close, constants, fchmod, fstat, mkdir, open, read, write } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { AppendFile, OpenAppend } from './device.ts'

const FOLDER_MODE = 0o700
/** What a file is made with when its mode is to be left alone. */
const FILE_MODE = 0o600
const NEWLINE = 0x0a

const openFile = promisify(open)
const closeFile = promisify(close)
const readFile = promisify(read)
const statFile = promisify(fstat) as (fd: number) => Promise<Stats>
const changeMode = promisify(fchmod)
const makeFolder = promisify(mkdir)

/** A file that may be written but not read can still be appended to: then its end is taken to be whole. */
const endsTorn = async (path: string, size: number): Promise<boolean> => {
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

class OpenedFile implements AppendFile {
  readonly torn: boolean
  readonly #fd: number

  constructor(fd: number, torn: boolean) {
    this.#fd = fd
    this.torn = torn
  }

  write(bytes: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) =>
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
    if (!stats.isFile()) return new OpenedFile(fd, false)
    if (mode !== 0 && (stats.mode & 0o7777) !== mode) await changeMode(fd, mode)
    return new OpenedFile(fd, await endsTorn(path, stats.size))
  } catch (error) {
    await closeFile(fd)
    throw error
  }
}
