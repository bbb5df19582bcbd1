import { invalid } from '../../engine/refusal.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { JsonNumber } from '../../std/json.ts'

const convert = (value: Json, beyond: (number: JsonNumber) => Json): Json => {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof JsonNumber) {
    const number = value.toNumber()
    if (!Number.isFinite(number)) return beyond(value)
    // Go writes negative zero, which JSON.stringify does not.
    return Object.is(number, -0) ? new JsonNumber('-0') : number
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => convert(item, beyond))
  const object = Object.create(null) as Record<string, Json>
  for (const [name, member] of Object.entries(value)) object[name] = convert(member as Json, beyond)
  return object
}

/** Data with its numbers as 64-bit floats, as version 2 answers them (settled.md 5). Throws 400 for a number beyond them. */
export const asFloats = (data: JsonObject): JsonObject =>
  convert(data, ({ literal }) => {
    throw invalid(`the number ${literal} does not fit a 64-bit float`)
  }) as JsonObject

/** As `asFloats` for data that is stored already, by version 1: numbers beyond floats stay as they are. */
export const storedAsFloats = (data: JsonObject): JsonObject =>
  convert(data, (number) => number) as JsonObject
