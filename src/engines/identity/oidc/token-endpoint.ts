import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import { Refusal } from '../../../engine/refusal.ts'
import type { RawResult } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { authenticateClient, readCredentials } from './client-authentication.ts'
import { findClient } from './clients.ts'
import { exchangeCode } from './code-grant.ts'
import { grantToClient } from './client-credentials-grant.ts'
import type { OidcDeps } from './deps.ts'
import type { Asking, Grant, GrantTools } from './grant.ts'
import { allowsClient } from './identity-token.ts'
import { isDue } from './key-ring.ts'
import { findKey, keyForUse } from './keys.ts'
import {
  OAuthError,
  invalidClient,
  invalidGrant,
  invalidRequest,
  jsonAnswer,
  orOAuthError,
} from './oauth-error.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord } from './records.ts'
import type { Signer } from './signer.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the provider' }),
  grant_type: field.string({
    default: '',
    description: 'authorization_code or client_credentials',
  }),
  client_id: field.string({ default: '', description: 'The client, unless Basic names it' }),
  client_secret: field.string({ default: '', description: 'Its secret, unless Basic gives it' }),
  code: field.string({ default: '', description: 'The authorization code' }),
  redirect_uri: field.string({ default: '', description: 'As in the authorization request' }),
  code_verifier: field.string({ description: 'PKCE verifier' }),
  scope: field.string({ default: '', description: 'Scopes of client_credentials' }),
}

type TokenCall = Call<InputOf<typeof fields>>

/** Every answer of the endpoint (RFC 6749 5.1). */
const NEVER_KEPT = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

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
  const { input } = call
  const provider = await findProvider(tx, call, input.name)
  if (provider === undefined) throw invalidRequest('provider not found')
  const credentials = readCredentials(call.headers, {
    clientId: input.client_id,
    clientSecret: input.client_secret,
  })
  if (credentials.clientId === '') throw invalidRequest('client_id parameter is required')
  const client = authenticateClient(await findClient(tx, call, credentials.clientId), credentials)
  if (!allowsClient(provider.allowedClientIds, client.clientId)) {
    throw invalidClient('client is not authorized to use the provider')
  }
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
  const allowed =
    type === 'authorization_code'
      ? client.authorizationCode
      : // A public client proves nothing, so what it were granted by itself everybody would be (RFC 6749 4.4).
        client.clientCredentials && client.type === 'confidential'
  if (!allowed) throw invalidGrant('client is not authorized to use given credentials flow')
}

const answerError = (error: OAuthError): RawResult =>
  jsonAnswer(error.status, error.members, {
    ...NEVER_KEPT,
    ...(error.code === 'invalid_client' ? { 'WWW-Authenticate': 'Basic' } : {}),
  })

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

const answer: GrantTools['answer'] = (members) => jsonAnswer(200, members, NEVER_KEPT)

/** The token endpoint, for clients (identity.md 5.11). */
export const tokenEndpointRoutes = (deps: OidcDeps, signer: Signer): readonly Route[] => {
  const tools: GrantTools = { answer, deps, signer }
  const grants: ReadonlyMap<string, Grant> = new Map([
    ['authorization_code', exchangeCode(tools)],
    ['client_credentials', grantToClient(tools)],
  ])
  return [
    route({
      path: 'oidc/provider/:name/token',
      summary: 'Get tokens for a client',
      fields,
      public: true,
      verbs: {
        update: (call) => orOAuthError(() => exchange(call, signer, grants), answerError),
      },
    }),
  ]
}
