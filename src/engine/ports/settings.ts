/** How much a logger writes: what is of this level or above. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** What `sys/` knows of settings that every process follows. */
export interface SettingsPort {
  /** The level that the configuration gives each logger, by name. */
  configuredLogLevels(): ReadonlyMap<string, LogLevel>
  /** Takes in here and now what is stored; other processes do before it matters, levels of loggers within seconds. */
  follow(): Promise<void>
}
