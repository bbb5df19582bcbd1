import { randomBytes } from 'node:crypto'
import type { HttpHeaders } from '../http/request.ts'

/** What cookies are for: `session` is a person who signed in, `browser` binds forms to the browser that got them. */
export type CookieName = 'session' | 'browser'

/** `__Host-` keeps other hosts of the domain and plain HTTP from setting it; it needs `Secure`. */
const nameOf = (name: CookieName, secure: boolean): string =>
  secure ? `__Host-signet-${name}` : `signet-${name}`

/** 32 random bytes: what is never guessed. */
const TEXT = /^[A-Za-z0-9_-]{43}$/

/** A new text for a cookie. */
export const drawCookie = (): string => randomBytes(32).toString('base64url')

/** The text of a cookie; undefined when there is none, or none of ours. */
export const readCookie = (
  headers: HttpHeaders,
  name: CookieName,
  secure: boolean,
): string | undefined => {
  const sent = headers['cookie'] ?? ''
  const wanted = `${nameOf(name, secure)}=`
  const pairs = (typeof sent === 'string' ? [sent] : sent).flatMap((line) => line.split(';'))
  const found = pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(wanted))
  const text = found?.slice(wanted.length)
  return text !== undefined && TEXT.test(text) ? text : undefined
}

/** A `Set-Cookie` that lasts until the browser is closed; with '' it takes the cookie away. */
export const setCookie = (name: CookieName, text: string, secure: boolean): string =>
  [
    `${nameOf(name, secure)}=${text}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(secure ? ['Secure'] : []),
    ...(text === '' ? ['Max-Age=0'] : []),
  ].join('; ')

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d*)?$/i

const firstOf = (value: string | readonly string[] | undefined): string =>
  (typeof value === 'string' ? value : value?.[0]) ?? ''

/**
 * Whether cookies are marked `Secure`: always, but for a browser that asks this very machine over plain HTTP. A proxy in front
 * that speaks TLS and calls us by a loopback name says so with `X-Forwarded-Proto`; lying about it only makes this stricter.
 */
export const isSecure = (headers: HttpHeaders, tls: boolean): boolean =>
  tls ||
  !LOOPBACK.test(firstOf(headers['host'])) ||
  /^\s*https\b/i.test(firstOf(headers['x-forwarded-proto']))
