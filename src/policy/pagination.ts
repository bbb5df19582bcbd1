import type { Json, JsonObject } from '../std/json.ts'
import { JsonNumber } from '../std/json.ts'
import type { AclRule } from './acl-rule.ts'

const INTEGER = /^[+-]?\d+$/

const integer = (value: Json): number | undefined => {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined
  const text = value instanceof JsonNumber ? value.literal : value
  return typeof text === 'string' && INTEGER.test(text) ? Number(text) : undefined
}

/**
 * The `limit` that a list or scan must be served with, `undefined` when it stays as it was sent; 'refused' when the
 * rule forbids what was asked (spec/auth.md 3.7).
 */
export const applyPagination = (
  rule: AclRule,
  data: JsonObject | undefined,
): number | undefined | 'refused' => {
  const most = rule.paginationLimit
  const asked = data !== undefined && Object.hasOwn(data, 'limit') ? data['limit'] : undefined
  if (asked === 'max') return most
  if (most === 0) return undefined
  if (asked === undefined) return rule.required.includes('limit') ? 'refused' : most
  const limit = integer(asked)
  if (limit === undefined || limit > most || limit < 0) return 'refused'
  return limit === 0 ? most : undefined
}
