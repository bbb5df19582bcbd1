import { Buffer } from 'node:buffer'
import {
  decodeJson,
  jsonDecodes,
  JsonNumber,
  JsonSyntaxError,
  parseFast,
  textOf,
} from '../std/json.ts'
import type { Json } from '../std/json.ts'
import type { ComplexityLimits } from '../std/json-complexity.ts'
import { Breather } from '../std/breather.ts'
import { checkComplexity, complexityChecks, JsonComplexityError } from '../std/json-complexity.ts'
import { isSpace } from '../std/json-scan.ts'
import { inSlices } from '../std/slices.ts'
import type { HttpLimits } from './limits.ts'
import { parseMediaType } from './media-type.ts'
import { parseForm } from './parameters.ts'

/** A body that is refused, with the recorded text. */
export class BadBody extends Error {
  override readonly name = 'BadBody'
  readonly status: 400 | 415

  constructor(status: BadBody['status'], text: string) {
    super(text)
    this.status = status
  }
}

type Data = Record<string, Json>

/** Bodies up to this size cannot reach any limit of complexity: 3 bytes are the least a string takes. */
const SIMPLE_BYTES = 2_500

const typeName = (value: Json): string =>
  Array.isArray(value)
    ? 'array'
    : value instanceof JsonNumber
      ? 'number'
      : value === true || value === false
        ? 'bool'
        : typeof value

/** Longer bodies are read while other requests run. */
export const LONG_BYTES = 65_536

/** A long JSON body that has been read already: gives its value, or throws what is wrong with it. */
export type LongBody = () => Json | undefined

/** Thrown for a long JSON body that has not been read yet: `readLong` it, and ask again. */
export class IsLong extends Error {
  override readonly name = 'IsLong'
}

/** Reads a long JSON body while other requests run. */
export const readLong = async (body: Uint8Array, limits: HttpLimits): Promise<LongBody> => {
  const breather = new Breather()
  try {
    await inSlices(complexityChecks(body, complexityOf(limits)), breather)
    const value = await inSlices(jsonDecodes(body), breather)
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

/** The object of a JSON body; undefined for an empty body and for `null`. Throws BadBody; IsLong for a long one without `long`. */
export const jsonBody = (
  body: Uint8Array,
  limits: HttpLimits,
  long?: LongBody,
): Data | undefined => {
  if (body.length === 0) return undefined
  if (body.length > LONG_BYTES && long === undefined) throw new IsLong()
  try {
    const simple = body.length <= SIMPLE_BYTES ? parseFast(textOf(body)) : undefined
    const value = simple ? simple.value : long ? long() : walkAndDecode(body, limits)
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof JsonNumber)
      throw new JsonSyntaxError(
        `json: cannot unmarshal ${typeName(value)} into Go value of type map[string]interface {}`,
      )
    return value as Data
  } catch (error) {
    if (error instanceof JsonComplexityError) throw new BadBody(400, error.message)
    if (error instanceof JsonSyntaxError)
      throw new BadBody(400, `failed to decode JSON input: ${error.message}`)
    throw error
  }
}

const complexityOf = (limits: HttpLimits): ComplexityLimits => ({
  memoryBytes: limits.jsonMemoryBytes,
  strings: limits.jsonStrings,
  depth: limits.jsonDepth,
})

const walkAndDecode = (body: Uint8Array, limits: HttpLimits): Json | undefined => {
  checkComplexity(body, complexityOf(limits))
  return decodeJson(body)
}

/** Whether a POST or PUT body is a form: its type says so, and it does not look like JSON. */
const isForm = (contentType: string | undefined, body: Uint8Array): boolean => {
  if (contentType === undefined || !contentType.includes('form')) return false
  const media = parseMediaType(contentType)
  if (media.type !== 'application/x-www-form-urlencoded') return false
  for (let at = 0; at < Math.min(512, body.length); at++) {
    const byte = body[at]
    if (!isSpace(byte)) return byte !== 0x7b && byte !== 0x5b
  }
  return true
}

const formBody = (body: Uint8Array): Data => {
  const data: Data = Object.create(null) as Data
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  try {
    for (const [name, values] of parseForm(text)) data[name] = values.join(',')
  } catch {
    throw new BadBody(400, 'error parsing form data')
  }
  return data
}

/** The parameters of a POST or PUT (spec/auth.md 1.2). Throws BadBody. */
export const writeBody = (
  contentType: string | undefined,
  body: Uint8Array,
  limits: HttpLimits,
  long?: LongBody,
): Data | undefined => (isForm(contentType, body) ? formBody(body) : jsonBody(body, limits, long))

/** The parameters of a PATCH: only merge patches are taken. Throws BadBody (400 or 415). */
export const patchBody = (
  contentType: string | undefined,
  body: Uint8Array,
  limits: HttpLimits,
  long?: LongBody,
): Data | undefined => {
  const media = parseMediaType(contentType ?? '')
  if (media.error !== undefined) throw new BadBody(400, media.error)
  if (media.type !== 'application/merge-patch+json')
    throw new BadBody(
      415,
      `PATCH requires Content-Type of application/merge-patch+json, provided ${media.type}`,
    )
  return jsonBody(body, limits, long)
}
