/** How much a logger writes: what is of this level or above. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['notice', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['err', 'error'],
  ['error', 'error'],
])

/** The level that a configuration or request names, in any case; undefined when there is none of that name. */
export const parseLogLevel = (written: string): LogLevel | undefined =>
  LEVELS.get(written.trim().toLowerCase())
