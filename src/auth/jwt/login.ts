import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Reader } from '../../engine/records.ts'
import { invalid, Refusal } from '../../engine/refusal.ts'
import type { Login, Result } from '../../engine/result.ts'
import { login } from '../../engine/result.ts'
import { JsonSyntaxError, parseJson } from '../../std/json.ts'
import type { Json } from '../../std/json.ts'
import { checkBoundCidrs } from '../shared/token-fields.ts'
import { requireBoundClaims } from './bound-claims.ts'
import { claimedIdentity } from './claimed-identity.ts'
import type { Claims } from './claims.ts'
import { limits } from '../../limits.ts'
import type { CompactJws } from '../../std/compact-jws.ts'
import { MalformedToken, parseCompactJws } from '../../std/compact-jws.ts'
import { isJsonObject } from '../../std/json-object.ts'
import type { KeySources } from './key-sources.ts'
import { NoKeySource, SignatureRefused } from './key-sources.ts'
import { libraryTexts } from './library-texts.ts'
import { renderPolicies } from './policy-template.ts'
import type { ConfigRecord, RoleRecord } from './records.ts'
import { configRef, roleRef } from './records.ts'
import { audiencesOf, checkRegisteredClaims, InvalidClaims } from './registered-claims.ts'

/** The parameters of a login. */
export const loginFields = {
  role: field.lowerString({
    default: '',
    description: "Role; the mount's default_role when missing",
  }),
  jwt: field.string({ default: '', description: 'The signed token' }),
}

type LoginCall = Call<InputOf<typeof loginFields>>

interface Basis {
  readonly config: ConfigRecord
  readonly role: RoleRecord
}

/** Reads what a login rests on, and throws its refusals in their order (spec/auth.md 6.4). */
const readBasis = async (reader: Reader, call: LoginCall): Promise<Basis> => {
  const config = await reader.get(configRef(call))
  if (config === undefined) throw invalid('could not load configuration')
  const name = call.input.role === '' ? config.defaultRole : call.input.role
  if (name === '') throw invalid('missing role')
  const role = await reader.get(roleRef(call, name))
  if (role === undefined) throw invalid(`role "${name}" could not be found`)
  if (role.roleType === 'oidc') throw invalid('role with oidc role_type is not allowed')
  if (call.input.jwt === '') throw invalid('missing token')
  checkBoundCidrs(role.token.parameters, call.remoteAddress)
  return { config, role }
}

const tokenFault = (text: string): Refusal => invalid(`error validating token: ${text}`)

const signatureFault = (text: string): Refusal =>
  tokenFault(`error verifying token signature: ${text}`)

const claimsOf = (jws: CompactJws): Claims => {
  let claims: Json
  try {
    claims = parseJson(jws.payload)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw signatureFault(libraryTexts.noStaticKeyFits)
    throw error
  }
  // The reference reads the claims while it tries the keys: claims that are no object fit no key.
  if (!isJsonObject(claims)) throw signatureFault(libraryTexts.noStaticKeyFits)
  return claims
}

/** A token whose signature is good for the configuration that was read. Keys may be fetched for it. */
const verified = async (
  call: LoginCall,
  config: ConfigRecord,
  sources: KeySources,
): Promise<{ readonly alg: string; readonly claims: Claims }> => {
  try {
    const jws = parseCompactJws(call.input.jwt, limits.jwtBytes)
    await sources.of(call.mount, config).verify(jws, call.now)
    return { alg: jws.alg, claims: claimsOf(jws) }
  } catch (error) {
    if (error instanceof NoKeySource) {
      throw invalid(`error configuring token validator: ${error.message}`)
    }
    if (error instanceof MalformedToken || error instanceof SignatureRefused) {
      throw signatureFault(error.message)
    }
    throw error
  }
}

/** What the role makes of the claims. Throws the recorded refusals (400). */
export const decideLogin = (
  role: RoleRecord,
  config: Pick<ConfigRecord, 'boundIssuer' | 'jwtSupportedAlgs'>,
  token: { readonly alg: string; readonly claims: Claims },
  now: number,
): Login => {
  const { claims } = token
  const audiences = role.boundAudiences ?? []
  try {
    checkRegisteredClaims(
      token.alg,
      claims,
      {
        algorithms: config.jwtSupportedAlgs,
        issuer: config.boundIssuer,
        subject: role.boundSubject,
        audiences,
        expirationLeeway: role.expirationLeewaySeconds,
        notBeforeLeeway: role.notBeforeLeewaySeconds,
        clockSkewLeeway: role.clockSkewLeewaySeconds,
      },
      now,
    )
  } catch (error) {
    if (error instanceof InvalidClaims) throw tokenFault(error.message)
    throw error
  }
  if (audiences.length === 0 && audiencesOf(claims).length > 0) {
    throw invalid('audience claim found in JWT but no audiences bound to the role')
  }
  const identity = claimedIdentity(role, claims)
  requireBoundClaims(role, claims)
  const { parameters } = role.token
  return {
    token: role.tokenPoliciesTemplateClaims
      ? { ...parameters, policies: renderPolicies(parameters.policies, claims) }
      : parameters,
    displayName: identity.name,
    metadata: identity.metadata,
    alias: { name: identity.name, metadata: identity.metadata },
    ...(identity.groups === undefined ? {} : { groupAliases: identity.groups }),
    internal: { role: role.name },
  }
}

/**
 * Logs in with a signed token. Its signature is checked, and keys are fetched for that, before the login's transaction;
 * configuration and role are read again inside it, and the claims are judged by that role.
 */
export const loginWithJwt = async (call: LoginCall, sources: KeySources): Promise<Result> => {
  const before = await call.records.transact((tx) => readBasis(tx, call))
  const token = await verified(call, before.config, sources)
  return login(async (tx) => {
    const { config, role } = await readBasis(tx, call)
    if (config.revision !== before.config.revision) {
      throw new Refusal(
        'unavailable',
        'the configuration of the mount changed during the login; try again',
      )
    }
    return decideLogin(role, config, token, call.now)
  })
}
