import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { sidOfToken } from '../../../engine/ports/sessions.ts'
import type { Tx } from '../../../engine/records.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { findSubject } from '../subject.ts'
import { isAssigned } from './assignments.ts'
import { base62 } from '../../../std/base62.ts'
import { CODE_LENGTH } from './drawn-lengths.ts'
import { findClient } from './clients.ts'
import type { OidcDeps } from './deps.ts'
import { DUE_CODE, dueRef } from './due.ts'
import { allowsClient } from './identity-token.ts'
import type { OAuthError } from './oauth-error.ts'
import { OAuthError as Refused, invalidRequest, jsonAnswer, orOAuthError } from './oauth-error.ts'
import { readChallenge } from './pkce.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord, CodeRecord } from './records.ts'
import { allowsRedirect } from './redirect-uri.ts'
import { codeRef } from './refs.ts'
import { readScope } from './requested-scopes.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  client_id: field.string({ default: '', description: 'The client that asks' }),
  scope: field.string({
    default: '',
    description: 'Scopes, separated by spaces; openid among them',
  }),
  redirect_uri: field.string({ default: '', description: 'Where the code goes' }),
  response_type: field.string({ default: '', description: 'code' }),
  state: field.string({ default: '', description: 'Given back unchanged' }),
  nonce: field.string({ default: '', description: 'Put into the ID token' }),
  max_age: field.int({ description: 'Seconds since the login at most' }),
  code_challenge: field.string({ description: 'PKCE challenge' }),
  code_challenge_method: field.string({ default: 'plain', description: 'S256 or plain' }),
  request: field.string({ default: '', description: 'Not supported' }),
  request_uri: field.string({ default: '', description: 'Not supported' }),
}

type AuthorizeCall = Call<InputOf<typeof fields>>

/** Refusals whose answer leaves `state` empty (recorded). */
const STATELESS = new Set(['request_not_supported', 'request_uri_not_supported'])

/** Rows 1 to 9 of identity.md 5.10: who asks, and whether this provider and address are for them. */
const checkClient = async (tx: Tx, call: AuthorizeCall): Promise<ClientRecord> => {
  const { input } = call
  if (input.client_id === '') {
    throw new Refused('invalid_client_id', 'client_id parameter is required')
  }
  const client = await findClient(tx, call, input.client_id)
  if (client === undefined) {
    throw new Refused('invalid_client_id', 'client with client_id not found')
  }
  if (!client.authorizationCode) {
    throw new Refused(
      'invalid_grant',
      'client not allowed to perform authorization code credential flow',
    )
  }
  if (input.redirect_uri === '') throw invalidRequest('redirect_uri parameter is required')
  if (!allowsRedirect(client.redirectUris, input.redirect_uri)) {
    throw new Refused('invalid_redirect_uri', 'redirect_uri is not allowed for the client')
  }
  const provider = await findProvider(tx, call, input.name)
  if (provider === undefined) throw invalidRequest('provider not found')
  if (!allowsClient(provider.allowedClientIds, client.clientId)) {
    throw new Refused('unauthorized_client', 'client is not authorized to use the provider')
  }
  if (call.has('request')) {
    throw new Refused('request_not_supported', 'request parameter is not supported')
  }
  if (call.has('request_uri')) {
    throw new Refused('request_uri_not_supported', 'request_uri parameter is not supported')
  }
  return client
}

/** Rows 13 to 15: the entity, merged ones followed. */
const checkEntity = async (tx: Tx, call: AuthorizeCall, client: ClientRecord): Promise<string> => {
  const entityId = call.caller?.entityId ?? ''
  const denied = (text: string): OAuthError => new Refused('access_denied', text)
  if (entityId === '') throw denied('identity entity must be associated with the request')
  const entity = await findSubject(tx, call.namespace.number, entityId)
  if (entity === undefined) {
    throw denied('identity entity associated with the request not found')
  }
  const assigned = entity.disabled ? false : await isAssigned(tx, call, client, entity.id)
  if (typeof assigned === 'object') {
    throw new Refused('server_error', `client assignment "${assigned.missing}" not found`)
  }
  if (!assigned) throw denied('identity entity not authorized by client assignment')
  return entity.id
}

/** Rows 19 to 21; gives the time of the login in seconds if it was asked for. */
const checkAge = (call: AuthorizeCall, deps: OidcDeps): number | undefined => {
  if (!call.has('max_age')) return undefined
  const maxAge = call.input.max_age ?? 0
  if (maxAge < 1) throw invalidRequest('max_age must be greater than zero')
  const { createdAt } = deps.tokens().ofCaller(call.caller!).record
  if (call.now - createdAt > maxAge * 1000) {
    throw new Refused('max_age_violation', 'active re-authentication is required by max_age')
  }
  return Math.floor(createdAt / 1000)
}

/** The `sid` of a request: that of its token's session; a batch token is none, and each of its requests is one. */
const sidOf = ({ caller, names, newId }: AuthorizeCall): string =>
  caller === undefined || caller.tokenKey.length === 0
    ? newId()
    : sidOfToken(names, caller.tokenKey)

const decide = async (
  tx: Tx,
  call: AuthorizeCall,
  deps: OidcDeps,
  sid: string,
): Promise<CodeRecord> => {
  const { input } = call
  const client = await checkClient(tx, call)
  const scopes = readScope(input.scope)
  if (input.response_type === '') throw invalidRequest('response_type parameter is required')
  if (input.response_type !== 'code') {
    throw new Refused('unsupported_response_type', 'unsupported response_type value')
  }
  const entityId = await checkEntity(tx, call, client)
  const challenge = readChallenge(client, {
    challenge: call.has('code_challenge') ? (input.code_challenge ?? '') : undefined,
    method: input.code_challenge_method,
  })
  return {
    provider: input.name,
    clientId: client.clientId,
    entityId,
    redirectUri: input.redirect_uri,
    nonce: input.nonce,
    scopes,
    challenge,
    authTime: checkAge(call, deps),
    sid,
    expiresAt: call.now + limits.oidcCodeMs,
  }
}

const authorize = (call: AuthorizeCall, deps: OidcDeps) => {
  const { state } = call.input
  return orOAuthError(
    async () => {
      const code = base62(call.randomBytes, CODE_LENGTH)
      const ref = codeRef(call, code)
      const hash = call.names.hash('oidc-code', code)
      const sid = sidOf(call)
      await call.records.transact(async (tx) => {
        const record = await decide(tx, call, deps, sid)
        if (ref.kind.encode(record).length > limits.oidcCodeBytes) {
          throw invalidRequest('the authorization request is too long')
        }
        tx.put(ref, record)
        tx.put(dueRef(call, DUE_CODE, hash, record.expiresAt), { due: true })
      })
      return jsonAnswer(200, [
        ['code', code],
        ['state', state],
      ])
    },
    (error) =>
      jsonAnswer(error.status, [
        ...error.members,
        ['state', STATELESS.has(error.code) ? '' : state],
      ]),
  )
}

/** The authorization endpoint: gives a code to whoever holds a token of an entity (identity.md 5.10). */
export const authorizeRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider/:name/authorize',
    summary: 'Get an authorization code for a client',
    fields,
    verbs: {
      read: (call) => authorize(call, deps),
      update: (call) => authorize(call, deps),
    },
  }),
]
