import type { Json, JsonObject } from '../../std/json.ts'
import { JsonNumber } from '../../std/json.ts'

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)

/** RFC 7396: null removes a member, objects merge, everything else replaces. */
export const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch
  const merged = Object.create(null) as Record<string, Json>
  if (isObject(target)) {
    for (const [name, value] of Object.entries(target)) merged[name] = value as Json
  }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value as Json)
  }
  return merged
}
