import { decodeUtf8 } from '../std/json-scan.ts'
import { percentBytes } from './target.ts'

/** Parameters in the order of their first appearance; a name may have several values. */
export type Parameters = ReadonlyMap<string, readonly string[]>

/** Why a pair cannot be read, in the words of Go's url.ParseQuery. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError'
}

const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

const unescape = (text: string): string => {
  if (!/[%+\x80-\xff]/.test(text)) return text
  const bad = BAD_ESCAPE.exec(text)
  if (bad)
    throw new ParameterError(
      `invalid URL escape ${JSON.stringify(text.slice(bad.index, bad.index + 3))}`,
    )
  return decodeUtf8(percentBytes(text.replaceAll('+', ' ')))
}

/** Every pair of a query string or form, one character a byte; `malformed` hears of pairs that cannot be read. */
const readPairs = (text: string, malformed: (error: ParameterError) => void): Parameters => {
  const parameters = new Map<string, string[]>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    try {
      if (pair.includes(';')) throw new ParameterError('invalid semicolon separator in query')
      const equals = pair.indexOf('=')
      const name = unescape(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : unescape(pair.slice(equals + 1))
      const values = parameters.get(name)
      if (values) values.push(value)
      else parameters.set(name, [value])
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error
      malformed(error)
    }
  }
  return parameters
}

const NONE: Parameters = new Map()

/** The parameters of a query string; pairs that cannot be read are left out, as in the reference. */
export const parseQuery = (query: string): Parameters =>
  query === '' ? NONE : readPairs(query, () => {})

/** The parameters of a form body (one character a byte). Throws ParameterError. */
export const parseForm = (form: string): Parameters =>
  readPairs(form, (error) => {
    throw error
  })

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** A boolean as Go's strconv.ParseBool reads it; undefined when it is none. */
export const parseBool = (text: string): boolean | undefined =>
  TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
