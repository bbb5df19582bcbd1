import { Buffer } from 'node:buffer'
import { atOnce } from './slices.ts'
import type { Slices } from './slices.ts'
import { JsonSyntaxError } from './json-value.ts'
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

/** Bounds of what a body may cost once it is decoded (spec/auth.md 1.1). */
export interface ComplexityLimits {
  /** Estimated bytes of the decoded values. */
  readonly memoryBytes: number
  /** Strings, names of members included. */
  readonly strings: number
  /** Nesting of arrays and objects. */
  readonly depth: number
}

/** JSON that is refused for what it would cost; the message is the recorded one. */
export class JsonComplexityError extends Error {
  override readonly name = 'JsonComplexityError'

  constructor(what: 'estimated memory limits' | 'number of strings') {
    super(`refused JSON input due to high complexity: exceeded maximum ${what}`)
  }
}

/** Costs of a token beyond the 16 that each has. */
const COST = { base: 16, literal: 1, number: 8, string: 16, array: 24, object: 72 } as const

type Expect = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma'

const CONTEXT: Readonly<Record<Expect, string>> = {
  value: 'looking for beginning of value',
  'value-or-end': 'looking for beginning of value',
  name: 'looking for beginning of object key string',
  'name-or-end': '',
  colon: 'after object key',
  comma: '',
}

/**
 * Walks all values of a stream token by token, as the reference does before it decodes the first: so text after the
 * first value is refused too unless it is JSON, and a quoted name is asked for in fewer words. An end in the middle of
 * an array or object is left to the decoder. Throws JsonSyntaxError or JsonComplexityError.
 */
export const checkComplexity = (bytes: Uint8Array, limits: ComplexityLimits): void =>
  atOnce(complexityChecks(bytes, limits))

/** The same in slices. */
export const complexityChecks = function* (
  bytes: Uint8Array,
  limits: ComplexityLimits,
): Slices<void> {
  /** True for an object, false for an array. */
  const open: boolean[] = []
  let memory = 0
  let strings = 0
  let expect = 'value' as Expect
  let at = skipSpace(bytes, 0)

  const spend = (cost: number): void => {
    memory += COST.base + cost
    if (memory > limits.memoryBytes) throw new JsonComplexityError('estimated memory limits')
  }
  /** `to`: where the string that begins here ends. */
  const string = (to: number): void => {
    const from = at + 1
    at = to
    strings++
    if (strings > limits.strings) throw new JsonComplexityError('number of strings')
    const quoted = bytes.subarray(from, at - 1)
    spend(
      COST.string + (quoted.includes(0x5c) ? Buffer.byteLength(unquote(quoted)) : quoted.length),
    )
  }
  const fail = (byte: number): never => {
    const context =
      expect === 'comma'
        ? open.at(-1)
          ? 'after object key:value pair'
          : 'after array element'
        : CONTEXT[expect]
    throw unexpected(byte, context)
  }
  const closed = (): void => {
    expect = open.length === 0 ? 'value' : 'comma'
  }
  const value = (byte: number): void => {
    if (byte === 0x7b || byte === 0x5b) {
      if (open.length === limits.depth) throw new JsonSyntaxError('exceeded max depth')
      open.push(byte === 0x7b)
      spend(byte === 0x7b ? COST.object : COST.array)
      expect = byte === 0x7b ? 'name-or-end' : 'value-or-end'
      at++
      return
    }
    if (startsNumber(byte)) {
      at = scanNumber(bytes, at, 'unexpected EOF')
      spend(COST.number)
    } else {
      const literal = literalOf(byte)
      if (literal === undefined) return fail(byte)
      at = scanLiteral(bytes, at, literal, 'unexpected EOF')
      spend(COST.literal)
    }
    closed()
  }

  let pause = at + SLICE_BYTES
  for (; at < bytes.length; at = skipSpace(bytes, at)) {
    if (at >= pause) {
      pause = at + SLICE_BYTES
      yield
    }
    const byte = bytes[at] as number
    const inObject = open.at(-1)
    const mayEnd = expect === 'comma' || expect === (inObject ? 'name-or-end' : 'value-or-end')
    if (inObject !== undefined && mayEnd && byte === (inObject ? 0x7d : 0x5d)) {
      open.pop()
      at++
      closed()
    } else if (expect === 'value' || expect === 'value-or-end') {
      if (byte !== 0x22) value(byte)
      else {
        let to = scanStringPart(bytes, at + 1, 'unexpected EOF', at + SLICE_BYTES)
        while (to < 0) {
          yield
          to = scanStringPart(bytes, ~to, 'unexpected EOF', ~to + SLICE_BYTES)
        }
        string(to)
        closed()
      }
    } else if (expect === 'name' || expect === 'name-or-end') {
      if (byte !== 0x22) fail(byte)
      string(scanString(bytes, at + 1, 'unexpected EOF'))
      expect = 'colon'
    } else {
      if (byte !== (expect === 'colon' ? 0x3a : 0x2c)) fail(byte)
      expect = expect === 'comma' && inObject ? 'name' : 'value'
      at++
    }
  }
}
