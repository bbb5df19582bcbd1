import { appendFileSync } from 'node:fs'
import type { ServerConfig } from '../config/server-config.ts'
import type { CommandIo } from './io.ts'

/** The server's log: lines wait until `open`, so that what a person must read comes first. */
export class ServerLog {
  readonly #io: CommandIo
  readonly #config: Pick<ServerConfig, 'logFile' | 'logFormat'>
  #waiting: string[] | undefined = []

  constructor(io: CommandIo, config: Pick<ServerConfig, 'logFile' | 'logFormat'>) {
    this.#io = io
    this.#config = config
  }

  /** Takes a line of the server's log, which has its time and level already. */
  readonly line = (text: string): void => {
    if (this.#waiting === undefined) this.#write(text)
    else this.#waiting.push(text)
  }

  /** Takes what the command itself has to say, in the form of the server's lines. */
  readonly note = (message: string): void => {
    const time = new Date().toISOString()
    this.line(
      this.#config.logFormat === 'json'
        ? JSON.stringify({ '@level': 'info', '@message': message, '@timestamp': time })
        : `${time} [INFO]  ${message}`,
    )
  }

  /** Writes what has waited, and from now on every line at once. */
  open(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const text of waiting) this.#write(text)
  }

  #write(text: string): void {
    this.#io.stderr.write(`${text}\n`)
    // By its name each time, so that it may be rotated away.
    if (this.#config.logFile !== undefined) {
      appendFileSync(this.#config.logFile, `${text}\n`, { mode: 0o600 })
    }
  }
}
