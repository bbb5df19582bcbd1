import { INLINE_AUTH_FAILED } from '../engine/refusal.ts'
import { decodeBase64Url } from '../std/base64-url.ts'
import { isJsonObject, member } from '../std/json-object.ts'
import { parseJson } from '../std/json.ts'
import type { Json } from '../std/json.ts'
import { firstHeader } from './first-header.ts'
import { isPrintable, isRelative } from './target.ts'
import type { HttpHeaders, InlineAuth } from './request.ts'

const HEADER = 'x-vault-inline-auth-'
const PARAMETER = `${HEADER}parameter-`
const PATH = `${HEADER}path`

/** Headers of a login that came along, but cannot be one: told with status 500, as recorded. */
export class BadInlineAuth extends Error {
  override readonly name = 'BadInlineAuth'

  constructor(text: string) {
    super(INLINE_AUTH_FAILED + text)
  }
}

/** One parameter of the login: unpadded base64url of an object with exactly `key` and `value`. */
const parameterOf = (text: string): readonly [string, Json] => {
  const bytes = decodeBase64Url(text)
  if (!Buffer.isBuffer(bytes)) throw new BadInlineAuth('failed base64 decoding header value')
  let decoded: Json
  try {
    decoded = parseJson(bytes)
  } catch {
    // What it quotes may be a password.
    throw new BadInlineAuth('failed json decoding header value')
  }
  if (!isJsonObject(decoded)) throw new BadInlineAuth('failed json decoding header value')
  const key = member(decoded, 'key')
  const value = member(decoded, 'value')
  if (key === undefined) throw new BadInlineAuth('decoded header lacked `key` field')
  if (value === undefined) throw new BadInlineAuth('decoded header lacked `value` field')
  if (typeof key !== 'string') throw new BadInlineAuth('decoded header has a `key` that is no text')
  if (Object.keys(decoded).length > 2) {
    throw new BadInlineAuth('decoded header has other fields than `key` and `value`')
  }
  return [key, value]
}

const operationOf = (text: string): InlineAuth['operation'] => {
  switch (text.toLowerCase()) {
    case '':
    case 'update':
    case 'create':
      return 'update'
    case 'read':
      return 'read'
    default:
      throw new BadInlineAuth('expected a valid login operation in X-Vault-Inline-Auth-Operation')
  }
}

const NAMESPACES = ['', '/', 'root', 'root/']

/**
 * The login that comes along with a request in `X-Vault-Inline-Auth-…` headers, in place of a token; undefined where there is none
 * (spec/auth.md 1.4). Throws BadInlineAuth.
 */
export const inlineAuthOf = (
  headers: HttpHeaders,
  token: string | undefined,
): InlineAuth | undefined => {
  const path = firstHeader(headers, PATH) ?? ''
  if (path === '') return undefined
  if (token !== undefined) {
    throw new BadInlineAuth('cannot layer inline authentication with token authentication')
  }
  if (!isPrintable(path) || isRelative(path)) {
    throw new BadInlineAuth('expected a login path in X-Vault-Inline-Auth-Path')
  }
  if (!NAMESPACES.includes(firstHeader(headers, `${HEADER}namespace`) ?? '')) {
    throw new BadInlineAuth('inline auth namespace was not found')
  }
  const operation = operationOf(firstHeader(headers, `${HEADER}operation`) ?? '')
  const data = Object.create(null) as Record<string, Json>
  for (const [name, sent] of Object.entries(headers)) {
    if (!name.startsWith(PARAMETER) || sent === undefined) continue
    for (const text of typeof sent === 'string' ? [sent] : sent) {
      const [key, value] = parameterOf(text)
      data[key] = value
    }
  }
  return { path, operation, data }
}
