import { matchesGlob } from '../../std/glob.ts'
import { compareBytes, parseJson } from '../../std/json.ts'
import type { Json, JsonObject } from '../../std/json.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Claims } from './claims.ts'
import { asList, claimAt, goText, isWholeNumber, sameScalar } from './claims.ts'
import type { RoleRecord } from './records.ts'

/** Refuses (400) bound claims that no token could be compared with: a glob is a string, else strings, booleans and whole numbers. */
export const checkBoundClaims = (
  claims: Readonly<Record<string, Json>>,
  type: RoleRecord['boundClaimsType'],
): void => {
  for (const name of Object.keys(claims).sort(compareBytes)) {
    const value = claims[name]!
    const list = asList(value)
    if (list === undefined) throw invalid(`claim is not a string or list: ${goText(value)}`)
    for (const item of list) {
      if (typeof item === 'string') continue
      if (type === 'glob') throw invalid(`claim is not a string: ${goText(item)}`)
      if (typeof item !== 'boolean' && !isWholeNumber(item)) {
        throw invalid(`claim is not a string or list: ${goText(item)}`)
      }
    }
  }
}

const matches = (bound: Json, actual: Json, type: RoleRecord['boundClaimsType']): boolean =>
  type === 'glob'
    ? typeof bound === 'string' && typeof actual === 'string' && matchesGlob(bound, actual)
    : sameScalar(bound, actual)

/** Refuses (400) a token in which one of the role's bound claims is missing or has none of the bound values. */
export const requireBoundClaims = (
  role: Pick<RoleRecord, 'boundClaims' | 'boundClaimsType'>,
  claims: Claims,
): void => {
  if (role.boundClaims === null) return
  const bound = parseJson(role.boundClaims) as JsonObject
  for (const name of Object.keys(bound).sort(compareBytes)) {
    const actual = claimAt(claims, name)
    if (actual === undefined) {
      throw invalid(`error validating claims: claim "${name}" is missing`)
    }
    const wanted = asList(bound[name]!) ?? []
    const present = asList(actual) ?? []
    const found = wanted.some((one) =>
      present.some((other) => matches(one, other, role.boundClaimsType)),
    )
    if (!found) {
      throw invalid(
        `error validating claims: claim "${name}" does not match any associated bound claim values`,
      )
    }
  }
}
