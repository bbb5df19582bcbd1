import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import type { Member } from '../../../std/json.ts'
import { readClient } from './asking-client.ts'
import { answerClientError, answerClientRefusal, clientAnswer, single } from './client-answer.ts'
import { clientTokenFields, findClientToken } from './client-token.ts'
import type { OidcDeps } from './deps.ts'
import { entityOfGrant } from './grant-entity.ts'
import { allowsClient } from './identity-token.ts'
import { providerIssuer } from './issuer.ts'
import { invalidClient, invalidRequest, orOAuthError } from './oauth-error.ts'
import { sessionEnd } from './offline-session.ts'
import { OPENID } from './scopes.ts'

type IntrospectCall = Call<InputOf<typeof clientTokenFields>>

/** All that is said of tokens that give nothing, whatever the reason (RFC 7662 2.2). */
const INACTIVE: readonly Member[] = [['active', false]]

const seconds = (ms: number): number => Math.floor(ms / 1000)

const describe = async (
  tx: Tx,
  call: IntrospectCall,
  deps: OidcDeps,
): Promise<readonly Member[]> => {
  const { provider, client: asking } = await readClient(tx, call)
  if (asking.type === 'public') throw invalidClient('public clients may not introspect tokens')
  if (call.input.token === '') throw invalidRequest('token parameter is required')
  const text = single('token', call.input.token)
  const token = await findClientToken(tx, call, deps, provider, text)
  if (token === undefined) return INACTIVE
  const { client } = token
  if (!allowsClient(provider.allowedClientIds, client.clientId)) return INACTIVE
  const own = token.kind === 'access' && token.entityId === ''
  const entityId = token.kind === 'refresh' ? token.session.entityId : token.entityId
  const entity = own ? undefined : await entityOfGrant(tx, call, client, entityId)
  if (!own && entity === undefined) return INACTIVE
  const common = (scopes: readonly string[]): readonly Member[] => [
    ['active', true],
    ['iss', providerIssuer(call, deps, provider)],
    ['sub', entity?.id ?? client.clientId],
    ['aud', client.clientId],
    ['client_id', client.clientId],
    ...(entity === undefined ? [] : [['username', entity.name] as const]),
    ...(own ? [] : [['scope', [OPENID, ...scopes].join(' ')] as const]),
  ]
  if (token.kind === 'refresh') {
    // Nobody but its client has to do with a refresh token.
    if (!token.current || client.clientId !== asking.clientId) return INACTIVE
    return [
      ...common(token.session.scopes),
      ['iat', seconds(token.session.usedAt)],
      ['exp', seconds(sessionEnd(token.session, client))],
    ]
  }
  return [
    ...common(token.scopes),
    ['token_type', 'Bearer'],
    ['iat', seconds(token.issuedAt)],
    ['exp', seconds(token.expiresAt)],
    ['jti', token.tokenId],
  ]
}

/** The endpoint at which a resource server asks what a token is worth now (RFC 7662). */
export const tokenIntrospectionRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider/:name/introspect',
    summary: 'Tell a client whether an access or refresh token is good, and whose it is',
    fields: clientTokenFields,
    public: true,
    refusalAs: answerClientRefusal,
    verbs: {
      update: (call) =>
        orOAuthError(
          async () => clientAnswer(await call.records.transact((tx) => describe(tx, call, deps))),
          answerClientError,
        ),
    },
  }),
]
