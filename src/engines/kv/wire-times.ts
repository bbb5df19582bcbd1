import type { VersionTimes } from './records.ts'

/** A time as answers show it: RFC 3339 in UTC without trailing zeros; '' for 0, which is never. Milliseconds. */
export const wireTime = (time: number): string =>
  time === 0 ? '' : new Date(time).toISOString().replace(/\.?0*Z$/, 'Z')

/** Seconds in Go's form with all smaller units: `0s`, `5m0s`, `1h0m0s`, `-1s`. */
export const wireDuration = (seconds: number): string => {
  const size = Math.abs(seconds)
  const hours = Math.floor(size / 3600)
  const minutes = Math.floor((size % 3600) / 60)
  const sign = seconds < 0 ? '-' : ''
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${size % 60}s`
}

/** The metadata of one version in answers to reads and writes of data. */
export const versionMetadata = (
  version: number,
  [created, deletion, destroyed]: VersionTimes,
  customMetadata: Readonly<Record<string, string>> | null,
): Readonly<Record<string, unknown>> => ({
  created_time: wireTime(created),
  custom_metadata: customMetadata,
  deletion_time: wireTime(deletion),
  destroyed: destroyed === 1,
  version,
})
