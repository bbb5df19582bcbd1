import { join } from 'node:path'
import { ConfigError } from './config-error.ts'
import { hostAndPort } from './listener-config.ts'
import type { ConfigOverrides } from './parse-config.ts'
import { mergeConfig } from './parse-config.ts'
import type { AuditConfig, ServerConfig } from './server-config.ts'

/** What development mode can be told. */
export type DevOptions = {
  /** `host:port`. */
  readonly listenAddress: string
  readonly rootTokenId: string | undefined
  /** Keeps the server between starts, with its audit log; undefined: memory only. */
  readonly dataFolder: string | undefined
}

/** The configuration of development mode. Throws a ConfigError for a wrong address. */
export const devConfig = (options: DevOptions, overrides: ConfigOverrides = {}): ServerConfig => {
  const { listenAddress, rootTokenId, dataFolder } = options
  const wrong = (why: string): ConfigError => new ConfigError(`-dev-listen-address: ${why}`)
  const config = mergeConfig(
    [
      {
        listeners: [
          {
            kind: 'tcp',
            ...hostAndPort(listenAddress, { wrong }),
            tls: undefined,
            limits: {},
            forwardedFor: {
              authorized: [],
              hopSkips: 0,
              rejectNotPresent: true,
              rejectNotAuthorized: true,
            },
            cors: undefined,
            responseHeaders: new Map(),
            unauthenticatedMetrics: false,
          },
        ],
        storage:
          dataFolder === undefined
            ? { kind: 'inmem' }
            : { kind: 'lmdb', path: join(dataFolder, 'data') },
        audit: dataFolder === undefined ? [] : [auditLog(join(dataFolder, 'audit.log'))],
        lockouts: [],
        workers: 1,
        texts: new Map(),
        seconds: new Map(),
        booleans: new Map([['ui', true]]),
        notes: [],
      },
    ],
    overrides,
  )
  return {
    ...config,
    dev: {
      listenAddress,
      ...(rootTokenId === undefined ? {} : { rootTokenId }),
      ...(dataFolder === undefined ? {} : { dataFolder }),
    },
  }
}

const auditLog = (path: string): AuditConfig => ({
  type: 'file',
  path: 'file/',
  description: 'kept by npm start',
  local: false,
  options: new Map([['file_path', path]]),
})
