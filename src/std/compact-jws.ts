import { decodeBase64Url } from './base64-url.ts'
import type { Json, JsonObject } from './json.ts'
import { JsonSyntaxError, parseJson } from './json.ts'
import { isJsonObject, member } from './json-object.ts'

/** A text that is no signed token; the message says why in the words of the reference's library (settled.md 3). */
export class MalformedToken extends Error {
  override readonly name = 'MalformedToken'
}

/** The asymmetric algorithms (RFC 7518 3.1, RFC 8037) that tokens can be signed with, in the order in which the reference names them. */
export const signatureAlgorithms: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
]

/** A signed token taken apart; nothing of it is trusted yet. */
export interface CompactJws {
  /** The header's `alg`, '' when it has none. */
  readonly alg: string
  /** The header's `kid`; undefined when it has none. */
  readonly kid: string | undefined
  /** The header demands extensions (`crit`): such a token is never accepted, as none is understood here. */
  readonly critical: boolean
  readonly signed: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** Decodes base64url without padding, and only the one form in which these bytes are written. Throws MalformedToken. */
const decodePart = (text: string): Uint8Array => {
  const bytes = decodeBase64Url(text)
  const fault = (at: number): MalformedToken =>
    new MalformedToken(`illegal base64 data at input byte ${at}`)
  if (!Buffer.isBuffer(bytes)) throw fault(bytes.faultAt)
  if (bytes.toString('base64url') !== text) throw fault(text.length - 1)
  return bytes
}

/** The object of a token's JSON; undefined when it is another value. Throws MalformedToken for what is no JSON. */
export const tokenObject = (bytes: Uint8Array): JsonObject | undefined => {
  let value: Json
  try {
    value = parseJson(bytes)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new MalformedToken(error.message)
    throw error
  }
  return isJsonObject(value) ? value : undefined
}

/** Takes a token in compact form apart; white space around it is left out. Throws MalformedToken, also past `bytesMost`. */
export const parseCompactJws = (token: string, bytesMost: number): CompactJws => {
  const text = token.trim()
  if (text.length > bytesMost) throw new MalformedToken('the token is too long')
  const parts = text.split('.', 4)
  if (parts.length !== 3) {
    throw new MalformedToken('go-jose/go-jose: compact JWS format must have three parts')
  }
  const [protectedText, payloadText, signatureText] = parts as [string, string, string]
  const protectedBytes = decodePart(protectedText)
  const payload = decodePart(payloadText)
  const signature = decodePart(signatureText)
  const header = tokenObject(protectedBytes)
  if (header === undefined) throw new MalformedToken('go-jose/go-jose: invalid protected header')
  const alg = member(header, 'alg')
  const kid = member(header, 'kid')
  return {
    alg: typeof alg === 'string' ? alg : '',
    kid: typeof kid === 'string' && kid !== '' ? kid : undefined,
    critical: Object.hasOwn(header, 'crit'),
    signed: Buffer.from(`${protectedText}.${payloadText}`, 'latin1'),
    payload,
    signature,
  }
}
