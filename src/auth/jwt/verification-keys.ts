import type { KeyObject } from 'node:crypto'
import { createPublicKey, X509Certificate } from 'node:crypto'
import type { Json, JsonObject } from '../../std/json.ts'
import { JsonSyntaxError, parseJson } from '../../std/json.ts'
import { algorithmOf, isUsableKey } from './algorithms.ts'
import type { CompactJws } from '../../std/compact-jws.ts'
import { isJsonObject, member } from '../../std/json-object.ts'

/** A public key that signatures are checked with. */
export interface VerificationKey {
  readonly key: KeyObject
  /** The key's id in its set; undefined for configured keys. */
  readonly kid?: string
  /** The only algorithm it may be used with; undefined = any that fits its type. */
  readonly alg?: string
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g

const pemKey = (label: string, pem: string): KeyObject | undefined => {
  try {
    switch (label) {
      case 'PUBLIC KEY':
      case 'RSA PUBLIC KEY':
        return createPublicKey(pem)
      case 'CERTIFICATE':
        return new X509Certificate(pem).publicKey
      default:
        // Node would take the public half of a private key: such a thing must not be kept here.
        return undefined
    }
  } catch {
    // Unreadable is the same as absent: the caller says that there is no valid key.
    return undefined
  }
}

/** The public keys in a PEM text (public keys and certificates); empty when there are none that a token can be signed with. */
export const keysOfPem = (text: string): readonly VerificationKey[] =>
  [...text.matchAll(PEM)].flatMap(([pem, label = '']) => {
    const key = pemKey(label, pem)
    return key === undefined || !isUsableKey(key) ? [] : [{ key }]
  })

/** Public members by key type: whatever else a key in a set says about itself is not looked at. */
const PUBLIC_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['kty', 'n', 'e']],
  ['EC', ['kty', 'crv', 'x', 'y']],
  ['OKP', ['kty', 'crv', 'x']],
])

const text = (object: JsonObject, name: string): string | undefined => {
  const value = member(object, name)
  return typeof value === 'string' ? value : undefined
}

const keyOfJwk = (jwk: Json): VerificationKey | undefined => {
  if (!isJsonObject(jwk)) return undefined
  const members = PUBLIC_MEMBERS.get(text(jwk, 'kty') ?? '')
  const use = text(jwk, 'use')
  if (members === undefined || (use !== undefined && use !== '' && use !== 'sig')) return undefined
  let key: KeyObject
  try {
    key = createPublicKey({
      key: Object.fromEntries(members.map((name) => [name, text(jwk, name) ?? ''])),
      format: 'jwk',
    })
  } catch {
    // A key of a kind that is not known here does not spoil the others of its set.
    return undefined
  }
  if (!isUsableKey(key)) return undefined
  const kid = text(jwk, 'kid')
  const alg = text(jwk, 'alg')
  return {
    key,
    ...(kid === undefined || kid === '' ? {} : { kid }),
    ...(alg === undefined || alg === '' ? {} : { alg }),
  }
}

/** The usable keys of a JSON Web Key Set; undefined when the text is none. */
export const keysOfJwks = (body: string): readonly VerificationKey[] | undefined => {
  let set: Json
  try {
    set = parseJson(body)
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined
    throw error
  }
  const keys = isJsonObject(set) ? member(set, 'keys') : undefined
  if (!Array.isArray(keys)) return undefined
  return keys.flatMap((jwk: Json) => {
    const key = keyOfJwk(jwk)
    return key === undefined ? [] : [key]
  })
}

/** Whether one of the keys made the token's signature; keys with another id than the token names are not tried. */
export const isSignedByOne = (jws: CompactJws, keys: readonly VerificationKey[]): boolean => {
  const algorithm = algorithmOf(jws.alg)
  if (algorithm === undefined || jws.critical) return false
  return keys.some(
    ({ key, kid, alg }) =>
      (jws.kid === undefined || kid === undefined || kid === jws.kid) &&
      (alg === undefined || alg === jws.alg) &&
      algorithm.fits(key) &&
      algorithm.verify(key, jws.signed, jws.signature),
  )
}
