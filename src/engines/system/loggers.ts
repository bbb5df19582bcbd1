import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { LogLevel } from '../../std/log-level.ts'
import { parseLogLevel } from '../../std/log-level.ts'
import type { SystemOptions } from './options.ts'
import type { Settings } from './settings.ts'
import { changeSettings, readSettings } from './settings.ts'

const levelField = field.string({ description: '`trace`, `debug`, `info`, `warn` or `error`' })
const name = field.string({ default: '', description: 'The logger' })

const levelOf = (given: string | undefined): LogLevel => {
  if (given === undefined) throw invalid('level is required')
  if (given === '') throw invalid('level is empty')
  const level = parseLogLevel(given)
  if (level === undefined) throw invalid(`invalid level provided: unknown log level: ${given}`)
  return level
}

type Levels = ReadonlyMap<string, LogLevel>

/** Writes the levels down for all processes, and takes them in here before the answer. */
const change = async (
  call: Pick<Call, 'records' | 'namespace'>,
  { settings }: SystemOptions,
  next: (set: Levels) => Levels,
): Promise<undefined> => {
  await changeSettings(call, ({ logLevels, ...others }): Settings => {
    const levels = next(new Map(logLevels))
    return levels.size === 0 ? others : { ...others, logLevels: [...levels] }
  })
  await settings.follow()
  return undefined
}

const levelsNow = async (
  call: Pick<Call, 'records' | 'namespace'>,
  { settings }: SystemOptions,
): Promise<Levels> => {
  const set = new Map((await readSettings(call)).logLevels)
  return new Map(
    [...settings.configuredLogLevels()].map(([logger, level]) => [
      logger,
      set.get(logger) ?? level,
    ]),
  )
}

/** `sys/loggers`: how much each logger writes, on all processes. */
export const loggerRoutes = (options: SystemOptions) => {
  const known = (logger: string): void => {
    if (!options.settings.configuredLogLevels().has(logger))
      throw invalid(`logger "${logger}" not found`)
  }
  return [
    route({
      path: 'loggers',
      summary: 'Read, set or reset the level of all loggers',
      fields: { level: levelField },
      verbs: {
        read: async (call) =>
          data(Object.fromEntries(await levelsNow(call, options)), { emptyWarnings: true }),
        update: (call) => {
          const level = levelOf(call.input.level)
          const all = new Map(
            [...options.settings.configuredLogLevels().keys()].map((one) => [one, level]),
          )
          return change(call, options, () => all)
        },
        delete: (call) => change(call, options, () => new Map()),
      },
    }),
    route({
      path: 'loggers/+name',
      summary: 'Read, set or reset the level of a logger',
      fields: { name, level: levelField },
      verbs: {
        read: async (call) => {
          const level = (await levelsNow(call, options)).get(call.input.name)
          const shown = level === undefined ? {} : { [call.input.name]: level }
          return data(shown, { emptyWarnings: true })
        },
        update: (call) => {
          const level = levelOf(call.input.level)
          known(call.input.name)
          return change(call, options, (set) => new Map(set).set(call.input.name, level))
        },
        delete: (call) => {
          known(call.input.name)
          return change(call, options, (set) => {
            const fewer = new Map(set)
            fewer.delete(call.input.name)
            return fewer
          })
        },
      },
    }),
  ]
}
