import { signatureAlgorithms } from '../../std/compact-jws.ts'
import { JsonNumber } from '../../std/json.ts'
import type { Json } from '../../std/json.ts'
import type { Claims } from './claims.ts'
import { plainClaim } from './claims.ts'
import { isJsonObject } from '../../std/json-object.ts'
import { libraryTexts } from './library-texts.ts'

/** A token whose signature is good but whose claims are not; the message is what a login answers. */
export class InvalidClaims extends Error {
  override readonly name = 'InvalidClaims'
}

/** What a token must say. '' and [] demand nothing. Leeways in seconds: 0 = the default, negative = none. */
export interface Expected {
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
  readonly expirationLeeway: number
  readonly notBeforeLeeway: number
  readonly clockSkewLeeway: number
}

/** Allowed when a mount names no algorithms. */
const DEFAULT_ALGORITHMS: ReadonlySet<string> = new Set(signatureAlgorithms)

/** Whether a mount can name this algorithm among `jwt_supported_algs`. */
export const isSupportedAlgorithm = (name: string): boolean => DEFAULT_ALGORITHMS.has(name)

const LEEWAY_SECONDS = 150
const SKEW_SECONDS = 60

const leeway = (seconds: number, byDefault: number): number =>
  seconds === 0 ? byDefault : Math.max(0, seconds)

const goType = (value: Json): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return isJsonObject(value) ? 'object' : 'number'
}

const textClaim = (claims: Claims, name: 'iss' | 'sub'): string => {
  const value = plainClaim(claims, name)
  if (value === undefined) return ''
  if (typeof value !== 'string') {
    throw new InvalidClaims(libraryTexts.notString(goType(value), name))
  }
  return value
}

/** The audiences a token names, [] for none. Throws InvalidClaims. */
export const audiencesOf = (claims: Claims): readonly string[] => {
  const value = plainClaim(claims, 'aud')
  if (value === undefined) return []
  const list: readonly Json[] = Array.isArray(value) ? value : [value]
  return list.map((item) => {
    if (typeof item !== 'string') throw new InvalidClaims(libraryTexts.notAudience)
    return item
  })
}

/** Whole seconds, fractions cut off, as the reference reads them. */
const timeClaim = (claims: Claims, name: 'exp' | 'nbf' | 'iat'): number | undefined => {
  const value = plainClaim(claims, name)
  if (value === undefined) return undefined
  const seconds = value instanceof JsonNumber ? value.toNumber() : value
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
    throw new InvalidClaims(libraryTexts.notNumericDate)
  }
  return Math.trunc(seconds)
}

const checkTimes = (claims: Claims, expected: Expected, now: number): void => {
  const issued = timeClaim(claims, 'iat')
  const starts = timeClaim(claims, 'nbf')
  const ends = timeClaim(claims, 'exp')
  if (issued === undefined && starts === undefined && ends === undefined) {
    throw new InvalidClaims(libraryTexts.noTimes)
  }
  const end =
    ends ??
    Math.max(issued ?? -Infinity, starts ?? -Infinity) +
      leeway(expected.expirationLeeway, LEEWAY_SECONDS)
  const start = starts ?? issued ?? end - leeway(expected.notBeforeLeeway, LEEWAY_SECONDS)
  const skew = leeway(expected.clockSkewLeeway, SKEW_SECONDS)
  const seconds = now / 1000
  if (seconds + skew < start) throw new InvalidClaims(libraryTexts.notYetValid)
  if (seconds - skew > end) throw new InvalidClaims(libraryTexts.expired)
  if (issued !== undefined && seconds + skew < issued) {
    throw new InvalidClaims(libraryTexts.issuedInFuture)
  }
}

/**
 * Checks the registered claims (RFC 7519 4.1) and the algorithm of a token whose signature is good, in the order of the
 * reference: algorithm, issuer, subject, audience, times. `now` in ms. Throws InvalidClaims.
 */
export const checkRegisteredClaims = (
  alg: string,
  claims: Claims,
  expected: Expected,
  now: number,
): void => {
  const allowed =
    expected.algorithms.length === 0
      ? DEFAULT_ALGORITHMS.has(alg)
      : expected.algorithms.includes(alg)
  if (!allowed) throw new InvalidClaims(libraryTexts.algorithm)
  const issuer = textClaim(claims, 'iss')
  const subject = textClaim(claims, 'sub')
  const audiences = audiencesOf(claims)
  if (expected.issuer !== '' && issuer !== expected.issuer) {
    throw new InvalidClaims(libraryTexts.issuer)
  }
  if (expected.subject !== '' && subject !== expected.subject) {
    throw new InvalidClaims(libraryTexts.subject)
  }
  if (
    expected.audiences.length > 0 &&
    !audiences.some((audience) => expected.audiences.includes(audience))
  ) {
    throw new InvalidClaims(libraryTexts.audience)
  }
  checkTimes(claims, expected, now)
}
