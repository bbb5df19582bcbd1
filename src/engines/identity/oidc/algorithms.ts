import type { KeyObject } from 'node:crypto'
import { createHash, sign, verify } from 'node:crypto'

/** The signing algorithms of identity tokens, in the order in which discovery lists them. */
export const ALGORITHM_NAMES = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export type AlgorithmName = (typeof ALGORITHM_NAMES)[number]

/** What a key pair of an algorithm is: RSA of 2048 bits, an elliptic curve by OpenSSL's name, or Ed25519. */
export type PairKind =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: string }
  | { readonly type: 'ed25519' }

/** One signing algorithm (RFC 7518, RFC 8037). */
export interface Algorithm {
  readonly pair: PairKind
  /** The hash of signatures, and of `at_hash` and `c_hash`. */
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  /** Signs off the event loop where signing takes long (RSA: 0.25 ms). */
  sign(key: KeyObject, data: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** False for a signature of any wrong form. */
  verify(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean
}

const rsa = (hash: Algorithm['hash']): Algorithm => ({
  pair: { type: 'rsa', bits: 2048 },
  hash,
  sign: (key, data) =>
    new Promise((resolve, reject) => {
      sign(hash, data, key, (error, signature) =>
        error === null ? resolve(signature) : reject(error),
      )
    }),
  verify: (key, data, signature) => verify(hash, data, key, signature),
})

const ecdsa = (hash: Algorithm['hash'], curve: string, bytes: number): Algorithm => ({
  pair: { type: 'ec', curve },
  hash,
  sign: (key, data) => sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }),
  verify: (key, data, signature) =>
    signature.length === bytes && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature),
})

const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  RS256: rsa('sha256'),
  RS384: rsa('sha384'),
  RS512: rsa('sha512'),
  ES256: ecdsa('sha256', 'prime256v1', 64),
  ES384: ecdsa('sha384', 'secp384r1', 96),
  ES512: ecdsa('sha512', 'secp521r1', 132),
  EdDSA: {
    pair: { type: 'ed25519' },
    hash: 'sha512',
    sign: (key, data) => sign(null, data, key),
    verify: (key, data, signature) => verify(null, data, key, signature),
  },
}

/** Whether a text names a signing algorithm, spelled exactly. */
export const isAlgorithm = (name: string): name is AlgorithmName => Object.hasOwn(ALGORITHMS, name)

/** The algorithm of a name. */
export const algorithmOf = (name: AlgorithmName): Algorithm => ALGORITHMS[name]

/** `at_hash` or `c_hash` of a text (OpenID Connect Core 3.1.3.6): the left half of its hash, base64url. */
export const halfHash = (name: AlgorithmName, text: string): string => {
  const digest = createHash(algorithmOf(name).hash).update(text).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
