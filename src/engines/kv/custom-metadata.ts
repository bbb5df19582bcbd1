import { customMetadataFault } from '../../engine/custom-metadata.ts'
import { FieldError, field } from '../../engine/field.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { JsonNumber } from '../../std/json.ts'

/** Metadata that people give to a secret. */
export type CustomMetadata = Readonly<Record<string, string>>

/** The metadata, or null when it is empty; throws the recorded 400 with all that is wrong with it. */
const checked = (metadata: CustomMetadata): CustomMetadata | null => {
  const fault = customMetadataFault(metadata)
  if (fault !== undefined) throw invalid(fault)
  return Object.keys(metadata).length === 0 ? null : metadata
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
