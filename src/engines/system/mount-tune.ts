import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { LockoutTuning, MountRecord, MountTuning } from '../../engine/ports/mounts.ts'
import { invalid } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { parseVaultDuration } from '../../std/go-duration.ts'
import type { Json } from '../../std/json.ts'
import { checkTokenType, checkVisibility, listOrNone, ttlSeconds } from './mount-values.ts'
import { tunedMembers } from './mount-view.ts'
import type { SystemOptions } from './options.ts'

const ttl = (what: string) =>
  field.any({ description: `${what} TTL: a duration, \`system\` to inherit` })

/** What can be tuned. */
export const tuneFields = {
  path: field.string({ default: '', description: 'The mount' }),
  default_lease_ttl: ttl('Default'),
  max_lease_ttl: ttl('Longest'),
  description: field.string({ description: 'For people' }),
  audit_non_hmac_request_keys: field.commaList({
    description: 'Names in requests whose values audit devices see in clear',
  }),
  audit_non_hmac_response_keys: field.commaList({
    description: 'Names in answers whose values audit devices see in clear',
  }),
  listing_visibility: field.string({ description: 'Empty, `hidden` or `unauth`' }),
  passthrough_request_headers: field.commaList({ description: 'Headers that the engine sees' }),
  allowed_response_headers: field.commaList({ description: 'Headers that the engine may set' }),
  token_type: field.string({
    description: 'Type of the tokens that logins give; auth methods only',
  }),
  user_lockout_config: field.map({ description: 'When failed logins lock a user out' }),
  options: field.keyValues({ description: 'Options of the type; an empty value takes one away' }),
  plugin_version: field.string({ description: 'Empty: there is one version of each type' }),
}

type TuneCall = Call<InputOf<typeof tuneFields>>
type TuneName = keyof typeof tuneFields

/** On the server's own mounts only these can be tuned. */
const AUDIT_KEYS = new Set<TuneName>([
  'audit_non_hmac_request_keys',
  'audit_non_hmac_response_keys',
])
const OWN_MOUNTS = ['cubbyhole/', 'sys/', 'audit/', 'identity/']

const refuseOwn = (call: TuneCall, path: string): void => {
  const own = OWN_MOUNTS.find((prefix) => path.startsWith(prefix))
  if (own === undefined) return
  const names = Object.keys(tuneFields) as TuneName[]
  const refused = names.find((name) => name !== 'path' && call.has(name) && !AUDIT_KEYS.has(name))
  if (refused !== undefined) throw invalid(`cannot tune parameter ${refused} of ${own}`)
}

const tunedTtls = (call: TuneCall, present: MountTuning): Partial<MountTuning> => {
  const plain = (_given: string, why: string): string => why
  const defaultTtl = ttlSeconds(call.input.default_lease_ttl, present.defaultLeaseTtlSeconds, plain)
  const maxTtl = ttlSeconds(call.input.max_lease_ttl, present.maxLeaseTtlSeconds, plain)
  if (maxTtl !== 0 && maxTtl < defaultTtl) {
    throw invalid(
      `backend max lease TTL of ${maxTtl} would be less than backend default lease TTL of ${defaultTtl}`,
    )
  }
  return { defaultLeaseTtlSeconds: defaultTtl, maxLeaseTtlSeconds: maxTtl }
}

const tokenTypeOf = (call: TuneCall, record: MountRecord): Partial<MountTuning> => {
  const { token_type: given } = call.input
  if (given === undefined) return {}
  if (record.class !== 'auth') throw invalid("'token_type' can only be modified on auth mounts")
  if (record.type === 'token') {
    throw invalid("'token_type' cannot be set for 'token' or 'ns_token' auth mounts")
  }
  return { tokenType: checkTokenType(given) }
}

