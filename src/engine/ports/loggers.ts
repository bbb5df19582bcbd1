/** How much a logger writes: what is of this level or above. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** The loggers of this process, as `sys/loggers` uses them. */
export interface LoggersPort {
  /** The level that the configuration gives each logger, by name. */
  configured(): ReadonlyMap<string, LogLevel>
  /** Takes in at once the levels that are stored; other processes do within seconds. */
  follow(): Promise<void>
}
