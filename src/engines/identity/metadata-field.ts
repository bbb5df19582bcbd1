import type { Call } from '../../engine/call.ts'
import type { Field } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Metadata } from './metadata.ts'

/** The `metadata` field of entities and groups: null is told from {}. */
export const metadataField = (of: 'entity' | 'group'): Field<Metadata | null | undefined> => {
  const keyValues = field.keyValues({ description: `Metadata of the ${of}; replaces the map` })
  return { ...keyValues, coerce: (value) => (value === null ? null : keyValues.coerce(value)) }
}

/** Metadata sent as null reads null afterwards, and {} reads {} (recorded); undefined = not sent. */
export const sentMetadata = (
  call: Call<{ readonly metadata: Metadata | null | undefined }>,
): Metadata | null | undefined => (call.has('metadata') ? (call.input.metadata ?? null) : undefined)
