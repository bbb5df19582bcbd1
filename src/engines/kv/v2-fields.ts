import type { Call } from '../../engine/call.ts'
import type { Field, InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { JsonObject } from '../../std/json.ts'

const path = field.string({ default: '', description: 'Path of the secret' })

/** An object, or null, which is not the same as an empty one: handlers see null, or no value of a field that was sent. */
const nullableMap = (description: string): Field<JsonObject | null | undefined> => {
  const map = field.map({ description })
  return { ...map, coerce: (value) => (value === null ? null : map.coerce(value)) }
}

/** Parameters of the routes of a version 2 mount. */
export const configFields = {
  max_versions: field.int({ description: 'Versions kept of each secret; 0 = 10' }),
  cas_required: field.bool({ description: 'Writes of data must send options.cas' }),
  metadata_cas_required: field.bool({ description: 'Writes of metadata must send metadata_cas' }),
  delete_version_after: field.signedDuration({
    description: 'Versions are deleted so long after they were made; negative: never; 0 = not set',
  }),
}

export const dataFields = {
  path,
  data: nullableMap('The secret'),
  options: field.map({ description: 'cas: the number of the version that this write follows' }),
  version: field.int({ default: 0, description: 'Version to read; 0 = the latest' }),
}

export const versionsFields = {
  path,
  versions: field.commaIntList({ description: 'Numbers of versions' }),
}

export const subkeysFields = {
  path,
  version: field.int({ default: 0, description: 'Version to read; 0 = the latest' }),
  depth: field.int({ default: 0, description: 'Levels of names shown; 0 = all' }),
}

export const metadataFields = {
  path,
  max_versions: field.int({ description: 'Versions kept; 0 = as the mount says' }),
  cas_required: field.bool({ description: 'Writes of data must send options.cas' }),
  metadata_cas_required: field.bool({ description: 'Writes of metadata must send metadata_cas' }),
  delete_version_after: field.duration({
    description: 'Versions are deleted so long after they were made; 0 = as the mount says',
  }),
  custom_metadata: nullableMap('Names to texts; replaces what was there'),
  metadata_cas: field.int({ description: 'current_metadata_version that this write follows' }),
  after: field.string({ default: '', description: 'Lists begin after this name' }),
  limit: field.int({ default: 0, description: 'Names that a list gives; 0 = all' }),
}

export const listFields = { path, after: metadataFields.after, limit: metadataFields.limit }

export type ConfigCall = Call<InputOf<typeof configFields>>
export type DataCall = Call<InputOf<typeof dataFields>>
export type VersionsCall = Call<InputOf<typeof versionsFields>>
export type SubkeysCall = Call<InputOf<typeof subkeysFields>>
export type MetadataCall = Call<InputOf<typeof metadataFields>>
export type ListCall = Call<InputOf<typeof listFields>>
