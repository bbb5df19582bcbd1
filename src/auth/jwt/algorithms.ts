import type { KeyObject } from 'node:crypto'
import { constants, verify } from 'node:crypto'

/** One signature algorithm: which keys it takes and how it checks. */
export interface Algorithm {
  /** Whether this key is of the type, and for ECDSA on the curve, that the algorithm names (RFC 7518, 8037). */
  fits(key: KeyObject): boolean
  /** Whether `signature` is this key's over `data`; false for a signature of any wrong form. */
  verify(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean
}

const rsa = (bits: number, padding: number, saltLength?: number): Algorithm => ({
  fits: (key) => key.asymmetricKeyType === 'rsa',
  verify: (key, data, signature) =>
    verify(
      `sha${bits}`,
      data,
      { key, padding, ...(saltLength === undefined ? {} : { saltLength }) },
      signature,
    ),
})

const pkcs1 = (bits: number): Algorithm => rsa(bits, constants.RSA_PKCS1_PADDING)
const pss = (bits: number): Algorithm =>
  rsa(bits, constants.RSA_PKCS1_PSS_PADDING, constants.RSA_PSS_SALTLEN_DIGEST)

const ecdsa = (bits: number, curve: string, signatureBytes: number): Algorithm => ({
  fits: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve,
  verify: (key, data, signature) =>
    signature.length === signatureBytes &&
    verify(`sha${bits}`, data, { key, dsaEncoding: 'ieee-p1363' }, signature),
})

const ed25519: Algorithm = {
  fits: (key) => key.asymmetricKeyType === 'ed25519',
  verify: (key, data, signature) => verify(null, data, key, signature),
}

/**
 * Every algorithm a token can be signed with. `none` and the HMACs are no members, so a public key can never be taken for a
 * shared secret.
 */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['RS256', pkcs1(256)],
  ['RS384', pkcs1(384)],
  ['RS512', pkcs1(512)],
  ['PS256', pss(256)],
  ['PS384', pss(384)],
  ['PS512', pss(512)],
  ['ES256', ecdsa(256, 'prime256v1', 64)],
  ['ES384', ecdsa(384, 'secp384r1', 96)],
  ['ES512', ecdsa(512, 'secp521r1', 132)],
  ['EdDSA', ed25519],
])

/** The algorithm of a header's `alg`; undefined for what is never accepted. */
export const algorithmOf = (name: string): Algorithm | undefined => ALGORITHMS.get(name)

/** Whether any algorithm takes this key: others can be refused when they are configured. */
export const isUsableKey = (key: KeyObject): boolean =>
  ALGORITHMS.values().some((algorithm) => algorithm.fits(key)) && isStrongEnough(key)

/** Below 1024 bits Go's own RSA refuses to verify; above 16384 a check costs the server too much. */
const isStrongEnough = (key: KeyObject): boolean => {
  const bits = key.asymmetricKeyDetails?.modulusLength
  return bits === undefined || (bits >= 1024 && bits <= 16_384)
}
