import type { LogLevel } from '../std/log-level.ts'
import { parseLogLevel } from '../std/log-level.ts'
import { availableParallelism } from 'node:os'
import { limits } from '../limits.ts'
import type { HclObject } from '../std/hcl/ast.ts'
import { parseHcl } from '../std/hcl/hcl.ts'
import { parseAudit } from './audit-config.ts'
import { ConfigBlock } from './config-block.ts'
import type { LabelledBlock } from './config-block.ts'
import { ConfigError } from './config-error.ts'
import { parseListener } from './listener-config.ts'
import { lockoutOf, parseLockout } from './lockout-config.ts'
import type { LockoutStanza } from './lockout-config.ts'
import { parseStorage } from './storage-config.ts'
import type { AuditConfig, ListenerConfig, ServerConfig, StorageConfig } from './server-config.ts'

const DEFAULT_REQUEST_SECONDS = 90

/** Names that mean nothing here, each with what to know about it. */
const meaningless: ReadonlyMap<string, string> = new Map([
  ['cache_size', 'caches have bounds of their own'],
  ['disable_cache', 'what is cached is checked at every use'],
  ['disable_clustering', 'there is no cluster port'],
  ['disable_mlock', 'memory is never locked: encrypt or disable swap'],
  ['disable_sealwrap', 'there is no seal wrapping'],
  ['plugin_directory', 'there are no plugins'],
  ['plugin_file_permissions', 'there are no plugins'],
  ['plugin_file_uid', 'there are no plugins'],
])

/** What one configuration file says; undefined where it says nothing. */
export type ConfigPart = {
  readonly listeners: readonly ListenerConfig[]
  readonly storage: StorageConfig | undefined
  readonly audit: readonly AuditConfig[]
  readonly lockouts: readonly LockoutStanza[]
  readonly workers?: number | undefined
  readonly texts: ReadonlyMap<TextName, string>
  readonly seconds: ReadonlyMap<SecondsName, number>
  readonly booleans: ReadonlyMap<BooleanName, boolean>
  readonly notes: readonly string[]
}

const textNames = [
  'api_addr',
  'cluster_addr',
  'cluster_name',
  'log_level',
  'log_format',
  'log_file',
  'pid_file',
] as const
const secondsNames = [
  'default_lease_ttl',
  'max_lease_ttl',
  'default_max_request_duration',
  'ui_session_idle_ttl',
  'ui_session_max_ttl',
] as const
const booleanNames = [
  'ui',
  'raw_storage_endpoint',
  'introspection_endpoint',
  'disable_printable_check',
  'unsafe_allow_api_audit_creation',
  'allow_audit_log_prefixing',
] as const
type TextName = (typeof textNames)[number]
type SecondsName = (typeof secondsNames)[number]
type BooleanName = (typeof booleanNames)[number]

/** Reads one configuration file, HCL or JSON. Throws a ConfigError that names the file. */
export const parseConfigPart = (text: string, file: string): ConfigPart => {
  const where = `error loading configuration from ${file}`
  const root = new ConfigBlock(documentOf(text, where), where)
  const listeners = root.blocks('listener', 1)
  const storage = storageBlock(root)
  const part = {
    listeners: listeners.map(({ labels: [type = ''], block }) => parseListener(type, block)),
    storage: storage && parseStorage(storage.labels[0] ?? '', storage.block),
    audit: root
      .blocks('audit', 2)
      .map(({ labels: [type = '', path = ''], block }) => parseAudit(type, path, block)),
    lockouts: root
      .blocks('user_lockout', 1)
      .map(({ labels: [method = ''], block }) => parseLockout(method, block)),
    texts: given(textNames, (name) => root.text(name)),
    seconds: given(secondsNames, (name) => root.seconds(name)),
    booleans: given(booleanNames, (name) => root.boolean(name)),
    workers: workersOf(root),
  }
  checkSeals(root)
  const unread = [
    ...root.unread().map((name) => noteOf(name)),
    ...listeners.flatMap(({ labels, block }) =>
      block.unread().map((name) => `listener ${labels[0]}: ${noteOf(name)}`),
    ),
    ...(storage?.block.unread() ?? []).map(
      (name) => `storage ${storage?.labels[0]}: ${noteOf(name)}`,
    ),
  ]
  return { ...part, notes: unread.map((note) => `${file}: ${note}`) }
}

/** `workers`: processes that serve, 1 to 256. */
const workersOf = (root: ConfigBlock): number | undefined => {
  const workers = root.integer('workers')
  if (workers !== undefined && (workers < 1 || workers > MOST_WORKERS)) {
    throw root.wrong(`workers must be between 1 and ${MOST_WORKERS}`)
  }
  return workers
}

const MOST_WORKERS = 256

const noteOf = (name: string): string => {
  const why = meaningless.get(name)
  return why === undefined ? `unknown or unsupported field ${name}` : `${name} is ignored: ${why}`
}

const given = <N extends string, V>(
  names: readonly N[],
  read: (name: N) => V | undefined,
): ReadonlyMap<N, V> => {
  const values = new Map<N, V>()
  for (const name of names) {
    const value = read(name)
    if (value !== undefined) values.set(name, value)
  }
  return values
}

