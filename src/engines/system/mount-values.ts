import { FieldError } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { parseVaultDuration } from '../../std/go-duration.ts'
import type { Json } from '../../std/json.ts'

const TOKEN_TYPES = new Set(['default-service', 'default-batch', 'service', 'batch'])

/** A tuned TTL in seconds: `system` and negative ones inherit the server's (0), '' and nothing leave it as it is. */
export const ttlSeconds = (
  value: Json | undefined,
  present: number,
  refusal: (given: string, why: string) => string,
): number => {
  if (value === undefined || value === null || value === '') return present
  if (value === 'system') return 0
  try {
    return Math.max(0, parseVaultDuration(value, { signed: true }))
  } catch (error) {
    const given = typeof value === 'string' ? value : JSON.stringify(value)
    throw invalid(refusal(given, error instanceof Error ? error.message : String(error)))
  }
}

/** Refuses what is no visibility. */
export const checkVisibility = (value: string): string => {
  if (value === '' || value === 'hidden' || value === 'unauth') return value
  throw invalid(`invalid listing_visibility ${value}`)
}

/** Refuses what is no token type. */
export const checkTokenType = (value: string): string => {
  if (TOKEN_TYPES.has(value)) return value
  throw invalid("invalid value for 'token_type'")
}

/** A list that replaces the present one; empty ones take it away. */
export const listOrNone = (value: readonly string[]): readonly string[] | undefined => {
  const items = value.filter((item) => item !== '')
  return items.length === 0 ? undefined : items
}

const names = field.commaList()

/** A list inside a map: an array, or a text cut at commas. */
export const namesOf = (value: Json | undefined, refusal: () => Error): readonly string[] => {
  if (value === undefined || value === null) return []
  try {
    return names.coerce(value) ?? []
  } catch (error) {
    if (error instanceof FieldError) throw refusal()
    throw error
  }
}
