import { invalid } from '../../engine/refusal.ts'
import { isBase64 } from '../../std/base64.ts'
import { goLower } from '../../std/go-lower.ts'

/**
 * Metadata as clients send it: the text of a JSON object, that in base64, or `k=v,k2=v2` (in lower case then). Refuses (400)
 * anything else and empty values.
 */
export const parseMetadata = (sent: string): Readonly<Record<string, string>> => {
  const trimmed = sent.trim()
  const text = isBase64(trimmed) ? Buffer.from(trimmed, 'base64').toString() : trimmed
  const entries = trimmed === '' ? [] : (objectEntries(text) ?? pairEntries(text))
  const metadata = new Map<string, string>()
  for (const [key, value] of entries) {
    if (value === '') throw unparsable(`invalid value for key ${JSON.stringify(key)}`)
    metadata.set(key, value)
  }
  return Object.fromEntries(metadata)
}

/** Undefined when the text is no JSON object of strings. */
const objectEntries = (text: string): readonly (readonly [string, string])[] | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: the caller reads it as pairs.
    return undefined
  }
  if (value === null) return []
  if (typeof value !== 'object' || Array.isArray(value)) return undefined
  const entries = Object.entries(value).map(([key, item]) => [key, item ?? ''] as const)
  return entries.every((entry): entry is readonly [string, string] => typeof entry[1] === 'string')
    ? entries
    : undefined
}

const pairEntries = (text: string): readonly (readonly [string, string])[] => {
  const pairs = goLower(text)
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
  return pairs.map((pair) => {
    const [key, value, more] = pair.split('=')
    if (key === undefined || key === '' || value === undefined || more !== undefined) {
      throw unparsable('failed to parse the input: invalid <key,value> format')
    }
    return [key, value]
  })
}

const unparsable = (detail: string) => invalid(`failed to parse metadata: ${detail}`)
