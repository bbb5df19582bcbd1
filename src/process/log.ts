import type { ServerConfig } from '../config/server-config.ts'
import type { LogLevel } from '../std/log-level.ts'

/** Takes a line of the log; an error is described after it, with its stack. Never gets what a client sent. */
export type Log = (message: string, error?: unknown) => void

/** How lines look, and which are written at all. */
export interface LogForm {
  readonly level: LogLevel
  readonly format: 'standard' | 'json'
}

/** The form that a configuration asks for. */
export const logForm = ({
  logLevel,
  logFormat,
}: Pick<ServerConfig, 'logLevel' | 'logFormat'>): LogForm => ({
  level: logLevel,
  format: logFormat,
})

const PLAIN: LogForm = { level: 'info', format: 'standard' }

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** The loggers there are: requests and background work; audit devices; listeners; the store. */
export const LOGGERS = ['audit', 'core', 'listener', 'storage'] as const

export type LoggerName = (typeof LOGGERS)[number]

/** The level of each logger: the configured one, until another is set (`sys/loggers`). */
export class LogLevels {
  readonly configured: LogLevel
  #set: ReadonlyMap<string, LogLevel> = new Map()

  constructor(configured: LogLevel) {
    this.configured = configured
  }

  of(name: LoggerName): LogLevel {
    return this.#set.get(name) ?? this.configured
  }

  /** Sets the levels of these loggers and gives all others the configured one. */
  set(levels: ReadonlyMap<string, LogLevel>): void {
    this.#set = levels
  }
}

/**
 * A log over something that takes lines. What comes with an error is written at level `error`, all else at `info`; lines look
 * as the reference's do, so that whoever reads those can read these.
 */
export const logTo = (
  write: (line: string) => void,
  form: LogForm = PLAIN,
  levels: LogLevels = new LogLevels(form.level),
  name: LoggerName = 'core',
): Log => {
  return (message, error) => {
    const level = error === undefined ? 'info' : 'error'
    if (LEVELS.indexOf(level) < LEVELS.indexOf(levels.of(name))) return
    const time = new Date().toISOString()
    const cause = error === undefined ? undefined : describe(error)
    if (form.format === 'json') {
      write(
        JSON.stringify({ '@level': level, '@message': message, '@timestamp': time, error: cause }),
      )
      return
    }
    const mark = `[${level.toUpperCase()}]`.padEnd(7)
    write(`${time} ${mark} ${cause === undefined ? message : `${message}: ${cause}`}`)
  }
}

/** The loggers of a process, and the levels that they keep to. */
export interface Logs {
  readonly levels: LogLevels
  readonly of: (name: LoggerName) => Log
}

/** All loggers over one thing that takes lines. */
export const openLogs = (write: (line: string) => void, form: LogForm = PLAIN): Logs => {
  const levels = new LogLevels(form.level)
  return { levels, of: (name) => logTo(write, form, levels, name) }
}

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const text = error.stack ?? error.message
  return error.cause === undefined ? text : `${text}\n  caused by ${describe(error.cause)}`
}
