import type { LiteralObject, LiteralValue } from '../client/literal-json.ts'
import { isObject, sortedKeys } from '../client/literal-json.ts'
import { secretFrom, text } from '../client/secret.ts'
import type { Call } from './command.ts'
import { say } from './command.ts'
import type { Flag } from './flags.ts'
import { durationText, goText } from './go-text.ts'
import { fieldOf, printField, printValue } from './print-secret.ts'
import { table } from './table.ts'

/** Options of a mount that may be given when it is enabled and changed later. */
export const tuneFlags: readonly Flag[] = [
  { name: 'description', kind: 'text', help: 'What it is for, for people.' },
  { name: 'default-lease-ttl', kind: 'duration', help: 'TTL of its leases and tokens.' },
  { name: 'max-lease-ttl', kind: 'duration', help: 'The longest TTL of its leases and tokens.' },
  { name: 'options', kind: 'map', help: 'An option of the engine; repeatable.' },
  { name: 'version', kind: 'integer', help: 'Version of the engine, for kv.' },
  { name: 'listing-visibility', kind: 'text', help: 'hidden, or unauth: shown before login.' },
  {
    name: 'audit-non-hmac-request-keys',
    kind: 'list',
    help: 'A field of requests that the audit log shows in clear; repeatable.',
  },
  {
    name: 'audit-non-hmac-response-keys',
    kind: 'list',
    help: 'A field of answers that the audit log shows in clear; repeatable.',
  },
  {
    name: 'passthrough-request-headers',
    kind: 'list',
    help: 'A header of requests that the engine may see; repeatable.',
  },
  {
    name: 'allowed-response-headers',
    kind: 'list',
    help: 'A header that the engine may answer; repeatable.',
  },
  { name: 'plugin-version', kind: 'text', help: 'Version of the plugin.' },
]

/** Options that a mount has from its beginning or never. */
export const enableFlags: readonly Flag[] = [
  { name: 'path', kind: 'text', help: 'Where to mount it; its type when not given.' },
  { name: 'local', kind: 'boolean', help: 'Not replicated.' },
  { name: 'seal-wrap', kind: 'boolean', help: 'Seal critical values once more.' },
  { name: 'external-entropy-access', kind: 'boolean', help: 'Let it use outside entropy.' },
  { name: 'force-no-cache', kind: 'boolean', help: 'Do not cache.' },
  { name: 'plugin-name', kind: 'text', help: 'Name of the plugin, with type plugin.' },
]

/** Options of auth methods alone. */
export const authFlags: readonly Flag[] = [
  { name: 'token-type', kind: 'text', help: 'default-service, default-batch, service or batch.' },
]

const listOptions: readonly (readonly [flag: string, field: string])[] = [
  ['audit-non-hmac-request-keys', 'audit_non_hmac_request_keys'],
  ['audit-non-hmac-response-keys', 'audit_non_hmac_response_keys'],
  ['passthrough-request-headers', 'passthrough_request_headers'],
  ['allowed-response-headers', 'allowed_response_headers'],
]

const textOptions: readonly (readonly [flag: string, field: string])[] = [
  ['default-lease-ttl', 'default_lease_ttl'],
  ['max-lease-ttl', 'max_lease_ttl'],
  ['listing-visibility', 'listing_visibility'],
  ['token-type', 'token_type'],
  ['plugin-version', 'plugin_version'],
]

// TTL flags: 0 leaves it as it is, a negative one resets it to the system's (spec/cli.md 7.4).
const ttlText = (value: string): string | undefined => {
  if (/^[+-]?0+[a-zµμ]*$/.test(value)) return undefined
  return value.startsWith('-') ? 'system' : value
}

/** The tunable options among the flags, by the API's field names; only those given. */
export const tuneOptions = (call: Call): Record<string, LiteralValue> => {
  const { flags } = call
  const body: Record<string, LiteralValue> = {}
  for (const [flag, field] of textOptions) {
    const written = flags.text(flag)
    const value = written !== undefined && flag.endsWith('-ttl') ? ttlText(written) : written
    if (value !== undefined) body[field] = value
  }
  for (const [flag, field] of listOptions) {
    if (flags.given(flag)) body[field] = flags.list(flag)
  }
  return body
}

/** The engine's own options among the flags; undefined when there are none. */
export const engineOptions = (call: Call): LiteralObject | undefined => {
  const options = call.flags.map('options') ?? {}
  const version = call.flags.text('version')
  const all = version === undefined ? options : { ...options, version }
  return Object.keys(all).length === 0 ? undefined : all
}

/** The body that enables a mount of a type. */
export const enableBody = (call: Call, type: string): LiteralObject => {
  const { flags } = call
  const options = engineOptions(call)
  const config = {
    ...tuneOptions(call),
    ...(flags.boolean('force-no-cache') ? { force_no_cache: true } : {}),
  }
  const plugin = flags.text('plugin-name')
  return {
    type,
    description: flags.text('description') ?? '',
    config,
    local: flags.boolean('local'),
    seal_wrap: flags.boolean('seal-wrap'),
    external_entropy_access: flags.boolean('external-entropy-access'),
    ...(options === undefined ? {} : { options }),
    ...(plugin === undefined ? {} : { plugin_name: plugin }),
  }
}

/** Prints a list of mounts: a table with or without details, or the whole map. */
export const printMounts = (
  call: Call,
  mounts: LiteralObject,
  columns: (path: string, mount: LiteralObject) => readonly (readonly [string, string])[],
): number => {
  const field = call.flags.text('field') ?? ''
  if (field !== '') return printField(call, fieldOf(secretFrom({ data: mounts }), field), field)
  if (call.format !== 'table') {
    printValue(call, mounts)
    return 0
  }
  const rows = sortedKeys(mounts).map((path) => columns(path, objectOf(mounts[path])))
  const [first] = rows
  if (first === undefined) return 0
  const header = first.map(([name]) => name)
  say(call.io, table([header, ...rows.map((row) => row.map(([, cell]) => cell))]))
  return 0
}

/** The value as an object; {} when it is none. */
export const objectOf = (value: LiteralValue | undefined): LiteralObject =>
  value !== undefined && isObject(value) ? value : {}

/** The further columns of `-detailed`. */
export const mountDetails = (mount: LiteralObject): (readonly [string, string])[] => {
  const config = objectOf(mount['config'])
  const ttl = (value: LiteralValue | undefined): string =>
    typeof value === 'number' && value !== 0 ? durationText(value) : 'system'
  const options = objectOf(mount['options'])
  return [
    ['Plugin', text(mount['type'])],
    ['Accessor', text(mount['accessor'])],
    ['Default TTL', ttl(config['default_lease_ttl'])],
    ['Max TTL', ttl(config['max_lease_ttl'])],
    ['Token Type', text(config['token_type'])],
    ['Force No Cache', goText(config['force_no_cache'] ?? false)],
    ['Replication', mount['local'] === true ? 'local' : 'replicated'],
    ['Seal Wrap', goText(mount['seal_wrap'] ?? false)],
    ['External Entropy Access', goText(mount['external_entropy_access'] ?? false)],
    ['Options', goText(options)],
    ['Description', text(mount['description'])],
    ['UUID', text(mount['uuid'])],
    ['Version', text(mount['plugin_version'])],
    ['Running Version', text(mount['running_plugin_version'])],
    ['Running SHA256', text(mount['running_sha256'])],
    ['Deprecation Status', text(mount['deprecation_status'])],
  ]
}
