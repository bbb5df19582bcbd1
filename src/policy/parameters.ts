import { goLower } from '../std/go-lower.ts'
import type { Json, JsonObject } from '../std/json.ts'
import { JsonNumber } from '../std/json.ts'
import type { AclRule } from './acl-rule.ts'
import type { ParameterValue } from './parsed-policy.ts'

/** Strings of two characters or more may begin and end in `*`. */
const globs = (pattern: string, value: string): boolean => {
  if (pattern.length < 2) return pattern === value
  const open = pattern.startsWith('*')
  const close = pattern.endsWith('*')
  if (open && close) return value.includes(pattern.slice(1, -1))
  if (open) return value.endsWith(pattern.slice(1))
  return close ? value.startsWith(pattern.slice(0, -1)) : pattern === value
}

/** Numbers of a policy equal no number of a request, as recorded (host/policy/parameters, step 17). */
const equals = (wanted: ParameterValue, given: Json | undefined): boolean => {
  if (typeof wanted === 'string' || typeof wanted === 'boolean') return wanted === given
  if (typeof wanted === 'number' || typeof given !== 'object' || given === null) return false
  if (Array.isArray(wanted)) {
    const items = given as readonly Json[]
    return (
      Array.isArray(given) &&
      items.length === wanted.length &&
      wanted.every((item: ParameterValue, i) => equals(item, items[i]))
    )
  }
  if (Array.isArray(given) || given instanceof JsonNumber) return false
  const names = Object.keys(wanted)
  const object = given as JsonObject
  return (
    names.length === Object.keys(object).length &&
    names.every(
      (name) =>
        Object.hasOwn(object, name) &&
        equals((wanted as { readonly [name: string]: ParameterValue })[name]!, object[name]),
    )
  )
}

const isAmong = (given: Json, values: readonly ParameterValue[]): boolean =>
  values.length === 0 ||
  values.some((wanted) =>
    typeof wanted === 'string' && typeof given === 'string'
      ? globs(wanted, given)
      : equals(wanted, given),
  )

/** Why a rule's parameters refuse a request. */
export type ParameterRefusal = 'required-parameter' | 'denied-parameter' | 'allowed-parameter'

/**
 * What a rule says of the data of a read, create, update or patch (spec/auth.md 3.7): undefined when nothing is against
 * it. Captures of the path are not data.
 */
export const refuseParameters = (
  rule: AclRule,
  data: JsonObject | undefined,
): ParameterRefusal | undefined => {
  const { required, denied, allowed } = rule
  if (required.length === 0 && denied === undefined && allowed === undefined) return undefined
  const members = Object.entries(data ?? {}).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  )
  const names = new Set(members.map(([name]) => name))
  if (!required.every((name) => names.has(name))) return 'required-parameter'
  if (members.length === 0) return undefined
  if (denied !== undefined && denied.size > 0) {
    if (denied.has('*')) return 'denied-parameter'
    for (const [name, value] of members) {
      const values = denied.get(goLower(name))
      if (values !== undefined && isAmong(value, values)) return 'denied-parameter'
    }
  }
  if (allowed === undefined || allowed.size === 0) return undefined
  const others = allowed.has('*')
  if (others && allowed.size === 1) return undefined
  for (const [name, value] of members) {
    const values = allowed.get(goLower(name))
    if (values === undefined ? !others : !isAmong(value, values)) return 'allowed-parameter'
  }
  return undefined
}
