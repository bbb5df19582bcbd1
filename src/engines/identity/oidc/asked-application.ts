import type { AuthorizationPort } from '../../../engine/ports/authorization.ts'
import { findClient } from './clients.ts'
import { allowsClient } from './identity-token.ts'
import { findProvider } from './providers.ts'
import { allowsRedirect } from './redirect-uri.ts'

/** Addresses that run or read something in the browser instead of leading away, whoever registered them. */
const UNSAFE = /^(?:javascript|data|vbscript|file|blob|about|filesystem):/i

/** Rows 1 to 7 of identity.md 5.10, before anybody has signed in. */
export const askedApplication: AuthorizationPort['application'] = async (
  reader,
  place,
  { provider: name, clientId, redirectUri },
) => {
  if (clientId === '') return { refused: 'client_id parameter is required' }
  const client = await findClient(reader, place, clientId)
  if (client === undefined) return { refused: 'client with client_id not found' }
  if (!client.authorizationCode) {
    return { refused: 'client not allowed to perform authorization code credential flow' }
  }
  if (redirectUri === '') return { refused: 'redirect_uri parameter is required' }
  if (!allowsRedirect(client.redirectUris, redirectUri) || UNSAFE.test(redirectUri)) {
    return { refused: 'redirect_uri is not allowed for the client' }
  }
  const provider = await findProvider(reader, place, name)
  if (provider === undefined) return { refused: 'provider not found' }
  if (!allowsClient(provider.allowedClientIds, client.clientId)) {
    return { refused: 'client is not authorized to use the provider' }
  }
  return { name: client.name }
}
