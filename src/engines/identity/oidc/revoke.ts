import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import type { Tx } from '../../../engine/records.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { revokeAccessToken } from './access-token.ts'
import { readClient } from './asking-client.ts'
import { answerClientError, answerClientRefusal, clientAnswer, single } from './client-answer.ts'
import type { ClientToken } from './client-token.ts'
import { clientTokenFields, findClientToken } from './client-token.ts'
import type { OidcDeps } from './deps.ts'
import { invalidGrant, invalidRequest, orOAuthError } from './oauth-error.ts'
import { endSession } from './offline-session.ts'

type RevokeCall = Call<InputOf<typeof clientTokenFields>>

const end = (tx: Tx, call: RevokeCall, token: ClientToken): void => {
  if (token.kind === 'refresh') endSession(tx, call, token.session)
  else revokeAccessToken(tx, call, token.tokenId, token.expiresAt)
}

const revoke = async (tx: Tx, call: RevokeCall, deps: OidcDeps): Promise<void> => {
  const asking = await readClient(tx, call)
  const { token: text } = call.input
  if (text === '') throw invalidRequest('token parameter is required')
  const token = await findClientToken(tx, call, deps, asking.provider, single('token', text))
  if (token === undefined) return
  if (token.client.clientId !== asking.client.clientId) {
    throw invalidGrant('token was not issued to the client')
  }
  end(tx, call, token)
}

/** The endpoint at which a client ends a token it has no more use for (RFC 7009). Unknown tokens are ended already: 200. */
export const revokeRoutes = (deps: OidcDeps): readonly Route[] => [
  route({
    path: 'oidc/provider/:name/revoke',
    summary: 'End an access token, or a refresh token with all that came of it',
    fields: clientTokenFields,
    public: true,
    refusalAs: answerClientRefusal,
    verbs: {
      update: (call) =>
        orOAuthError(async () => {
          await call.records.transact((tx) => revoke(tx, call, deps))
          return clientAnswer([])
        }, answerClientError),
    },
  }),
]
