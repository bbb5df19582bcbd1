import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { MountRecord, MountTuning, NewMount } from '../../engine/ports/mounts.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Json } from '../../std/json.ts'
import { mountPath, overlap, shownPath } from './mount-path.ts'
import { checkTokenType, checkVisibility, listOrNone, namesOf, ttlSeconds } from './mount-values.ts'
import type { SystemOptions } from './options.ts'

/** What enabling a mount takes. */
export const enableFields = {
  path: field.string({ default: '', description: 'Where to mount it' }),
  type: field.string({ default: '', description: 'What to mount' }),
  description: field.string({ default: '', description: 'For people' }),
  config: field.map({ default: {}, description: 'Tuning: TTLs, visibility, headers, audit keys' }),
  options: field.keyValues({ default: {}, description: 'Options of the type' }),
  local: field.bool({ default: false, description: 'Kept and shown; there is no replication' }),
  seal_wrap: field.bool({ default: false, description: 'Kept and shown; all data is sealed' }),
  external_entropy_access: field.bool({ default: false, description: 'Kept and shown' }),
  plugin_name: field.string({ default: '', description: 'Type, when `type` is `plugin`' }),
  plugin_version: field.string({
    default: '',
    description: 'Not used: there is one version of each type',
  }),
}

type EnableCall = Call<InputOf<typeof enableFields>>

/** Paths that belong to the server. */
export const PROTECTED_PREFIXES = ['audit/', 'auth/', 'sys/', 'cubbyhole/', 'identity/']
const SINGLETONS = new Set([
  'system',
  'identity',
  'cubbyhole',
  'ns_system',
  'ns_identity',
  'ns_cubbyhole',
])

/** Mounts that can be neither disabled nor moved. */
export const isProtected = ({ path }: Pick<MountRecord, 'path'>): boolean =>
  ['sys/', 'identity/', 'cubbyhole/', 'auth/token/'].includes(path)

const badConfig = (): Error => invalid('unable to convert given mount config information')

const textOf = (value: Json | undefined): string => {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw badConfig()
  return value
}

const boolOf = (value: Json | undefined): boolean => {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw badConfig()
  return value
}

const tuningOf = (
  config: Readonly<Record<string, Json>>,
  mountClass: 'auth' | 'secret',
  systemMax: number,
): MountTuning => {
  const at = (name: string): Json | undefined =>
    Object.hasOwn(config, name) ? config[name] : undefined
  const defaultTtl = ttlSeconds(
    at('default_lease_ttl'),
    0,
    (given, why) => `unable to parse default TTL of ${given}: ${why}`,
  )
  const maxTtl = ttlSeconds(
    at('max_lease_ttl'),
    0,
    (given, why) => `unable to parse max TTL of ${given}: ${why}`,
  )
  if (maxTtl !== 0 && defaultTtl > maxTtl) {
    throw invalid('given default lease TTL greater than given max lease TTL')
  }
  if (maxTtl === 0 && defaultTtl > systemMax) {
    throw invalid(`given default lease TTL greater than system max lease TTL of ${systemMax}`)
  }
  const list = (name: string) => listOrNone(namesOf(at(name), badConfig))
  const lists = {
    auditNonHmacRequestKeys: list('audit_non_hmac_request_keys'),
    auditNonHmacResponseKeys: list('audit_non_hmac_response_keys'),
    passthroughRequestHeaders: list('passthrough_request_headers'),
    allowedResponseHeaders: list('allowed_response_headers'),
  }
  const tokenType = textOf(at('token_type'))
  if (mountClass === 'secret' && tokenType !== '') {
    throw invalid("'token_type' can only be modified on auth mounts")
  }
  return {
    defaultLeaseTtlSeconds: defaultTtl,
    maxLeaseTtlSeconds: maxTtl,
    forceNoCache: boolOf(at('force_no_cache')),
    listingVisibility: checkVisibility(textOf(at('listing_visibility'))),
    tokenType: mountClass === 'secret' ? '' : checkTokenType(tokenType || 'default-service'),
    ...(Object.fromEntries(
      Object.entries(lists).filter(([, value]) => value !== undefined),
    ) as Partial<MountTuning>),
  }
}

/** The type to mount and its options: `kv-v1`, `kv-v2` and `generic` are other names of `kv`. */
const typeAndOptions = (
  type: string,
  options: Readonly<Record<string, string>>,
): { readonly type: string; readonly options: Readonly<Record<string, string>> } => {
  switch (type) {
    case 'kv-v1':
    case 'generic':
      return { type: 'kv', options: { ...options, version: '1' } }
    case 'kv-v2':
      return { type: 'kv', options: { ...options, version: '2' } }
    default:
      return { type, options }
  }
}

/** Refuses a path that is taken: by a mount on it, above it or below it. */
export const refuseTaken = (
  path: string,
  present: readonly MountRecord[],
  refusal: (taken: string) => Error,
): void => {
  const taken = present.find((record) => overlap(record.path, path))
  if (taken !== undefined) throw refusal(shownPath(taken))
}

/** Enables a secrets engine or an auth method. */
export const enableMount = async (
  call: EnableCall,
  mountClass: 'auth' | 'secret',
  { ports, facts }: SystemOptions,
): Promise<undefined> => {
  const { input } = call
  const { mounts } = ports()
  const shown = mountPath(input.path)
  const path = mountClass === 'auth' ? `auth/${shown}` : shown
  if (input.type === '') throw invalid('backend type must be specified as a string')
  if (input.type === 'plugin' && input.plugin_name === '') {
    throw invalid('plugin_name must be provided for plugin backend')
  }
  const tuning = tuningOf(input.config, mountClass, facts.maxLeaseTtlSeconds)
  const given = input.type === 'plugin' ? input.plugin_name : input.type
  const { type, options } =
    mountClass === 'secret'
      ? typeAndOptions(given, input.options)
      : { type: given, options: input.options }
  if (mountClass === 'auth' && (type === 'token' || type === 'ns_token')) {
    throw invalid('token credential backend cannot be instantiated')
  }
  if (mountClass === 'secret') {
    if (PROTECTED_PREFIXES.some((prefix) => path.startsWith(prefix)))
      throw invalid(`cannot mount "${path}"`)
    if (SINGLETONS.has(type)) throw invalid(`mount type of "${type}" is not mountable`)
  }
  const made: NewMount = {
    class: mountClass,
    type,
    path,
    description: input.description,
    local: input.local,
    sealWrap: input.seal_wrap,
    externalEntropyAccess: input.external_entropy_access,
    options: { ...options },
    // Taken and forgotten, as recorded: there is one version of each type.
    pluginVersion: '',
    tuning,
  }
  await mounts.add(call.records, call.namespace, (present) => {
    refuseTaken(path, present, (taken) => invalid(`path is already in use at ${taken}`))
    if (!mounts.hasType(mountClass, type)) throw invalid(`plugin not found in the catalog: ${type}`)
    mounts.checkOptions(mountClass, type, made.options ?? {})
    return made
  })
  return undefined
}