const documentOf = (text: string, where: string): HclObject => {
  try {
    return parseHcl(text)
  } catch (error) {
    throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The one block that says where the data lies; `backend` is its older name. */
const storageBlock = (root: ConfigBlock): LabelledBlock | undefined => {
  const stanzas = [...root.blocks('storage', 1), ...root.blocks('backend', 1)]
  if (stanzas.length > 1) throw root.wrong("only one 'storage' block is permitted")
  return stanzas[0]
}

const checkSeals = (root: ConfigBlock): void => {
  for (const { labels, block } of root.blocks('seal', 1)) {
    if (labels[0] !== 'shamir' && block.boolean('disabled') !== true) {
      throw block.wrong(`unknown seal type ${labels[0]}: only Shamir shares are built`)
    }
  }
}

/** What stands above the files: flags and environment variables. */
export type ConfigOverrides = {
  readonly apiAddress?: string
  readonly clusterAddress?: string
  readonly logLevel?: string
  readonly logFormat?: string
  readonly ui?: boolean
  readonly disableUserLockout?: boolean
}

/**
 * The configuration that files make together (spec/sys.md 9): of texts the last wins, of TTLs the largest, booleans are
 * true where any is, blocks add up. Throws a ConfigError.
 */
export const mergeConfig = (
  parts: readonly ConfigPart[],
  overrides: ConfigOverrides = {},
): ServerConfig => {
  const text = (name: TextName): string | undefined => {
    const value = parts.findLast((part) => part.texts.has(name))?.texts.get(name)
    return value === '' ? undefined : value
  }
  const seconds = (name: SecondsName, usual: number): number => {
    const largest = Math.max(0, ...parts.map((part) => part.seconds.get(name) ?? 0))
    return largest === 0 ? usual : largest
  }
  const boolean = (name: BooleanName): boolean =>
    parts.some((part) => part.booleans.get(name) === true)
  const storage = parts.findLast((part) => part.storage !== undefined)?.storage
  if (storage === undefined) throw new ConfigError('A storage backend must be specified')
  const listeners = parts.flatMap((part) => part.listeners)
  if (listeners.length === 0) {
    throw new ConfigError('A listener must be specified: listener "tcp" { address = "…" }')
  }
  const defaultLeaseTtlSeconds = seconds('default_lease_ttl', limits.defaultLeaseTtlSeconds)
  const maxLeaseTtlSeconds = seconds('max_lease_ttl', limits.maxLeaseTtlSeconds)
  if (defaultLeaseTtlSeconds > maxLeaseTtlSeconds) {
    throw new ConfigError('cannot have DefaultLeaseTTL larger than MaxLeaseTTL')
  }
  const audit = parts.flatMap((part) => part.audit)
  refuseTwins(audit)
  const lockouts = parts.flatMap((part) => part.lockouts)
  const disabled = { method: 'all', values: { disabled: true } } as const
  return {
    listeners,
    storage,
    seal: { kind: 'shamir' },
    audit,
    apiAddress: addressOf('api_addr', overrides.apiAddress ?? text('api_addr')),
    clusterAddress: addressOf('cluster_addr', overrides.clusterAddress ?? text('cluster_addr')),
    clusterName: text('cluster_name'),
    defaultLeaseTtlSeconds,
    maxLeaseTtlSeconds,
    defaultMaxRequestSeconds: seconds('default_max_request_duration', DEFAULT_REQUEST_SECONDS),
    logLevel: logLevelOf(overrides.logLevel ?? text('log_level') ?? 'info'),
    logFormat: logFormatOf(overrides.logFormat ?? text('log_format') ?? 'standard'),
    logFile: text('log_file'),
    pidFile: text('pid_file'),
    ui: overrides.ui ?? boolean('ui'),
    uiSessionIdleSeconds: seconds('ui_session_idle_ttl', limits.uiSessionIdleSeconds),
    uiSessionMaxSeconds: seconds('ui_session_max_ttl', limits.uiSessionMaxSeconds),
    userLockout: lockoutOf(
      overrides.disableUserLockout === true
        ? lockouts.filter((each) => each.values.disabled !== false).concat(disabled)
        : lockouts,
    ),
    rawStorageEndpoint: boolean('raw_storage_endpoint'),
    introspectionEndpoint: boolean('introspection_endpoint'),
    disablePrintableCheck: boolean('disable_printable_check'),
    // As in Vault; OpenBao's gate counts where somebody has set it.
    allowApiAuditCreation: parts.every(
      (part) => part.booleans.get('unsafe_allow_api_audit_creation') !== false,
    ),
    allowAuditLogPrefixing: boolean('allow_audit_log_prefixing'),
    workers:
      parts.findLast((part) => part.workers !== undefined)?.workers ?? availableParallelism(),
    dev: undefined,
    notes: parts.flatMap((part) => part.notes),
  }
}

/** The configuration of one file, HCL or JSON. Throws a ConfigError. */
export const parseConfig = (text: string, file: string): ServerConfig =>
  mergeConfig([parseConfigPart(text, file)])

const refuseTwins = (audit: readonly AuditConfig[]): void => {
  const paths = audit.map((each) => each.path)
  const twin = paths.find((path, at) => paths.indexOf(path) !== at)
  if (twin !== undefined) {
    throw new ConfigError(`two audit devices with same path (${twin}) exist in config`)
  }
}

const addressOf = (name: string, value: string | undefined): string | undefined => {
  if (value === undefined || value === '') return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ConfigError(`${name} must be a URL like https://signet.example.com:8200`)
  }
  return value.replace(/\/+$/, '')
}

const logLevelOf = (written: string): LogLevel => {
  const level = parseLogLevel(written)
  if (level === undefined) throw new ConfigError(`unknown log level: ${written}`)
  return level
}

const logFormatOf = (written: string): 'standard' | 'json' => {
  const format = written.trim().toLowerCase()
  if (format === 'json' || format === 'standard') return format
  throw new ConfigError(`unknown log format: ${written}`)
}
