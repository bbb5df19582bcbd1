import { DurationError, parseVaultDuration } from '../../std/go-duration.ts'
import type { JsonObject } from '../../std/json.ts'

/**
 * The seconds after which a reader of a version 1 secret should read it again: what its member `ttl` says, else `lease`, as a
 * duration; the mount's default when there is neither or it does not parse. Null and '' are 0.
 */
export const leaseDuration = (data: JsonObject, mountDefaultSeconds: number): number => {
  const name = ['ttl', 'lease'].find((member) => Object.hasOwn(data, member))
  if (name === undefined) return mountDefaultSeconds
  try {
    return parseVaultDuration(data[name] ?? '', { signed: true })
  } catch (error) {
    if (error instanceof DurationError) return mountDefaultSeconds
    throw error
  }
}
