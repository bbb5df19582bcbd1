/**
 * Texts that the reference takes from its libraries (settled.md 3): the JOSE parser, the token validator, the remote key
 * set. They are data of the protocol, in this one place.
 */
export const libraryTexts = {
  noStaticKeyFits: 'no known key successfully validated the token signature',
  noFetchedKeyFits: 'failed to verify id token signature',
  fetchingKeys: (reason: string): string => `fetching keys oidc: get keys failed: ${reason}`,
  discovery: (reason: string): string => `error creating provider: ${reason}`,
  algorithm: 'invalid algorithm (alg) header parameter: token signed with unexpected algorithm',
  issuer: 'invalid issuer (iss) claim',
  subject: 'invalid subject (sub) claim',
  audience: 'invalid audience (aud) claim: audience claim does not match any expected audience',
  noTimes: 'no issued at (iat), not before (nbf), or expiration time (exp) claims in token',
  notYetValid: 'invalid not before (nbf) claim: token not yet valid',
  expired: 'invalid expiration time (exp) claim: token is expired',
  issuedInFuture: 'invalid issued at (iat) claim: token issued in the future',
  notNumericDate: 'go-jose/go-jose/jwt: expected number value to unmarshal NumericDate',
  notAudience: 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience',
  notString: (goType: string, claim: string): string =>
    `json: cannot unmarshal ${goType} into Go struct field Claims.${claim} of type string`,
} as const
