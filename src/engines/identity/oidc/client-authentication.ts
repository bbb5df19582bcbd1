import type { Call } from '../../../engine/call.ts'
import { sameText } from './same-text.ts'
import { invalidClient } from './oauth-error.ts'
import type { ClientRecord } from './records.ts'

/** What a client says it is. */
export interface Credentials {
  /** '' when it says nothing. */
  readonly clientId: string
  /** The secret in each form in which it may be meant; empty when none was sent. */
  readonly secrets: readonly string[]
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i

/** RFC 6749 2.3.1: both halves are form-encoded. Undefined for a text that is not. */
const formDecoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

const basicOf = (header: string): Credentials | undefined => {
  const encoded = BASIC.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  const secret = text.slice(colon + 1)
  const decoded = formDecoded(secret)
  return {
    clientId: text.slice(0, colon),
    secrets: decoded === undefined || decoded === secret ? [secret] : [secret, decoded],
  }
}

/**
 * The client's credentials: of an Authorization header `Basic`, else of the body. Two headers, or a body that names another
 * client than the header, are refused.
 */
export const readCredentials = (
  headers: Call['headers'],
  body: { readonly clientId: string; readonly clientSecret: string },
): Credentials => {
  const header = headers['authorization']
  if (typeof header === 'object') throw invalidClient('client failed to authenticate')
  const basic = header === undefined ? undefined : basicOf(header)
  if (basic === undefined) {
    return {
      clientId: body.clientId,
      secrets: body.clientSecret === '' ? [] : [body.clientSecret],
    }
  }
  if (body.clientId !== '' && body.clientId !== basic.clientId) {
    throw invalidClient('client failed to authenticate')
  }
  return basic
}

/** Throws unless a client is who it says; public clients have nothing to prove it with. */
export const authenticateClient = (
  client: ClientRecord | undefined,
  { secrets }: Credentials,
): ClientRecord => {
  const expected = client?.clientSecret ?? ''
  // Compared also for unknown clients.
  const same = (secrets.length === 0 ? [''] : secrets).some((secret) => sameText(secret, expected))
  if (client === undefined) throw invalidClient('client failed to authenticate')
  if (client.type === 'public') return client
  if (!same || expected === '') throw invalidClient('client failed to authenticate')
  return client
}
