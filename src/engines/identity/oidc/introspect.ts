import { createPublicKey } from 'node:crypto'
import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { RawResult } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { Json, JsonObject } from '../../../std/json.ts'
import { JsonNumber, stringifyOrdered } from '../../../std/json.ts'
import { findEntity } from '../entity-record.ts'
import { algorithmOf } from './algorithms.ts'
import type { CompactJws } from '../../../std/compact-jws.ts'
import { MalformedToken, tokenObject } from '../../../std/compact-jws.ts'
import { member } from '../../../std/json-object.ts'
import { parseOwnJws } from './own-jws.ts'
import type { OidcDeps } from './deps.ts'
import { identityIssuer } from './issuer.ts'
import { roleKeys } from './jwks.ts'
import { published } from './key-ring.ts'
import type { RingKey } from './records.ts'

/** What two clocks may differ by, in seconds. */
const LEEWAY = 60

const claimFault = (what: string): string =>
  `error validating claims: go-jose/go-jose/jwt: validation failed, ${what}`

const fields = {
  token: field.string({ default: '', description: 'The identity token' }),
  client_id: field.string({ default: '', description: 'The audience it must have' }),
}

/** Whether a key signed a token. Its own algorithm decides, whatever the token's header says. */
export const signedBy = (jws: CompactJws, { algorithm, jwk, kid }: RingKey): boolean => {
  if (jws.critical || jws.alg !== algorithm || jws.kid !== kid) return false
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
  return algorithmOf(algorithm).verify(key, jws.signed, jws.signature)
}

const audienceHas = (claims: JsonObject, clientId: string): boolean => {
  const audience = member(claims, 'aud')
  return Array.isArray(audience) ? audience.includes(clientId) : audience === clientId
}

/** The number of a time claim; undefined for what is none. */
export const secondsOf = (value: Json | undefined): number | undefined => {
  if (value === undefined || value === null) return undefined
  const number = Number(value instanceof JsonNumber ? value.literal : value)
  return Number.isFinite(number) ? number : undefined
}

/** What is wrong with the times of a token; undefined when they are right. */
const timeFault = (claims: JsonObject, now: number): string | undefined => {
  const at = now / 1000
  const notBefore = secondsOf(member(claims, 'nbf'))
  if (notBefore !== undefined && at + LEEWAY < notBefore) {
    return claimFault('token not valid yet (nbf)')
  }
  const expires = secondsOf(member(claims, 'exp'))
  if (expires !== undefined && at - LEEWAY > expires) return claimFault('token is expired (exp)')
  const issued = secondsOf(member(claims, 'iat'))
  if (issued !== undefined && at + LEEWAY < issued) {
    return 'error validating claims: go-jose/go-jose/jwt: validation field, token issued in the future (iat)'
  }
  return undefined
}

/** Why a token is not active; undefined when it is. */
const faultOf = async (
  call: Call<{ readonly token: string; readonly client_id: string }>,
  deps: OidcDeps,
): Promise<string | undefined> => {
  const { input, namespace, now, records } = call
  let jws: CompactJws
  try {
    jws = parseOwnJws(input.token)
  } catch (error) {
    if (error instanceof MalformedToken) return `error parsing token: ${error.message}`
    throw error
  }
  const ring = (await roleKeys(call)).flatMap((key) => published(key, now))
  if (!ring.some((key) => signedBy(jws, key))) return 'unable to validate the token signature'
  const claims = tokenObject(jws.payload) ?? {}
  if (member(claims, 'iss') !== (await identityIssuer(records, call, deps))) {
    return claimFault('invalid issuer claim (iss)')
  }
  if (input.client_id !== '' && !audienceHas(claims, input.client_id)) {
    return claimFault('invalid audience claim (aud)')
  }
  const wrongTime = timeFault(claims, now)
  if (wrongTime !== undefined) return wrongTime
  const subject = member(claims, 'sub')
  const entity =
    typeof subject === 'string' ? await findEntity(records, namespace.number, subject) : undefined
  if (entity === undefined) return 'entity was not found'
  return entity.disabled ? 'entity is disabled' : undefined
}

const answer = (fault: string | undefined): RawResult =>
  raw(
    200,
    fault === undefined
      ? '{"active":true}'
      : stringifyOrdered([
          ['active', false],
          ['error', fault],
        ]),
  )

/** The route that tells whether an identity token is good (identity.md 5.5). */
export const introspectRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/introspect',
    summary: 'Tell whether an identity token is valid',
    fields,
    slashOrNot: true,
    verbs: { update: async (call) => answer(await faultOf(call, deps)) },
  }),
]
