import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import { failed, invalid } from '../../../engine/refusal.ts'
import type { Result } from '../../../engine/result.ts'
import { data } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { Json, JsonObject } from '../../../std/json.ts'
import type { EntityRecord } from '../records.ts'
import { findSubject } from '../subject.ts'
import { templateEntity } from './claims-subject.ts'
import type { OidcDeps } from './deps.ts'
import { identityIssuer } from './issuer.ts'
import { findKey, keyForUse } from './keys.ts'
import type { KeyRecord, RoleRecord } from './records.ts'
import { roleRef, sortedSet } from './refs.ts'
import type { Signer, SigningKey } from './signer.ts'
import { claimsOf } from './template-claims.ts'

/** Whether a list of client ids allows one; `*` allows all. */
export const allowsClient = (allowed: readonly string[], clientId: string): boolean =>
  allowed.includes('*') || allowed.includes(clientId)

const fields = {
  name: field.string({ default: '', description: 'Name of the role' }),
  audience: field.commaList({
    description: 'Whom the token is for: some of the role’s allowed_audiences',
  }),
}

type TokenCall = Call<InputOf<typeof fields>>

/**
 * Who a token is for: those that the request asks for, else the role's client id. The key has to allow them as it allows client
 * ids, so that who may write roles cannot make tokens of a key for others than it is meant for. Throws Refusals.
 */
const audienceOf = (
  call: TokenCall,
  role: RoleRecord,
  key: KeyRecord,
): string | readonly string[] => {
  if (!call.has('audience')) return role.clientId
  const asked = sortedSet(call.input.audience ?? [])
  if (asked.length === 0 || asked.includes('')) throw invalid('the audience parameter is empty')
  for (const audience of asked) {
    if (!role.allowedAudiences.includes(audience)) {
      throw invalid(
        `the role "${role.name}" does not list ${JSON.stringify(audience)} in its allowed_audiences`,
      )
    }
    if (!allowsClient(key.allowedClientIds, audience)) {
      throw invalid(
        `the key "${key.name}" does not list the audience ${JSON.stringify(audience)} as an allowed client ID`,
      )
    }
  }
  return asked.length === 1 ? asked[0]! : asked
}

/** All that a token is made of, as one transaction saw it. */
interface Facts {
  readonly role: RoleRecord
  readonly key: KeyRecord
  readonly signing: SigningKey
  readonly entity: EntityRecord
  readonly issuer: string
  readonly audience: string | readonly string[]
  /** Undefined: the role's template does not render for this entity. */
  readonly claims: JsonObject | undefined
}

const readFacts = async (
  tx: Tx,
  call: TokenCall,
  deps: OidcDeps,
  signer: Signer,
): Promise<Facts> => {
  const role = await tx.get(roleRef(call, call.input.name))
  if (role === undefined) throw invalid(`role "${call.input.name}" not found`)
  const key = await findKey(tx, call, role.key)
  if (key === undefined) throw invalid(`key "${role.key}" not found`)
  if (!allowsClient(key.allowedClientIds, role.clientId)) {
    throw invalid(
      `the key "${key.name}" does not list the client ID of the role "${role.name}" as an allowed client ID`,
    )
  }
  const audience = audienceOf(call, role, key)
  const entityId = call.caller?.entityId ?? ''
  if (entityId === '') throw invalid("no entity associated with the request's token")
  // A token of an entity that was merged away speaks for the survivor.
  const entity = await findSubject(tx, call.namespace.number, entityId)
  if (entity === undefined) throw failed(`error loading entity ID "${entityId}"`)
  const signing = await signer.signingKey(tx, call, key)
  if (signing === undefined) {
    throw failed('error signing OIDC token: signing key is nil; rotate the key and try again')
  }
  const subject = await templateEntity(tx, call, entity, [role.template])
  return {
    role,
    key,
    signing,
    entity,
    issuer: await identityIssuer(tx, call, deps),
    audience,
    claims: claimsOf(role.template, { now: call.now, entity: subject }),
  }
}

const issueToken = async (call: TokenCall, deps: OidcDeps, signer: Signer): Promise<Result> => {
  let facts = await call.records.transact((tx) => readFacts(tx, call, deps, signer))
  if ((facts.key.nextRotationAt ?? Infinity) <= call.now) {
    await keyForUse(call, facts.key.name)
    facts = await call.records.transact((tx) => readFacts(tx, call, deps, signer))
  }
  const { role, key, entity } = facts
  if (facts.claims === undefined) {
    call.hint(
      'claims-not-rendered',
      `the template of role ${JSON.stringify(role.name)} gives no JSON object for this entity: the token has none of its claims`,
    )
  }
  let ttl = role.ttl
  if (ttl > key.verificationTtl) {
    ttl = key.verificationTtl
    call.warn(
      `a role's token ttl cannot be longer than the verification_ttl of the key it references, setting token ttl to ${ttl * 1e9}`,
    )
  }
  const issuedAt = Math.floor(call.now / 1000)
  const claims: Record<string, Json | undefined> = {
    ...facts.claims,
    iss: facts.issuer,
    namespace: call.namespace.id,
    sub: entity.id,
    aud: facts.audience,
    iat: issuedAt,
    exp: issuedAt + ttl,
  }
  const token = await signer.sign(facts.signing, claims)
  return data({ token, client_id: role.clientId, ttl: role.ttl })
}

/** The route at which the holder of a token gets an identity token (identity.md 5.4). */
export const tokenRoutes = (deps: OidcDeps, signer: Signer): readonly Route[] => [
  route({
    path: 'oidc/token/:name',
    summary: 'Get a signed token that says who you are',
    fields,
    verbs: { read: (call) => issueToken(call, deps, signer) },
  }),
]
