/** A number kept as it was written (`1.50`, `12345678901234567890`): what `JSON.rawJSON` makes. */
export type RawNumber = { readonly rawJSON: string }

/** A JSON value of an answer or a request; numbers a double cannot give back literally are raw. */
export type LiteralValue =
  | string
  | number
  | boolean
  | null
  | RawNumber
  | readonly LiteralValue[]
  | { readonly [key: string]: LiteralValue }

/** A JSON object of an answer or a request. */
export type LiteralObject = { readonly [key: string]: LiteralValue }

// The library's types do not know ES2026's source text access yet.
type SourceJson = {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): LiteralValue
  rawJSON(text: string): RawNumber
  isRawJSON(value: unknown): value is RawNumber
}
const sourceJson = JSON as unknown as SourceJson

/** Parses JSON and keeps every number's literal form (spec/cli.md 4.2); throws a SyntaxError. */
export function parseLiteral(text: string): LiteralValue {
  return sourceJson.parse(text, (_key, value, context) => {
    if (typeof value !== 'number' || context.source === undefined) return value
    return String(value) === context.source ? value : sourceJson.rawJSON(context.source)
  })
}

/** Whether the value is a number that a double could not give back literally. */
export function isRawNumber(value: unknown): value is RawNumber {
  return sourceJson.isRawJSON(value)
}

/** Whether the value is a JSON object (not null, a list or a raw number). */
export function isObject(value: unknown): value is LiteralObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
}

/** The value as JSON text with the keys of every object in order, as the reference prints it. */
export function literalText(value: LiteralValue, indent = 0): string {
  return JSON.stringify(sortKeys(value), null, indent)
}

function sortKeys(value: LiteralValue): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  const object: LiteralObject = value
  // No prototype, so that a key named __proto__ is a key like any other.
  const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const key of sortedKeys(object)) sorted[key] = sortKeys(object[key] ?? null)
  return sorted
}

/** The keys of an object in byte order. */
export function sortedKeys(value: LiteralObject): string[] {
  return Object.keys(value).sort(compareBytes)
}

/** Byte order of UTF-8, which differs from the order of UTF-16 units beyond the basic plane. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
