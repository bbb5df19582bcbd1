import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { Secret } from './records.ts'
import type { MetadataCall } from './v2-fields.ts'
import { existing } from './v2-find.ts'
import { allVersions, asVersioned } from './versioned-secret.ts'
import { wireDuration, wireTime } from './wire-times.ts'

/** What reads and detailed lists show of a secret. */
export const metadataView = (stored: Secret): Readonly<Record<string, unknown>> => {
  const secret = asVersioned(stored)
  return {
    cas_required: secret.casRequired,
    created_time: wireTime(secret.created),
    current_metadata_version: secret.metadataVersion,
    current_version: secret.current,
    custom_metadata: secret.customMetadata,
    delete_version_after: wireDuration(secret.deleteVersionAfter),
    max_versions: secret.maxVersions,
    metadata_cas_required: secret.metadataCasRequired,
    oldest_version: secret.oldest,
    updated_time: wireTime(secret.updated),
    versions: Object.fromEntries(
      allVersions(secret).map(([version, [created, deletion, destroyed]]) => [
        version,
        {
          created_time: wireTime(created),
          deletion_time: wireTime(deletion),
          destroyed: destroyed === 1,
        },
      ]),
    ),
  }
}

/** `GET metadata/<path>` */
export const readMetadataRoute = async (call: MetadataCall): Promise<Result> => {
  const ref = existing(call)
  const secret = ref === undefined ? undefined : await call.records.get(ref)
  return secret === undefined ? undefined : data(metadataView(secret))
}
