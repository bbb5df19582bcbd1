import type { JsonObject } from '../../std/json.ts'
import { JsonNumber, JsonSyntaxError, parseJson } from '../../std/json.ts'
import type { Json } from '../../std/json.ts'
import { limits } from '../../limits.ts'
import { libraryTexts } from './library-texts.ts'

/** A text that is no signed token; the message is what a login answers. */
export class MalformedToken extends Error {
  override readonly name = 'MalformedToken'
}

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

const ALPHABET = /^[A-Za-z0-9_-]$/

/** Decodes base64url without padding, and only the one form in which these bytes are written. Throws MalformedToken. */
const decodePart = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') === text) return bytes
  let at = 0
  for (const char of text) {
    if (!ALPHABET.test(char)) throw new MalformedToken(libraryTexts.badBase64(at))
    at += 1
  }
  throw new MalformedToken(libraryTexts.badBase64(Math.max(0, at - 1)))
}

const parseHeader = (bytes: Uint8Array): JsonObject => {
  let header: Json
  try {
    header = parseJson(bytes)
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new MalformedToken(error.message)
    throw error
  }
  if (!isJsonObject(header)) throw new MalformedToken(libraryTexts.headerNotObject)
  return header
}

/** Whether a JSON value is an object. */
export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof JsonNumber)

/** A member of an object, never of its prototype; undefined when absent. */
export const member = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** Takes a token in compact form apart; white space around it is left out. Throws MalformedToken, also past `jwtBytes`. */
export const parseCompactJws = (token: string): CompactJws => {
  const text = token.trim()
  if (text.length > limits.jwtBytes) throw new MalformedToken('the token is too long')
  const parts = text.split('.', 4)
  const [protectedText, payloadText, signatureText] = parts
  if (
    parts.length !== 3 ||
    protectedText === undefined ||
    payloadText === undefined ||
    signatureText === undefined
  ) {
    throw new MalformedToken(libraryTexts.notThreeParts)
  }
  const protectedBytes = decodePart(protectedText)
  const payload = decodePart(payloadText)
  const signature = decodePart(signatureText)
  const header = parseHeader(protectedBytes)
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
