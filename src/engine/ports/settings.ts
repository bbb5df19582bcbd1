import type { LogLevel } from '../../std/log-level.ts'

/** What `sys/` knows of settings that every process follows. */
export interface SettingsPort {
  /** The level that the configuration gives each logger, by name. */
  configuredLogLevels(): ReadonlyMap<string, LogLevel>
  /** Takes in here and now what is stored; other processes do before it matters, levels of loggers within seconds. */
  follow(): Promise<void>
}
