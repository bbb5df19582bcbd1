import { devConfig } from '../../config/dev-config.ts'
import { ConfigError } from '../../config/config-error.ts'
import { loadConfig } from '../../config/load-config.ts'
import type { ConfigOverrides } from '../../config/parse-config.ts'
import type { ServerConfig } from '../../config/server-config.ts'
import type { Call, Command } from '../command.ts'
import { warn } from '../command.ts'
import { environment, parseBoolean } from '../environment.ts'
import { localFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { serve } from '../serve.ts'
import { devBanner, serverBanner } from '../server-banner.ts'
import { serveFolder } from '../start-folder.ts'
import { ownVersion } from './version.ts'

const flags: readonly Flag[] = [
  {
    name: 'config',
    kind: 'list',
    env: 'CONFIG_PATH',
    help: 'A configuration file, or a folder of *.hcl and *.json files; repeatable.',
  },
  { name: 'log-level', kind: 'text', env: 'LOG_LEVEL', help: 'trace, debug, info, warn or error.' },
  { name: 'log-format', kind: 'text', env: 'LOG_FORMAT', help: 'standard or json.' },
  {
    name: 'dev',
    kind: 'boolean',
    help: 'Development mode: in memory, initialised, unsealed. Never for production.',
  },
  {
    name: 'dev-root-token-id',
    kind: 'text',
    env: 'DEV_ROOT_TOKEN_ID',
    help: 'The text of the root token in development mode.',
  },
  {
    name: 'dev-listen-address',
    kind: 'text',
    env: 'DEV_LISTEN_ADDRESS',
    help: 'Where to listen in development mode; 127.0.0.1:8200 when not given.',
  },
  {
    name: 'dev-no-store-token',
    kind: 'boolean',
    help: 'Taken for compatibility: the root token is only ever printed, never stored.',
  },
  {
    name: 'dev-folder',
    kind: 'text',
    help: 'Development mode that this folder keeps between starts, on the next free port.',
  },
  { name: 'dev-reset', kind: 'boolean', help: 'Empty -dev-folder first.' },
]

const overridesOf = (call: Call): ConfigOverrides => {
  const { env } = call.io
  const text = (name: string): string | undefined => environment(env, name) || undefined
  const boolean = (name: string): boolean | undefined => {
    const written = text(name)
    return written === undefined ? undefined : parseBoolean(written)
  }
  const values: Record<keyof ConfigOverrides, string | boolean | undefined> = {
    apiAddress: text('API_ADDR'),
    clusterAddress: text('CLUSTER_ADDR'),
    logLevel: call.flags.text('log-level') || undefined,
    logFormat: call.flags.text('log-format') || undefined,
    ui: boolean('UI'),
    disableUserLockout: boolean('DISABLE_USER_LOCKOUT'),
  }
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as ConfigOverrides
}

const configOf = async (call: Call): Promise<ServerConfig> => {
  const { flags: given } = call
  if (!given.boolean('dev')) {
    if (given.given('dev-root-token-id')) {
      warn(
        call.io,
        'You cannot specify a custom root token ID outside of "dev" mode. Your request has been ignored.',
      )
    }
    return await loadConfig(given.list('config'), overridesOf(call))
  }
  return devConfig(
    {
      listenAddress: given.text('dev-listen-address') ?? '127.0.0.1:8200',
      rootTokenId: given.text('dev-root-token-id') || undefined,
      dataFolder: undefined,
    },
    overridesOf(call),
  )
}

const run = async (call: Call): Promise<number> => {
  const { flags: given, io } = call
  const folder = given.text('dev-folder')
  try {
    if (folder !== undefined) {
      return await serveFolder(
        {
          folder,
          reset: given.boolean('dev-reset'),
          listenAddress: given.text('dev-listen-address'),
          rootTokenId: given.text('dev-root-token-id') || undefined,
          overrides: overridesOf(call),
        },
        io,
      )
    }
    const config = await configOf(call)
    return await serve(config, io, async (running) => {
      const banner = serverBanner(config, running, await ownVersion())
      return config.dev === undefined ? banner : `${banner}${devBanner(config, running)}`
    })
  } catch (error) {
    if (error instanceof ConfigError) throw localFailure(error.message)
    throw error
  }
}

/** `signet server`. */
export const server: Command = {
  usage: '[flags]',
  help: 'Runs a server until SIGINT or SIGTERM, which let it finish what it has begun. SIGHUP reopens audit files and reads certificates again.',
  flags,
  args: { min: 0, max: 0 },
  run,
}
