import type { Call } from '../../../engine/call.ts'
import type { Reader } from '../../../engine/records.ts'
import { authenticateClient, readCredentials } from './client-authentication.ts'
import { findClient } from './clients.ts'
import { allowsClient } from './identity-token.ts'
import { invalidClient, invalidRequest } from './oauth-error.ts'
import { findProvider } from './providers.ts'
import type { ClientRecord, ProviderRecord } from './records.ts'

/** A request of a client to a provider. */
export type ClientCall = Call<{
  readonly name: string
  readonly client_id: string
  readonly client_secret: string
}>

/** Who asks whom: as the request's one transaction saw it. */
export interface AskingClient {
  readonly provider: ProviderRecord
  readonly client: ClientRecord
}

/** The client that a request proves to come from; public clients only say it. Throws the OAuthErrors of identity.md 5.11. */
export const readClient = async (reader: Reader, call: ClientCall): Promise<AskingClient> => {
  const { input } = call
  const provider = await findProvider(reader, call, input.name)
  if (provider === undefined) throw invalidRequest('provider not found')
  const credentials = readCredentials(call.headers, {
    clientId: input.client_id,
    clientSecret: input.client_secret,
  })
  if (credentials.clientId === '') throw invalidRequest('client_id parameter is required')
  const found = await findClient(reader, call, credentials.clientId)
  const client = authenticateClient(found, credentials)
  if (!allowsClient(provider.allowedClientIds, client.clientId)) {
    throw invalidClient('client is not authorized to use the provider')
  }
  return { provider, client }
}
