import { Buffer, isUtf8 } from 'node:buffer'

/** A request target cut up (spec/auth.md 1.1). */
export interface Target {
  /** The path as it was sent, one character a byte. */
  readonly escaped: string
  /** The path with its percent-encoding undone. */
  readonly path: string
  /** After the `?`, as sent; '' for none. */
  readonly query: string
}

const ASCII = /^[\x20-\x7e]*$/
/** As Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/** Undoes percent-encoding; undefined when an escape is malformed or the bytes are not UTF-8. */
export const decodePercent = (escaped: string): string | undefined => {
  if (!escaped.includes('%') && ASCII.test(escaped)) return escaped
  if (BAD_ESCAPE.test(escaped)) return undefined
  const bytes = percentBytes(escaped)
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

/** The bytes of a text in which `%xx` stands for a byte and every other character for its own. */
export const percentBytes = (escaped: string): Buffer => {
  const bytes = Buffer.allocUnsafe(escaped.length)
  let length = 0
  for (let at = 0; at < escaped.length; at++) {
    const unit = escaped.charCodeAt(at)
    if (unit === 0x25) {
      bytes[length++] = Number.parseInt(escaped.slice(at + 1, at + 3), 16)
      at += 2
    } else bytes[length++] = unit
  }
  return bytes.subarray(0, length)
}

/** Whether every character of a decoded path may be in one. */
export const isPrintable = (path: string): boolean => ASCII.test(path) || !UNPRINTABLE.test(path)

/** Cuts a target in origin form or absolute form; undefined when its path cannot be decoded. */
export const parseTarget = (target: string): Target | undefined => {
  const origin = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]*/i, '')
  const question = origin.indexOf('?')
  const escaped = question === -1 ? origin : origin.slice(0, question)
  const path = decodePercent(escaped === '' ? '/' : escaped)
  if (path === undefined) return undefined
  return { escaped, path, query: question === -1 ? '' : origin.slice(question + 1) }
}

const UNCLEAN = /\/\/|\/\.\.?(?:\/|$)/

/** The path without empty, `.` and `..` segments; a slash at its end stays. The same text when it is clean. */
export const cleanPath = (escaped: string): string => {
  if (!UNCLEAN.test(escaped)) return escaped
  const kept: string[] = []
  for (const segment of escaped.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') kept.pop()
    else kept.push(segment)
  }
  const clean = `/${kept.join('/')}`
  return escaped.endsWith('/') && clean !== '/' ? `${clean}/` : clean
}

/** Whether a decoded path (without `/v1/`) still has relative segments, which arrived percent-encoded. */
export const isRelative = (path: string): boolean =>
  path.includes('.') && /^\.\.?$|^\.\.?\/|\/\.\.?$|\/\.\.?\//.test(path)
