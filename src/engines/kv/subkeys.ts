import type { Json, JsonObject } from '../../std/json.ts'
import { JsonNumber } from '../../std/json.ts'

const isFullObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber) &&
  Object.keys(value).length > 0

/**
 * The names in the data, every leaf null. Nested objects below `depth` levels are leaves (the top level is 1; 0 = all levels,
 * negative = the top level only); so are arrays and empty objects.
 */
export const subkeys = (data: JsonObject, depth: number, level = 1): JsonObject => {
  const names = Object.create(null) as Record<string, Json>
  for (const [name, value] of Object.entries(data)) {
    const deeper = depth === 0 || level < depth
    names[name] = deeper && isFullObject(value) ? subkeys(value, depth, level + 1) : null
  }
  return names
}
