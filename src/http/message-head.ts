import type { HttpHeaders } from './request.ts'

/** A message that is not HTTP/1.1 as Signet speaks it: answered with this status, then the connection closes. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
  readonly status: 400 | 413 | 431 | 501 | 505

  constructor(status: BadMessage['status'], reason: string) {
    super(reason)
    this.status = status
  }
}

/** How long a message is: a fixed number of bytes, or chunks. */
export type Framing =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }

/** A request line and its headers. */
export interface MessageHead {
  readonly method: string
  readonly target: string
  readonly headers: HttpHeaders
  readonly framing: Framing
  /** Whether the client wants (and may have) further answers on this connection. */
  readonly keepAlive: boolean
  /** Whether the client understands an answer in chunks (HTTP/1.1). */
  readonly takesChunks: boolean
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
}

/** The target is a path, a URL (to proxies) or `*`; anything but blanks and control characters may be in it. */
const REQUEST_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ((?:[Hh][Tt][Tt][Pp][Ss]?:\/\/[0-9A-Za-z.:[\]_-]+)?\/[\x21-\x7e\x80-\xff]*|\*) HTTP\/(\d)\.(\d)$/
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Control characters, and line ends that are not CRLF (two readers may disagree on where a header ends). */
const UNSAFE = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/

const NONE: Framing = { kind: 'length', bytes: 0 }
const CHUNKED: Framing = { kind: 'chunked' }

const isKnownVersion = (match: RegExpExecArray): boolean =>
  match[3] === '1' && (match[4] === '1' || match[4] === '0')

/** Checks a request line alone, so that what is not HTTP is refused before its headers end. Throws BadMessage. */
export const checkRequestLine = (line: string): void => {
  const match = REQUEST_LINE.exec(line)
  if (!match) throw new BadMessage(400, 'malformed request line')
  if (!isKnownVersion(match)) throw new BadMessage(505, 'HTTP version not supported')
}

/**
 * Parses a head: the text from the request line to the last header, one character a byte, without the empty line.
 * Strict where readers differ (RFC 9112): whatever could be framed in two ways is refused. Throws BadMessage.
 */
export const parseHead = (text: string): MessageHead => {
  if (UNSAFE.test(text)) throw new BadMessage(400, 'control character in a header')
  const lines = text.split('\r\n')
  const match = REQUEST_LINE.exec(lines[0] as string)
  if (!match) throw new BadMessage(400, 'malformed request line')
  if (!isKnownVersion(match)) throw new BadMessage(505, 'HTTP version not supported')
  const atLeast11 = match[4] !== '0'

  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string>
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    if (!HEADER_NAME.test(name)) throw new BadMessage(400, 'malformed header')
    const key = name.toLowerCase()
    const value = trimBlanks(line.slice(colon + 1))
    // Readers differ on tabs around these two, which say where the message ends.
    if ((key === 'transfer-encoding' || key === 'content-length') && line.includes('\t'))
      throw new BadMessage(400, 'ambiguous message length')
    const before = headers[key]
    if (before === undefined) headers[key] = value
    else if (typeof before === 'string') headers[key] = [before, value]
    else before.push(value)
  }

  const host = headers['host']
  if (Array.isArray(host) || (host === undefined && atLeast11))
    throw new BadMessage(400, 'one Host header is required')
  const connection = tokens(headers['connection'])
  return {
    method: match[1] as string,
    target: match[2] as string,
    headers,
    framing: framingOf(headers, atLeast11),
    keepAlive: atLeast11 ? !connection.includes('close') : connection.includes('keep-alive'),
    takesChunks: atLeast11,
    expectsContinue: atLeast11 && tokens(headers['expect']).includes('100-continue'),
  }
}

/** Checks one line after the last chunk; nothing reads it, and it may not change how the message ends. Throws BadMessage. */
export const checkTrailer = (line: string): void => {
  const name = line.slice(0, Math.max(line.indexOf(':'), 0))
  if (UNSAFE.test(line) || !HEADER_NAME.test(name)) throw new BadMessage(400, 'malformed trailer')
  if (/^(?:transfer-encoding|content-length|host)$/i.test(name))
    throw new BadMessage(400, 'a trailer that cannot be one')
}

/** Removes blanks and tabs around a header's value (not what String.trim takes besides). */
const trimBlanks = (value: string): string => {
  let from = 0
  let to = value.length
  while (from < to && isBlank(value.charCodeAt(from))) from++
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--
  return value.slice(from, to)
}

const isBlank = (unit: number): boolean => unit === 0x20 || unit === 0x09

const NO_TOKENS: readonly string[] = []

const tokens = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined
    ? NO_TOKENS
    : String(value)
        .toLowerCase()
        .split(',')
        .map((token) => token.trim())

const framingOf = (headers: HttpHeaders, atLeast11: boolean): Framing => {
  const encoding = headers['transfer-encoding']
  const length = headers['content-length']
  if (encoding !== undefined) {
    // Both, or chunks in HTTP/1.0, is how requests are smuggled past a proxy.
    if (length !== undefined || !atLeast11) throw new BadMessage(400, 'ambiguous message length')
    if (typeof encoding !== 'string' || encoding.toLowerCase() !== 'chunked')
      throw new BadMessage(501, 'unsupported transfer encoding')
    return CHUNKED
  }
  if (length === undefined) return NONE
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length))
    throw new BadMessage(400, 'malformed Content-Length')
  return { kind: 'length', bytes: Number(length) }
}
