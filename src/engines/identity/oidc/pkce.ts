import { createHash } from 'node:crypto'
import { sameText } from './same-text.ts'
import { invalidGrant, invalidRequest } from './oauth-error.ts'
import type { ClientRecord, CodeRecord } from './records.ts'

type Challenge = NonNullable<CodeRecord['challenge']>

/** Characters of a challenge or verifier (RFC 7636 4.1). */
const LENGTH_LEAST = 43
const LENGTH_MOST = 128

/** The challenge of an authorization request; undefined when none was sent. Throws the recorded OAuthErrors. */
export const readChallenge = (
  client: Pick<ClientRecord, 'type'>,
  sent: { readonly challenge: string | undefined; readonly method: string },
): Challenge | undefined => {
  const { challenge, method } = sent
  if (challenge === undefined) {
    if (client.type === 'public') throw invalidRequest('PKCE is required for public clients')
    return undefined
  }
  const chosen = method === '' ? 'plain' : method
  if (chosen !== 'plain' && chosen !== 'S256') {
    throw invalidRequest('invalid code_challenge_method')
  }
  if (challenge.length < LENGTH_LEAST || challenge.length > LENGTH_MOST) {
    throw invalidRequest('invalid code_challenge')
  }
  return { method: chosen, value: challenge }
}

/**
 * Checks a verifier against the challenge its code was asked for with. A code without a challenge takes no verifier, and one
 * with a challenge is worth nothing without: neither side can leave PKCE out. Throws the recorded OAuthErrors.
 */
export const checkVerifier = (
  client: Pick<ClientRecord, 'type'>,
  challenge: Challenge | undefined,
  verifier: string | undefined,
): void => {
  if (challenge === undefined) {
    if (client.type === 'public') throw invalidRequest('PKCE is required for public clients')
    if (verifier !== undefined) {
      throw invalidRequest('unexpected code_verifier for token exchange')
    }
    return
  }
  if (verifier === undefined || verifier === '') {
    throw invalidRequest('expected code_verifier for token exchange')
  }
  const derived =
    challenge.method === 'plain'
      ? verifier
      : createHash('sha256').update(verifier).digest('base64url')
  if (!sameText(derived, challenge.value)) {
    throw invalidGrant('invalid code_verifier for token exchange')
  }
}
