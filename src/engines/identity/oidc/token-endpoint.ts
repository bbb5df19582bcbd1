import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { readClient } from './asking-client.ts'
import { answerClientError, clientAnswer } from './client-answer.ts'
import { grantToClient } from './client-credentials-grant.ts'
import { exchangeCode } from './code-grant.ts'
import type { OidcDeps } from './deps.ts'
import { DEVICE_GRANT, exchangeDeviceCode } from './device-grant.ts'
import type { Asking, Grant, GrantTools } from './grant.ts'
import { allowsClient } from './identity-token.ts'
import { isDue } from './key-ring.ts'
import { findKey, keyForUse } from './keys.ts'
import { OAuthError, invalidClient, invalidGrant, orOAuthError } from './oauth-error.ts'
import type { ClientRecord } from './records.ts'
import { exchangeRefreshToken } from './refresh-grant.ts'
import type { Signer } from './signer.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  grant_type: field.string({
    default: '',
    description: `authorization_code, client_credentials, refresh_token or ${DEVICE_GRANT}`,
  }),
  client_id: field.string({ default: '', description: 'The client, unless Basic names it' }),
  client_secret: field.string({ default: '', description: 'Its secret, unless Basic gives it' }),
  code: field.string({ default: '', description: 'The authorization code' }),
  redirect_uri: field.string({ default: '', description: 'As in the authorization request' }),
  code_verifier: field.string({ description: 'PKCE verifier' }),
  refresh_token: field.string({ default: '', description: 'The refresh token' }),
  device_code: field.string({ default: '', description: 'The device code' }),
  scope: field.string({
    default: '',
    description: 'Scopes of client_credentials; of refresh_token: fewer than were granted',
  }),
}

type TokenCall = Call<InputOf<typeof fields>>

/** Thrown inside the transaction when the signing key's time has come: it is rotated, and the request begins again. */
class KeyIsDue extends Error {
  override readonly name = 'KeyIsDue'
  readonly key: string

  constructor(key: string) {
    super(`key ${key} is due`)
    this.key = key
  }
}

const readAsking = async (tx: Tx, call: TokenCall, signer: Signer): Promise<Asking> => {
  const { provider, client } = await readClient(tx, call)
  const key = await findKey(tx, call, client.key)
  if (key === undefined)
    throw new OAuthError('server_error', `client key "${client.key}" not found`)
  if (!allowsClient(key.allowedClientIds, client.clientId)) {
    throw invalidClient('client is not authorized to use the key')
  }
  if (isDue(key, call.now)) throw new KeyIsDue(key.name)
  const signing = await signer.signingKey(tx, call, key)
  if (signing === undefined) {
    throw new OAuthError('server_error', `client key "${client.key}" has no key to sign with`)
  }
  return { provider, client, key, signing }
}

const unsupportedGrant = (): OAuthError =>
  new OAuthError('unsupported_grant_type', 'unsupported grant_type or parameter is empty value')

/** Throws unless the client may use the grant. */
const checkFlow = (type: string, client: ClientRecord): void => {
  switch (type) {
    case 'refresh_token':
      if (!client.allowRefresh) throw unsupportedGrant()
      return
    case DEVICE_GRANT:
      if (!client.deviceCode) throw unsupportedGrant()
      return
    case 'client_credentials':
      // A public client proves nothing, so what it were granted by itself everybody would be (RFC 6749 4.4).
      if (client.clientCredentials && client.type === 'confidential') return
      break
    default:
      if (client.authorizationCode) return
  }
  throw invalidGrant('client is not authorized to use given credentials flow')
}

const exchange = async (
  call: TokenCall,
  signer: Signer,
  grants: ReadonlyMap<string, Grant>,
): Promise<RawResult> => {
  for (let attempt = 0; attempt < limits.decisionAttempts; attempt++) {
    try {
      // What a grant draws, it draws before the transaction, which may run more than once.
      const grant = grants.get(call.input.grant_type)?.(call)
      const outcome = await call.records.transact(async (tx) => {
        const asking = await readAsking(tx, call, signer)
        if (grant === undefined) throw unsupportedGrant()
        checkFlow(call.input.grant_type, asking.client)
        return grant(tx, asking)
      })
      if (outcome instanceof OAuthError) throw outcome
      return await outcome()
    } catch (error) {
      if (!(error instanceof KeyIsDue)) throw error
      await keyForUse(call, error.key)
    }
  }
  throw new Refusal('unavailable', 'the key changes all the time; try again')
}

/** The token endpoint, for clients (identity.md 5.11). */
export const tokenEndpointRoutes = (deps: OidcDeps, signer: Signer): readonly Route[] => {
  const tools: GrantTools = { answer: clientAnswer, deps, signer }
  const grants: ReadonlyMap<string, Grant> = new Map([
    ['authorization_code', exchangeCode(tools)],
    ['client_credentials', grantToClient(tools)],
    ['refresh_token', exchangeRefreshToken(tools)],
    [DEVICE_GRANT, exchangeDeviceCode(tools)],
  ])
  return [
    route({
      path: 'oidc/provider/:name/token',
      summary: 'Get tokens for a client',
      fields,
      public: true,
      verbs: {
        update: (call) => orOAuthError(() => exchange(call, signer, grants), answerClientError),
      },
    }),
  ]
}
