import type { Answer, Json, Step } from './case.ts'

/** A place where an answer falls short of the recorded one. */
export type Difference = {
  /** Dotted, from the body; `status`, `type` and `location` for the rest. */
  readonly where: string
  readonly want: Json | undefined
  readonly got: Json | undefined
}

/** Values that change from run to run, and what stands for them in the recordings. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g, '<jwt>'],
  [/\b(?:hv)?[sbr]\.[A-Za-z0-9_-]{20,}/g, '<token>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uuid>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/\b((?:auth_)?[a-z0-9-]+)_[0-9a-f]{8}\b/g, '$1_<hex>'],
  [/\bhmac-sha256:[0-9a-f]{64}/g, '<hmac>'],
  [/127\.0\.0\.1:\d{4,5}\b/g, '<addr>'],
  [/\bsecret=[A-Z2-7]{16,}/g, 'secret=<base32>'],
]

/** Fields whose large numbers are instants. */
const INSTANT =
  /(ttl|duration|_time|^iat$|^exp$|^nbf$|^auth_time$|expires_in|^expire|_at$|size|bytes|seconds)/i

/** Fields whose text is random, whatever its form. */
const OPAQUE =
  /^(accessor|wrapped_accessor|client_token|token|code|access_token|id_token|client_id|client_secret|nonce|keys?_base64|barcode|url|cluster_id)$/

/** Fields that count time down while the case runs. */
const COUNTS_TIME = /(^|\.)ttl$/

/** A saved value shorter than this is too common a text to be looked for in answers. */
const SAVED_LENGTH_MIN = 8

type JsonObject = { readonly [key: string]: Json }

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** Puts placeholders where the recordings have them: for saved values (longest first), ids, times, tokens. */
export const normalise = (answer: Answer, saved: ReadonlyMap<string, Json>): Answer => {
  const texts = [...saved]
    .filter(
      (entry): entry is [string, string] =>
        entry[0] !== 'addr' && typeof entry[1] === 'string' && entry[1].length >= SAVED_LENGTH_MIN,
    )
    .toSorted(([, a], [, b]) => b.length - a.length)

  const text = (value: string, key: string): string => {
    let clean = value
    for (const [name, known] of texts) clean = clean.replaceAll(known, () => `\${${name}}`)
    for (const [pattern, mark] of PATTERNS) clean = clean.replace(pattern, mark)
    if (key === 'request_id') return '<uuid>'
    return OPAQUE.test(key) && clean !== '' && !/[<$]/.test(clean) ? `<${key}>` : clean
  }
  const clean = (value: Json, key: string): Json => {
    if (isList(value)) return value.map((item) => clean(item, key))
    if (isObject(value))
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [text(name, ''), clean(item, name)]),
      )
    if (typeof value === 'number')
      return INSTANT.test(key) && Math.abs(value) > 1e9 ? '<unix>' : value
    return typeof value === 'string' ? text(value, key) : value
  }
  return {
    status: answer.status,
    type: answer.type,
    ...(answer.location === undefined ? {} : { location: text(answer.location, '') }),
    body: clean(answer.body, ''),
  }
}

/**
 * Where `got` differs from what the step recorded; empty: identical. More fields than recorded are allowed, but an
 * empty object wanted is an empty object. Numbers are exact, save those that count time.
 */
export const differences = (step: Step, got: Answer): readonly Difference[] => {
  const want = step.answer
  return [
    ...compare(step, 'status', want.status, got.status),
    ...compare(step, 'type', want.type, got.type),
    ...(want.location === undefined ? [] : compare(step, 'location', want.location, got.location)),
    ...compare(step, '', want.body, got.body),
  ]
}

function* compare(
  step: Step,
  where: string,
  want: Json | undefined,
  got: Json | undefined,
): Generator<Difference> {
  if (step.ignore?.includes(where) || want === '<any>') return
  if (isList(want) && isList(got)) {
    if (want.length !== got.length) return yield { where, want, got }
    const anyOrder = step.unordered?.includes(where) ?? false
    const [wanted, given] = anyOrder ? [ordered(want), ordered(got)] : [want, got]
    for (const [index, item] of wanted.entries())
      yield* compare(step, `${where}.${index}`, item, given[index])
    return
  }
  if (isObject(want) && isObject(got)) {
    const keys = Object.keys(want)
    if (keys.length === 0 && Object.keys(got).length > 0) return yield { where, want, got }
    for (const key of keys)
      yield* compare(
        step,
        where === '' ? key : `${where}.${key}`,
        want[key],
        Object.hasOwn(got, key) ? got[key] : undefined,
      )
    return
  }
  if (typeof want === 'number' && typeof got === 'number' && COUNTS_TIME.test(where)) {
    if (Math.abs(want - got) > slack(want)) yield { where, want, got }
    return
  }
  if (want !== got) yield { where, want, got }
}

/** Seconds that a run may be slower or faster than the recording. */
const slack = (want: number): number => {
  if (want === 0) return 0
  return want <= 10 ? 1 : 5
}

const ordered = (list: readonly Json[]): readonly Json[] =>
  list
    .map((item) => ({ item, text: JSON.stringify(canonical(item)) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ item }) => item)

const canonical = (value: Json): Json => {
  if (isList(value)) return value.map(canonical)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  )
}
