import type { MountRecord, MountTuning } from '../../engine/ports/mounts.ts'
import type { ServerFacts } from '../../engine/ports/seal.ts'

/** Types that every server has and nobody mounts: the reference gives them no deprecation status. */
const SINGLETONS = new Set(['system', 'identity', 'cubbyhole', 'token'])

type Members = Readonly<Record<string, unknown>>

/** The members that are shown only when tuned. */
export const tunedMembers = (tuning: MountTuning): Members => ({
  ...(tuning.auditNonHmacRequestKeys && {
    audit_non_hmac_request_keys: tuning.auditNonHmacRequestKeys,
  }),
  ...(tuning.auditNonHmacResponseKeys && {
    audit_non_hmac_response_keys: tuning.auditNonHmacResponseKeys,
  }),
  ...(tuning.listingVisibility !== '' && { listing_visibility: tuning.listingVisibility }),
  ...(tuning.passthroughRequestHeaders && {
    passthrough_request_headers: tuning.passthroughRequestHeaders,
  }),
  ...(tuning.allowedResponseHeaders && {
    allowed_response_headers: tuning.allowedResponseHeaders,
  }),
})

const lockoutMembers = ({ lockout }: MountTuning): Members =>
  lockout === undefined
    ? {}
    : {
        user_lockout_config: {
          user_lockout_counter_reset_duration: lockout.counterResetSeconds ?? 0,
          user_lockout_threshold: lockout.threshold ?? 0,
          user_lockout_duration: lockout.durationSeconds ?? 0,
          user_lockout_disable: lockout.disabled ?? false,
        },
      }

/** A mount as `sys/mounts`, `sys/auth` and `sys/internal/ui/mounts` show it; TTLs are the tuned ones, 0 = inherited. */
export const mountObject = (record: MountRecord, facts: ServerFacts): Members => {
  const { tuning } = record
  return {
    type: record.type,
    description: record.description,
    accessor: record.accessor,
    local: record.local,
    seal_wrap: record.sealWrap,
    external_entropy_access: record.externalEntropyAccess,
    options: record.options,
    uuid: record.uuid,
    plugin_version: record.pluginVersion,
    running_plugin_version: `v${facts.reportedVersion}+builtin`,
    running_sha256: '',
    ...(!SINGLETONS.has(record.type) && { deprecation_status: 'supported' }),
    config: {
      default_lease_ttl: tuning.defaultLeaseTtlSeconds,
      max_lease_ttl: tuning.maxLeaseTtlSeconds,
      force_no_cache: tuning.forceNoCache,
      ...tunedMembers(tuning),
      ...(record.class === 'auth' && { token_type: tuning.tokenType }),
      ...lockoutMembers(tuning),
    },
  }
}
