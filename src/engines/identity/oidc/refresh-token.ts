import type { Names } from '../../../engine/records.ts'
import { idBytes, idText } from '../../../engine/records.ts'
import { decodeBase64Url } from '../../../std/base64-url.ts'

/** A refresh token; its text is for the client alone, and `hash` (hex) is what is kept. */
export interface RefreshToken {
  readonly text: string
  readonly sessionId: string
  readonly hash: string
}

const PREFIX = 'hvo_refresh_'

/** Bytes of the three parts: the offline session's id, a secret, and what proves that it was made here. */
const ID = 16
const SECRET = 32
const TAG = 16

const TEXT_LENGTH = PREFIX.length + Math.ceil(((ID + SECRET + TAG) * 4) / 3)

const tagOf = (names: Names, body: Buffer): Uint8Array =>
  names.hash('oidc-refresh-tag', body.toString('base64url'))

const assemble = (names: Names, sessionId: string, secret: Uint8Array): RefreshToken => {
  const body = Buffer.concat([idBytes(sessionId)!, secret])
  const text = PREFIX + Buffer.concat([body, tagOf(names, body)]).toString('base64url')
  return { text, sessionId, hash: hashOf(names, text) }
}

const hashOf = (names: Names, text: string): string =>
  Buffer.from(names.hash('oidc-refresh', text)).toString('hex')

/** The first token of an offline session. */
export const firstRefreshToken = (
  names: Names,
  sessionId: string,
  randomBytes: (length: number) => Buffer,
): RefreshToken => assemble(names, sessionId, randomBytes(SECRET))

/**
 * The token that follows another: always the same, so that a retry is given it again though its text is not kept. Only the
 * server's own key leads from one to the next.
 */
export const successorOf = (names: Names, token: RefreshToken): RefreshToken =>
  assemble(
    names,
    token.sessionId,
    Buffer.concat([
      names.hash('oidc-refresh-next-1', token.text),
      names.hash('oidc-refresh-next-2', token.text),
    ]),
  )

/**
 * The token of a text, whether or not it is (still) good; undefined for a text that this server never made, so that nobody
 * ends a session by guessing.
 */
export const parseRefreshToken = (names: Names, text: string): RefreshToken | undefined => {
  if (text.length !== TEXT_LENGTH || !text.startsWith(PREFIX)) return undefined
  const encoded = text.slice(PREFIX.length)
  const bytes = decodeBase64Url(encoded)
  if (!Buffer.isBuffer(bytes) || bytes.toString('base64url') !== encoded) return undefined
  const body = bytes.subarray(0, ID + SECRET)
  if (!bytes.subarray(ID + SECRET).equals(tagOf(names, body))) return undefined
  return { text, sessionId: idText(body.subarray(0, ID)), hash: hashOf(names, text) }
}
