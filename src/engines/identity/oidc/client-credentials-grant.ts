import type { Grant, GrantTools } from './grant.ts'
import { providerIssuer } from './issuer.ts'
import { readScope, scopeTemplates } from './requested-scopes.ts'

/** Gives a confidential client a token of its own (identity.md 5.11): it stands for nobody, and userinfo does not take it. */
export const grantToClient =
  ({ answer, deps, signer }: GrantTools): Grant =>
  (call) => {
    const tokenId = call.newId()
    return async (tx, { client, provider, signing }) => {
      const granted = readScope(call.input.scope)
      const scopes = await scopeTemplates(tx, call, provider, granted)
      const claims = scopes.claims({ now: call.now })
      const issuedAt = Math.floor(call.now / 1000)
      return async () =>
        answer([
          [
            'access_token',
            await signer.sign(signing, {
              ...claims,
              iss: providerIssuer(call, deps, provider),
              namespace: call.namespace.id,
              sub: client.clientId,
              aud: client.clientId,
              iat: issuedAt,
              exp: issuedAt + client.idTokenTtl,
              jti: tokenId,
            }),
          ],
          ['expires_in', client.idTokenTtl],
          ['token_type', 'Bearer'],
        ])
    }
  }
