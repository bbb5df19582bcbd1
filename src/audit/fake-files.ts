import type { AppendFile, OpenAppend } from './device.ts'

const NEWLINE = 0x0a

/** An error as the system gives it. */
export const systemError = (code: string, errno: number, syscall: string, path?: string): Error =>
  Object.assign(new Error(code), { code, errno, syscall, ...(path === undefined ? {} : { path }) })

/** Files in memory for tests, on a disk that can fill up, fail or hang. */
export class FakeFiles {
  readonly contents = new Map<string, Buffer>()
  /** Writes asked for, and files opened, so far. */
  writes = 0
  opens = 0
  /** Opened and not closed. */
  open = 0
  /** Bytes the disk still takes: a write that does not fit goes in part, and the next fails. */
  room = Infinity
  /** Why files cannot be opened. */
  refusal: Error | undefined
  /** Errors of the next writes, first come first served. */
  readonly failures: Error[] = []
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve()

  readonly openAppend: OpenAppend = async (path) => {
    this.opens++
    if (this.refusal) throw this.refusal
    const before = this.contents.get(path) ?? Buffer.alloc(0)
    this.contents.set(path, before)
    this.open++
    const file: AppendFile = {
      torn: before.length > 0 && before.at(-1) !== NEWLINE,
      write: (bytes, offset) => this.#write(path, bytes.subarray(offset)),
      close: async () => {
        this.open--
      },
    }
    return file
  }

  async #write(path: string, bytes: Uint8Array): Promise<number> {
    this.writes++
    await this.gate
    const failure = this.failures.shift()
    if (failure) throw failure
    const fits = Math.min(bytes.length, this.room)
    if (fits === 0) throw systemError('ENOSPC', -28, 'write')
    this.room -= fits
    this.contents.set(path, Buffer.concat([this.contents.get(path)!, bytes.subarray(0, fits)]))
    return fits
  }

  /** The lines of a file, the last one's end included. */
  lines(path: string): string[] {
    return (this.contents.get(path) ?? Buffer.alloc(0)).toString().split('\n').slice(0, -1)
  }

  text(path: string): string {
    return (this.contents.get(path) ?? Buffer.alloc(0)).toString()
  }
}
