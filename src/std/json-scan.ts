import { Buffer, isUtf8 } from 'node:buffer'
import { JsonSyntaxError } from './json-value.ts'

/** Bytes that are looked at in one go where others are to run meanwhile: a small part of a millisecond. */
export const SLICE_BYTES = 32_768

/** Whether the byte is JSON white space: space, tab, line feed, carriage return. */
export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** The first index from `at` on that is not white space; the length at the end. */
export const skipSpace = (bytes: Uint8Array, at: number): number => {
  while (at < bytes.length && isSpace(bytes[at])) at++
  return at
}

/** Named escapes of Go's quoted strings. */
const QUOTED = new Map([
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x27, "\\'"],
  [0x5c, '\\\\'],
])

/** The byte as Go's decoder quotes it: as a rune of that number. */
const quoteByte = (byte: number): string => {
  const named = QUOTED.get(byte)
  if (named !== undefined) return named
  if (byte < 0x20 || byte === 0x7f) return `\\x${byte.toString(16).padStart(2, '0')}`
  if ((byte > 0x7f && byte <= 0xa0) || byte === 0xad) return `\\u00${byte.toString(16)}`
  return String.fromCharCode(byte)
}

/** The error for an unexpected byte: `invalid character 'x' looking for beginning of value`. */
export const unexpected = (byte: number, context: string): JsonSyntaxError =>
  new JsonSyntaxError(
    `invalid character '${quoteByte(byte)}'${context === '' ? '' : ` ${context}`}`,
  )

/** What "the input ended here" says: a stream's decoder and a whole text's differ. */
export type EndText = 'unexpected EOF' | 'unexpected end of JSON input'

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined &&
  (isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

/** Letters that may follow a backslash, `u` aside. */
const ESCAPES = new Map([
  [0x22, '"'],
  [0x5c, '\\'],
  [0x2f, '/'],
  [0x62, '\b'],
  [0x66, '\f'],
  [0x6e, '\n'],
  [0x72, '\r'],
  [0x74, '\t'],
])

/** From the byte after the opening quote to the index after the closing one. Throws JsonSyntaxError. */
export const scanString = (bytes: Uint8Array, at: number, end: EndText): number =>
  scanStringPart(bytes, at, end, bytes.length)

/** The same up to a byte of the string near `until`; where the string goes on, the complement (`~`) of the index to go on from. */
export const scanStringPart = (
  bytes: Uint8Array,
  at: number,
  end: EndText,
  until: number,
): number => {
  const stop = Math.min(until, bytes.length)
  for (; at < stop; at++) {
    const byte = bytes[at] as number
    if (byte === 0x22) return at + 1
    if (byte < 0x20) throw unexpected(byte, 'in string literal')
    if (byte !== 0x5c) continue
    const escape = bytes[++at]
    if (escape === undefined) break
    if (escape === 0x75) {
      for (let digit = 0; digit < 4; digit++) {
        const hex = bytes[++at]
        if (hex === undefined) throw new JsonSyntaxError(end)
        if (!isHex(hex)) throw unexpected(hex, 'in \\u hexadecimal character escape')
      }
    } else if (!ESCAPES.has(escape)) throw unexpected(escape, 'in string escape code')
  }
  if (at < bytes.length) return ~at
  throw new JsonSyntaxError(end)
}

/** From the first byte of a number to the index after its last. Throws JsonSyntaxError. */
export const scanNumber = (bytes: Uint8Array, at: number, end: EndText): number => {
  const digits = (context: string): void => {
    const first = bytes[at]
    if (first === undefined) throw new JsonSyntaxError(end)
    if (!isDigit(first)) throw unexpected(first, context)
    while (isDigit(bytes[at])) at++
  }
  if (bytes[at] === 0x2d) at++
  if (bytes[at] === 0x30) at++
  else digits('in numeric literal')
  if (bytes[at] === 0x2e) {
    at++
    digits('after decimal point in numeric literal')
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++
    digits('in exponent of numeric literal')
  }
  return at
}

/** From the first byte of `true`, `false` or `null` to the index after it. Throws JsonSyntaxError. */
export const scanLiteral = (
  bytes: Uint8Array,
  at: number,
  literal: string,
  end: EndText,
): number => {
  for (let i = 0; i < literal.length; i++, at++) {
    const byte = bytes[at]
    if (byte === undefined) throw new JsonSyntaxError(end)
    if (byte !== literal.charCodeAt(i))
      throw unexpected(byte, `in literal ${literal} (expecting '${literal.charAt(i)}')`)
  }
  return at
}

/** The literal that starts with this byte, if any does. */
export const literalOf = (byte: number): 'true' | 'false' | 'null' | undefined =>
  byte === 0x74 ? 'true' : byte === 0x66 ? 'false' : byte === 0x6e ? 'null' : undefined

/** Whether a number starts with this byte. */
export const startsNumber = (byte: number): boolean => byte === 0x2d || isDigit(byte)

/** The text of bytes as UTF-8; every byte that belongs to no character becomes one U+FFFD, as in Go. */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(bytes)) return buffer.toString('utf8')
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    const whole = at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size))
    text += whole ? buffer.toString('utf8', at, at + size) : '\ufffd'
    at += whole ? size : 1
  }
  return text
}

/** The text of a scanned string (the bytes between its quotes); lone surrogates become U+FFFD. */
export const unquote = (bytes: Uint8Array): string => {
  let slash = bytes.indexOf(0x5c)
  if (slash === -1) return decodeUtf8(bytes)
  let text = ''
  let from = 0
  while (slash !== -1) {
    text += decodeUtf8(bytes.subarray(from, slash))
    const escape = bytes[slash + 1] as number
    if (escape === 0x75) {
      text += String.fromCharCode(
        Number.parseInt(String.fromCharCode(...bytes.subarray(slash + 2, slash + 6)), 16),
      )
      from = slash + 6
    } else {
      text += ESCAPES.get(escape) as string
      from = slash + 2
    }
    slash = bytes.indexOf(0x5c, from)
  }
  return (text + decodeUtf8(bytes.subarray(from))).toWellFormed()
}
