import { FieldError, field } from '../../engine/field.ts'
import { errorList, failed, invalid } from '../../engine/refusal.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { JsonNumber, compareBytes } from '../../std/json.ts'

const PAIRS = 64
const KEY_BYTES = 128
const VALUE_BYTES = 512

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u

/** Metadata that people give to a secret. */
export type CustomMetadata = Readonly<Record<string, string>>

const pairFaults = (key: string, value: string): string[] => {
  const faults: string[] = []
  const quoted = JSON.stringify(key)
  const keyBytes = Buffer.byteLength(key)
  const valueBytes = Buffer.byteLength(value)
  if (keyBytes === 0 || keyBytes > KEY_BYTES) {
    faults.push(`length of key ${quoted} is ${keyBytes} but must be 0 < len(key) <= ${KEY_BYTES}`)
  }
  if (valueBytes === 0 || valueBytes > VALUE_BYTES) {
    faults.push(
      `length of value for key ${quoted} is ${valueBytes} but must be 0 < len(value) <= ${VALUE_BYTES}`,
    )
  }
  if (!PRINTABLE.test(key)) faults.push(`key ${quoted} (${key}) contains unprintable characters`)
  if (!PRINTABLE.test(value)) {
    faults.push(`value for key ${quoted} contains unprintable characters`)
  }
  return faults
}

/** The metadata, or null when it is empty; throws the recorded 400 with all that is wrong with it. */
const checked = (metadata: CustomMetadata): CustomMetadata | null => {
  const keys = Object.keys(metadata).sort(compareBytes)
  const faults =
    keys.length > PAIRS
      ? [`payload must contain at most ${PAIRS} keys, provided ${keys.length}`]
      : keys.flatMap((key) => pairFaults(key, metadata[key]!))
  if (faults.length > 0) {
    throw invalid(errorList(faults.map((text) => `custom_metadata validation failed: ${text}`)))
  }
  return keys.length === 0 ? null : metadata
}

const toText = field.string()

/** The metadata of a write, scalars as texts. Throws the recorded 400s. */
export const replaceCustomMetadata = (sent: JsonObject): CustomMetadata | null => {
  const metadata = Object.create(null) as Record<string, string>
  for (const [key, value] of Object.entries(sent)) {
    try {
      metadata[key] = toText.coerce(value as Json) ?? ''
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      throw invalid(`custom_metadata validation failed: ${error.message}`)
    }
  }
  return checked(metadata)
}

const goType = (value: Json): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'number' || value instanceof JsonNumber ? 'number' : 'object'
}

/** The metadata after a patch: texts replace, null removes. Throws the recorded 500 for anything else. */
export const patchCustomMetadata = (
  before: CustomMetadata | null,
  patch: JsonObject,
): CustomMetadata | null => {
  const metadata = Object.assign(Object.create(null) as Record<string, string>, before)
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete metadata[key]
    else if (typeof value === 'string') metadata[key] = value
    else {
      throw failed(
        `json: cannot unmarshal ${goType(value as Json)} into Go struct field KeyMetadata.custom_metadata of type string`,
      )
    }
  }
  return checked(metadata)
}
