import { Buffer } from 'node:buffer'
import { JsonNumber, JsonSyntaxError } from './json-value.ts'
import type { Json } from './json-value.ts'
import { atOnce } from './slices.ts'
import type { Slices } from './slices.ts'
import {
  literalOf,
  scanLiteral,
  scanNumber,
  SLICE_BYTES,
  scanString,
  scanStringPart,
  skipSpace,
  startsNumber,
  unexpected,
  unquote,
} from './json-scan.ts'
import type { EndText } from './json-scan.ts'

/** Nesting past this is refused, as Go's decoder does. */
const DEPTH = 10_000

const LITERALS = { true: true, false: false, null: null } as const

/** An array or object that is being read; `name` is the member that waits for its value. */
interface Open {
  readonly list: Json[] | undefined
  readonly object: Record<string, Json> | undefined
  name: string
}

/** A number from its literal: a JS number when that gives the literal back, else a JsonNumber. */
export const numberOf = (literal: string): number | JsonNumber => {
  const number = Number(literal)
  return String(number) === literal ? number : new JsonNumber(literal)
}

const setMember = (object: Record<string, Json>, name: string, value: Json): void => {
  if (name !== '__proto__') object[name] = value
  else
    Object.defineProperty(object, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
}

/**
 * Reads one value and says where it ended; what follows is not looked at. Slower than JSON.parse but exact: numbers
 * are lossless, errors have Go's texts, the last of several members of one name wins. Iterative: depth costs no stack.
 */
export const readJson = (
  bytes: Uint8Array,
  start: number,
  end: EndText,
): { readonly value: Json; readonly end: number } => atOnce(jsonReads(bytes, start, end))

/** The same in slices. */
export const jsonReads = function* (
  bytes: Uint8Array,
  start: number,
  end: EndText,
): Slices<{ readonly value: Json; readonly end: number }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const open: Open[] = []
  let at = start

  const next = (): number => {
    at = skipSpace(bytes, at)
    const byte = bytes[at]
    if (byte === undefined) throw new JsonSyntaxError(end)
    return byte
  }
  const scalar = (byte: number): Json => {
    const from = at
    if (byte === 0x22) {
      at = scanString(bytes, at + 1, end)
      return unquote(bytes.subarray(from + 1, at - 1))
    }
    if (startsNumber(byte)) {
      at = scanNumber(bytes, at, end)
      return numberOf(buffer.toString('latin1', from, at))
    }
    const literal = literalOf(byte)
    if (literal === undefined) throw unexpected(byte, 'looking for beginning of value')
    at = scanLiteral(bytes, at, literal, end)
    return LITERALS[literal]
  }
  const key = (inside: Open, byte: number): void => {
    if (byte !== 0x22) throw unexpected(byte, 'looking for beginning of object key string')
    inside.name = scalar(byte) as string
    const colon = next()
    if (colon !== 0x3a) throw unexpected(colon, 'after object key')
    at++
  }

  let pause = at + SLICE_BYTES
  for (;;) {
    if (at >= pause) {
      pause = at + SLICE_BYTES
      yield
    }
    const byte = next()
    let value: Json
    if (byte === 0x5b || byte === 0x7b) {
      if (open.length === DEPTH) throw new JsonSyntaxError('exceeded max depth')
      at++
      const opened: Open =
        byte === 0x5b
          ? { list: [], object: undefined, name: '' }
          : { list: undefined, object: {}, name: '' }
      const first = next()
      if (first !== (byte === 0x5b ? 0x5d : 0x7d)) {
        open.push(opened)
        if (opened.object) key(opened, first)
        continue
      }
      at++
      value = (opened.list ?? opened.object) as Json
    } else if (byte === 0x22) {
      const from = at + 1
      at = scanStringPart(bytes, from, end, at + SLICE_BYTES)
      while (at < 0) {
        yield
        at = scanStringPart(bytes, ~at, end, ~at + SLICE_BYTES)
      }
      value = unquote(bytes.subarray(from, at - 1))
    } else value = scalar(byte)

    // The value is complete: give it to what it is in, and close all that ends here.
    for (;;) {
      const inside = open.at(-1)
      if (inside === undefined) return { value, end: at }
      if (inside.object) setMember(inside.object, inside.name, value)
      else inside.list?.push(value)
      const after = next()
      at++
      if (after === 0x2c) {
        if (inside.object) key(inside, next())
        break
      }
      if (after !== (inside.object ? 0x7d : 0x5d))
        throw unexpected(
          after,
          inside.object ? 'after object key:value pair' : 'after array element',
        )
      open.pop()
      value = (inside.object ?? inside.list) as Json
    }
  }
}