const seconds = (value: Json | undefined, present: number | undefined): number | undefined => {
  if (value === undefined || value === null || value === '') return present
  if (value === 'system') return undefined
  try {
    return parseVaultDuration(value, { signed: false })
  } catch (error) {
    throw invalid(
      `invalid lockout duration: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

const threshold = (value: Json | undefined, present: number | undefined): number | undefined => {
  if (value === undefined || value === null || value === '') return present
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (!/^\d{1,9}$/.test(text))
    throw invalid(`error tuning user lockout threshold: "${text}" is not a number`)
  return Number(text)
}

const lockoutOf = (
  call: TuneCall,
  record: MountRecord,
  hasLockout: (type: string) => boolean,
): Partial<MountTuning> => {
  const { user_lockout_config: given } = call.input
  if (given === undefined || Object.keys(given).length === 0) return {}
  if (record.class !== 'auth' || !hasLockout(record.type)) {
    throw invalid(`tuning of user lockout configuration for auth type "${record.type}" not allowed`)
  }
  const at = (name: string): Json | undefined =>
    Object.hasOwn(given, name) ? given[name] : undefined
  const present = record.tuning.lockout ?? {}
  const disabled = at('lockout_disable')
  if (disabled !== undefined && typeof disabled !== 'boolean') {
    throw invalid('invalid value for lockout_disable: not a boolean')
  }
  const tuned = {
    threshold: threshold(at('lockout_threshold'), present.threshold),
    durationSeconds: seconds(at('lockout_duration'), present.durationSeconds),
    counterResetSeconds: seconds(at('lockout_counter_reset_duration'), present.counterResetSeconds),
    disabled: disabled ?? present.disabled,
  }
  return {
    lockout: Object.fromEntries(
      Object.entries(tuned).filter(([, value]) => value !== undefined),
    ) as LockoutTuning,
  }
}

/** Replaced lists; an empty one takes the present one away. */
const tuneLists = (call: TuneCall, tuning: MountTuning): MountTuning => {
  const lists = [
    ['audit_non_hmac_request_keys', 'auditNonHmacRequestKeys'],
    ['audit_non_hmac_response_keys', 'auditNonHmacResponseKeys'],
    ['passthrough_request_headers', 'passthroughRequestHeaders'],
    ['allowed_response_headers', 'allowedResponseHeaders'],
  ] as const
  let tuned = tuning
  for (const [name, member] of lists) {
    const given = call.input[name]
    if (given === undefined) continue
    const { [member]: _, ...others } = tuned
    const list = listOrNone(given)
    tuned = list === undefined ? others : { ...others, [member]: list }
  }
  return tuned
}

const mergeOptions = (
  present: MountRecord['options'],
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const merged = new Map(Object.entries(present ?? {}))
  for (const [name, value] of Object.entries(given)) {
    if (value !== '') merged.set(name, value)
    else if (name !== 'version') merged.delete(name)
  }
  return Object.fromEntries(merged)
}

/** The version of a kv mount in numbers, 0 for one without. Refuses others, and going back. */
const changedVersion = (
  record: MountRecord,
  given: Readonly<Record<string, string>>,
): { readonly from: number } | undefined => {
  const { version } = given
  if (record.type !== 'kv' || version === undefined || version === '') return undefined
  const from = Number(record.options?.['version'] ?? 0)
  if (version !== '1' && version !== '2') throw invalid(`invalid version provided: ${version}`)
  if (version === '1' && from === 2) throw invalid('cannot downgrade mount from version 2')
  return version === '2' && from !== 2 ? { from } : undefined
}

const checkVersion = (call: TuneCall, record: MountRecord): void => {
  const { plugin_version: version } = call.input
  if (version === undefined || version === '') return
  throw invalid(`plugin not found in the catalog: ${record.type}, version=${version}`)
}

/** Changes the tuning of a mount; any refusal leaves it as it was. */
export const tuneMount = async (
  call: TuneCall,
  path: string,
  { ports }: SystemOptions,
): Promise<DataResult | undefined> => {
  const { mounts } = ports()
  refuseOwn(call, path)
  const found = await mounts.covering(call.namespace, path)
  if (found === undefined) throw invalid(`tune of path "${path}" failed: no mount entry found`)
  let upgraded: { readonly from: number } | undefined
  await mounts.change(call.records, call.namespace, found.accessor, (record) => {
    const { input } = call
    const options = input.options ?? {}
    checkVersion(call, record)
    upgraded = changedVersion(record, options)
    const changed: MountRecord = {
      ...record,
      ...(input.description !== undefined && { description: input.description }),
      ...(Object.keys(options).length > 0 && { options: mergeOptions(record.options, options) }),
      tuning: {
        ...tuneLists(call, record.tuning),
        ...tunedTtls(call, record.tuning),
        ...(input.listing_visibility !== undefined && {
          listingVisibility: checkVisibility(input.listing_visibility),
        }),
        ...tokenTypeOf(call, record),
        ...lockoutOf(call, record, (type) => mounts.hasLockout(type)),
      },
    }
    mounts.checkOptions(record.class, record.type, changed.options ?? {})
    return changed
  })
  if (upgraded === undefined) return undefined
  call.warn(
    `Upgrading mount from version ${upgraded.from} to version 0. This mount will be unavailable for a brief period and will resume service shortly.`,
  )
  return data(null)
}

/** The tuning of a mount in force. */
export const readTuning = async (
  call: Pick<Call, 'namespace'>,
  path: string,
  { ports }: SystemOptions,
): Promise<DataResult> => {
  const { mounts } = ports()
  const record = await mounts.covering(call.namespace, path)
  if (record === undefined) throw invalid(`cannot fetch sysview for path "${path}"`)
  const view = mounts.view(record)
  const { tuning } = record
  const { lockout } = tuning
  return data({
    description: record.description,
    default_lease_ttl: view.defaultLeaseTtlSeconds,
    max_lease_ttl: view.maxLeaseTtlSeconds,
    force_no_cache: tuning.forceNoCache,
    ...(record.externalEntropyAccess && { external_entropy_access: true }),
    ...(record.class === 'auth' && { token_type: tuning.tokenType }),
    ...tunedMembers(tuning),
    ...(lockout && {
      user_lockout_counter_reset_duration: lockout.counterResetSeconds ?? 0,
      user_lockout_threshold: lockout.threshold ?? 0,
      user_lockout_duration: lockout.durationSeconds ?? 0,
      user_lockout_disable: lockout.disabled ?? false,
    }),
    ...(record.options && Object.keys(record.options).length > 0 && { options: record.options }),
    ...(record.pluginVersion !== '' && { plugin_version: record.pluginVersion }),
  })
}
