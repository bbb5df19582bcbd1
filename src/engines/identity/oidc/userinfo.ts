import type { Call } from '../../../engine/call.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import type { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import { raw } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { Json } from '../../../std/json.ts'
import { stringifyJson } from '../../../std/json.ts'
import { findSubject } from '../subject.ts'
import { grantOf, isRevoked } from './access-token.ts'
import { isAssigned } from './assignments.ts'
import { templateEntity } from './claims-subject.ts'
import { findClient } from './clients.ts'
import type { OidcDeps } from './deps.ts'
import { allowsClient } from './identity-token.ts'
import { OAuthError, invalidRequest, jsonAnswer, orOAuthError } from './oauth-error.ts'
import { findProvider } from './providers.ts'
import { scopeTemplates } from './requested-scopes.ts'

type UserinfoCall = Call<{ readonly name: string }>

const invalidToken = (description: string): OAuthError =>
  new OAuthError('invalid_token', description, 401)

const accessDenied = (description: string): OAuthError =>
  new OAuthError('access_denied', description, 403)

/** Whether the token came as `Authorization: Bearer` and in no other way. */
const cameAsBearer = (headers: Call['headers']): boolean => {
  const { authorization, 'x-vault-token': other } = headers
  return (
    (other === undefined || other === '') &&
    typeof authorization === 'string' &&
    authorization.startsWith('Bearer ')
  )
}

const claimsFor = async (
  tx: Tx,
  call: UserinfoCall,
  deps: OidcDeps,
): Promise<Readonly<Record<string, Json>>> => {
  const provider = await findProvider(tx, call, call.input.name)
  if (provider === undefined) throw invalidRequest('provider not found')
  if (!cameAsBearer(call.headers)) throw invalidToken('access token must be sent as a Bearer token')
  const { record, type } = deps.tokens().ofCaller(call.caller!)
  if (type !== 'batch') throw invalidToken('access token is malformed or invalid')
  const grant = grantOf(record)
  if (grant === undefined) {
    throw new OAuthError('server_error', 'expected client ID in token metadata')
  }
  const client = await findClient(tx, call, grant.clientId)
  if (client === undefined) throw accessDenied('client not found')
  if (await isRevoked(tx, call, client, grant)) throw invalidToken('access token was revoked')
  const entity = await findSubject(tx, call.namespace.number, record.entityId)
  if (entity === undefined) {
    throw accessDenied('identity entity associated with the request not found')
  }
  const assigned = entity.disabled ? false : await isAssigned(tx, call, client, entity.id)
  if (typeof assigned === 'object') {
    throw new OAuthError('server_error', `client assignment "${assigned.missing}" not found`)
  }
  if (!assigned) throw accessDenied('identity entity not authorized by client assignment')
  if (!allowsClient(provider.allowedClientIds, client.clientId)) {
    throw accessDenied('client is not authorized to use the provider')
  }
  const scopes = await scopeTemplates(tx, call, provider, grant.scopes)
  const subject = await templateEntity(tx, call, entity, scopes.templates)
  return { ...scopes.claims({ now: call.now, entity: subject }), sub: entity.id }
}

/** Descriptions stand in a quoted string of a header, where `"` and `\` are escaped and other than ASCII has no place. */
const quoted = (text: string): string =>
  `"${text.replace(/[^\x20-\x7e]+/g, '?').replace(/["\\]/g, String.raw`\$&`)}"`

const answerError = (error: OAuthError): RawResult =>
  jsonAnswer(
    error.status,
    error.members,
    error.status === 400 || error.status === 401
      ? {
          'WWW-Authenticate': `Bearer error=${quoted(error.code)},error_description=${quoted(error.message)}`,
        }
      : undefined,
  )

/** What the core refuses before the endpoint is reached, in its own form. */
const answerRefusal = (refusal: Refusal): RawResult | undefined =>
  refusal.kind === 'denied' ? answerError(invalidToken('permission denied')) : undefined

/** Who the holder of an access token is (identity.md 5.12). */
export const userinfoRoutes = (deps: OidcDeps): readonly Route[] => {
  const userinfo = (call: UserinfoCall): Promise<RawResult> =>
    orOAuthError(async () => {
      const claims = await call.records.transact((tx) => claimsFor(tx, call, deps))
      return raw(200, stringifyJson(claims))
    }, answerError)
  return [
    route({
      path: 'oidc/provider/:name/userinfo',
      summary: 'Tell who the holder of an access token is',
      fields: { name: field.string({ default: '', description: 'Name of the provider' }) },
      refusalAs: answerRefusal,
      verbs: { read: userinfo, update: userinfo },
    }),
  ]
}
