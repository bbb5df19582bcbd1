import { compareBytes } from '../../std/json.ts'
import { customMetadataFault } from '../../engine/custom-metadata.ts'
import { failed, Refusal } from '../../engine/refusal.ts'

/** Names to texts, of entities, groups and aliases. */
export type Metadata = Readonly<Record<string, string>>

const PAIRS = 64
const KEY_BYTES = 128
const VALUE_BYTES = 512

const pairFault = (key: string, value: string): string | undefined => {
  if (key === '') return 'key cannot be blank'
  if (!/^[a-zA-Z0-9=/+_-]+$/.test(key)) return 'key contains invalid characters'
  if (Buffer.byteLength(key) > KEY_BYTES) return `key is too long (limit: ${KEY_BYTES} characters)`
  if (key.startsWith('vault-')) return 'key prefix "vault-" is reserved for internal use'
  if (Buffer.byteLength(value) > VALUE_BYTES) {
    return `value is too long (limit: ${VALUE_BYTES} characters)`
  }
  return undefined
}

const metadataFault = (metadata: Metadata): string | undefined => {
  const pairs = Object.entries(metadata).sort(([a], [b]) => compareBytes(a, b))
  if (pairs.length > PAIRS) return `metadata cannot contain more than ${PAIRS} key/value pairs`
  for (const [key, value] of pairs) {
    const fault = pairFault(key, value)
    if (fault !== undefined) {
      return `failed to load metadata pair (${JSON.stringify(key)}, ${JSON.stringify(value)}): ${fault}`
    }
  }
  return undefined
}

/** Throws the recorded 500 for metadata outside the limits of identity.md 8.2; the first fault in byte order of keys. */
export const checkMetadata = (metadata: Metadata, of: 'entity' | 'group'): void => {
  const fault = metadataFault(metadata)
  if (fault !== undefined) throw failed(`invalid ${of} metadata: ${fault}`)
}

/** As `checkMetadata`, for what an auth method says of an alias; errors of logins are not wrapped (identity.md 7.1). */
export const checkLoginMetadata = (metadata: Metadata): void => {
  const fault = metadataFault(metadata)
  if (fault !== undefined) throw new Refusal('failed', `invalid alias metadata: ${fault}`)
}

/** Throws the recorded 500 with every fault of an alias's custom metadata (identity.md 8.2). */
export const checkCustomMetadata = (metadata: Metadata): void => {
  const fault = customMetadataFault(metadata)
  if (fault !== undefined) throw new Refusal('failed', fault)
}

/** Whether two maps say the same; none is the same as an empty one. */
export const sameMetadata = (a: Metadata | null, b: Metadata | null): boolean => {
  const left = a ?? {}
  const right = b ?? {}
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && left[key] === right[key])
  )
}

/** Whether there is nothing in a map. */
export const isEmptyMetadata = (metadata: Metadata | null): boolean =>
  metadata === null || Object.keys(metadata).length === 0
