import { invalid } from '../../engine/refusal.ts'
import type { AppendFile, AuditDevice, DeviceHost } from '../device.ts'
import { option } from '../device-options.ts'
import type { DeviceOptions } from '../device-options.ts'
import { failureText } from '../failure-text.ts'
import { LineQueue } from '../line-queue.ts'
import { discardDevice } from './discard-device.ts'
import { stdoutDevice } from './stdout-device.ts'

const MODE_DEFAULT = '0600'
/** Nobody executes a log. */
const MODE_BITS = 0o666
const NEWLINE = 0x0a

interface Failure {
  readonly error: unknown
  /** Bytes that went nevertheless. */
  readonly written: number
}

/** The mode of the file, without execute bits; 0 leaves that of a file that exists. */
const modeOf = (text: string): number => {
  const shown = JSON.stringify(text)
  if (!/^[0-7]+$/.test(text)) throw invalid(`strconv.ParseUint: parsing ${shown}: invalid syntax`)
  const mode = Number.parseInt(text, 8)
  if (mode > 0o7777) throw invalid(`the mode ${shown} has more bits than a file's permissions`)
  return mode & MODE_BITS
}

/** Appends entries to a file (options `file_path`, `mode`), or to where `file_path` says `stdout` or `discard`. */
export const fileDevice = (options: DeviceOptions, host: DeviceHost): AuditDevice => {
  const path = option(options, 'file_path') ?? option(options, 'path') ?? ''
  if (path === '') throw invalid('file_path is required')
  if (path.includes('\0')) throw invalid('file_path must not hold a zero byte')
  const mode = modeOf(option(options, 'mode') || MODE_DEFAULT)
  const special = path.toLowerCase()
  if (special === 'stdout') return stdoutDevice(host)
  if (special === 'discard') return discardDevice
  return new FileDevice(path, mode, host)
}

class FileDevice implements AuditDevice {
  readonly #path: string
  readonly #mode: number
  readonly #host: DeviceHost
  readonly #queue = new LineQueue((text) => this.#append(text))
  #file: AppendFile | undefined
  /** The last line in the file has no end, so that the next write must begin with one (architecture.md F9). */
  #torn = false

  constructor(path: string, mode: number, host: DeviceHost) {
    this.#path = path
    this.#mode = mode
    this.#host = host
  }

  open(): Promise<void> {
    return this.#queue.between(async () => {
      await this.#opened()
    })
  }

  write(line: string): Promise<void> {
    return this.#queue.push(line)
  }

  /** The old file is let go first: where the new one cannot be opened, entries fail rather than go to a rotated file. */
  reopen(): Promise<void> {
    return this.#queue.between(async () => {
      await this.#letGo()
      this.#torn = false
      await this.#opened()
    })
  }

  close(): Promise<void> {
    return this.#queue.between(() => this.#letGo())
  }

  async #opened(): Promise<AppendFile> {
    if (this.#file) return this.#file
    try {
      this.#file = await this.#host.openAppend(this.#path, this.#mode)
    } catch (error) {
      throw new Error(
        `sanity check failed; unable to open "${this.#path}" for writing: ${failureText(error)}`,
        { cause: error },
      )
    }
    this.#torn ||= this.#file.torn
    return this.#file
  }

  async #letGo(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  async #append(text: string): Promise<void> {
    const fresh = this.#file === undefined
    const failure = await this.#attempt(text)
    if (failure === undefined) return
    // Once more with the file opened anew, unless it just was; and never after a part went: lines would stand there twice.
    const again = fresh || failure.written > 0 ? failure : await this.#attemptAnew(text)
    if (again !== undefined) throw again.error
  }

  async #attemptAnew(text: string): Promise<Failure | undefined> {
    try {
      await this.#letGo()
    } catch {
      // The failed write has said more about this file than its closing could.
    }
    return this.#attempt(text)
  }

  async #attempt(text: string): Promise<Failure | undefined> {
    let written = 0
    try {
      const file = await this.#opened()
      const bytes = Buffer.from(this.#torn ? `\n${text}` : text)
      try {
        while (written < bytes.length) written += await file.write(bytes, written)
      } finally {
        if (written > 0) this.#torn = bytes[written - 1] !== NEWLINE
      }
      return undefined
    } catch (error) {
      return { error, written }
    }
  }
}
