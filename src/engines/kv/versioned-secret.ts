import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import type { KvConfig, PlainSecret, Secret, VersionedSecret, VersionTimes } from './records.ts'

/** What a mount has that nobody configured. */
export const defaultConfig: KvConfig = {
  maxVersions: 0,
  casRequired: false,
  metadataCasRequired: false,
  deleteVersionAfter: 0,
}

/** Versions kept when neither mount nor secret says how many. */
const DEFAULT_VERSIONS = 10

/** A secret without versions. `id`: 16 fresh random bytes in hex. */
export const newSecret = (id: string, now: number): VersionedSecret => ({
  kind: 'versioned',
  id,
  created: now,
  updated: now,
  current: 0,
  oldest: 0,
  removed: 0,
  versions: [],
  maxVersions: 0,
  casRequired: false,
  metadataCasRequired: false,
  deleteVersionAfter: 0,
  customMetadata: null,
  metadataVersion: 0,
})

/** A plain secret as version 1 of a versioned one (recorded: kv/v1-tuned). */
const fromPlain = (plain: PlainSecret, id: string): VersionedSecret => ({
  ...newSecret(id, plain.written),
  current: 1,
  oldest: 1,
  versions: [[plain.written, 0, 0]],
})

/** The metadata of a secret, whichever version of KV wrote it. `id` serves only one that is changed. */
export const asVersioned = (secret: Secret, id = ''): VersionedSecret =>
  secret.kind === 'plain' ? fromPlain(secret, id) : secret

/** The number of the first version that is kept. */
const firstVersion = (secret: VersionedSecret): number => Math.max(secret.oldest, 1)

/** The times of a version; undefined when there is none or it is purged. */
export const timesOf = (secret: VersionedSecret, version: number): VersionTimes | undefined =>
  version < firstVersion(secret) ? undefined : secret.versions[version - firstVersion(secret)]

/** Numbers and times of all versions that are kept. */
export const allVersions = (secret: VersionedSecret): (readonly [number, VersionTimes])[] =>
  secret.versions.map((times, index) => [firstVersion(secret) + index, times])

/** The secret with other times for one of its versions. */
export const withTimes = (
  secret: VersionedSecret,
  version: number,
  times: VersionTimes,
): VersionedSecret => ({
  ...secret,
  versions: secret.versions.with(version - firstVersion(secret), times),
})

/** Whether the data of a version cannot be read at this time. */
export const isGone = ([, deletion, destroyed]: VersionTimes, now: number): boolean =>
  destroyed === 1 || isDeleted(deletion, now)

/** Whether the time of deletion has come. */
export const isDeleted = (deletion: number, now: number): boolean =>
  deletion !== 0 && deletion <= now

/** When a version made (or undeleted) now is deleted by itself; 0 = never. The shorter setting of mount and secret holds. */
export const plannedDeletion = (secret: VersionedSecret, config: KvConfig, now: number): number => {
  if (config.deleteVersionAfter < 0) return 0
  const settings = [config.deleteVersionAfter, secret.deleteVersionAfter].filter((s) => s > 0)
  return settings.length === 0 ? 0 : now + Math.min(...settings) * 1000
}

/** The secret with one more version; what exceeds the number of versions to keep is purged. Throws 400 at the server's bound. */
export const addVersion = (
  secret: VersionedSecret,
  config: KvConfig,
  now: number,
): VersionedSecret => {
  const current = secret.current + 1
  const times: VersionTimes = [now, plannedDeletion(secret, config, now), 0]
  const keep = Math.max(secret.maxVersions, config.maxVersions) || DEFAULT_VERSIONS
  const oldest = current - secret.oldest >= keep ? current - keep + 1 : secret.oldest
  const versions = [...secret.versions, times].slice(Math.max(oldest, 1) - firstVersion(secret))
  if (versions.length > limits.secretVersions) {
    throw invalid(
      `the secret has ${secret.versions.length} versions, and no more than ${limits.secretVersions} can be kept; lower max_versions`,
    )
  }
  return { ...secret, updated: now, current, oldest, versions }
}

/** Numbers of purged versions whose data is to be removed with the next write; some wait for a later one. */
export const versionsToRemove = (secret: VersionedSecret): readonly number[] => {
  const numbers: number[] = []
  for (
    let version = secret.removed + 1;
    version < secret.oldest && numbers.length < limits.secretPurges;
    version++
  ) {
    numbers.push(version)
  }
  return numbers
}
