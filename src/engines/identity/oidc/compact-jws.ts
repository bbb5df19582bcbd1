import { limits } from '../../../limits.ts'
import { decodeBase64Url } from '../../../std/base64-url.ts'
import type { Json, JsonObject } from '../../../std/json.ts'
import { JsonNumber, JsonSyntaxError, parseJson, stringifyJson } from '../../../std/json.ts'

/** A text that is no signed token; the message is what introspection says, in the words of the reference's library (settled.md 3). */
export class MalformedToken extends Error {
  override readonly name = 'MalformedToken'
}

/** A signed token taken apart; nothing of it is trusted yet. */
export interface CompactJws {
  readonly alg: string
  readonly kid: string
  /** Demands extensions (`crit`), none of which is understood here. */
  readonly critical: boolean
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly payload: Uint8Array
}

/** What the library takes; PS* are parsed, and then no key fits. */
const TAKEN = [
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

/** Bytes of base64url without padding, in the one form in which they are written. Throws MalformedToken. */
const decodePart = (text: string): Uint8Array => {
  const bytes = decodeBase64Url(text)
  const fault = (at: number): MalformedToken =>
    new MalformedToken(`illegal base64 data at input byte ${at}`)
  if (!Buffer.isBuffer(bytes)) throw fault(bytes.faultAt)
  if (bytes.toString('base64url') !== text) throw fault(text.length - 1)
  return bytes
}

/** The object of a JSON text; undefined when it is another value. Throws MalformedToken. */
export const jsonObject = (bytes: Uint8Array): JsonObject | undefined => {
  let value: Json
  try {
    value = parseJson(bytes)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new MalformedToken(error.message)
    throw error
  }
  const isObject =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonNumber)
  return isObject ? (value as JsonObject) : undefined
}

/** A member of an object, never of its prototype. */
export const member = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

const textMember = (object: JsonObject, name: string): string => {
  const value = member(object, name)
  return typeof value === 'string' ? value : ''
}

/** Takes a token in compact form apart. Throws MalformedToken, also for `none`, for HMACs and for what is too long. */
export const parseCompactJws = (token: string): CompactJws => {
  const text = token.trim()
  if (text.length > limits.jwtBytes) throw new MalformedToken('the token is too long')
  const parts = text.split('.', 4)
  if (parts.length !== 3) {
    throw new MalformedToken('go-jose/go-jose: compact JWS format must have three parts')
  }
  const [protectedText, payloadText, signatureText] = parts as [string, string, string]
  const header = jsonObject(decodePart(protectedText))
  const payload = decodePart(payloadText)
  const signature = decodePart(signatureText)
  if (header === undefined) throw new MalformedToken('go-jose/go-jose: invalid protected header')
  const alg = textMember(header, 'alg')
  if (!TAKEN.includes(alg)) {
    const names = TAKEN.map((name) => `"${name}"`).join(' ')
    throw new MalformedToken(
      `unexpected signature algorithm ${stringifyJson(alg)}; expected [${names}]`,
    )
  }
  return {
    alg,
    kid: textMember(header, 'kid'),
    critical: Object.hasOwn(header, 'crit'),
    signed: Buffer.from(`${protectedText}.${payloadText}`),
    signature,
    payload,
  }
}
