import { createHash } from 'node:crypto'
import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { decodeBase64 } from './base64.ts'

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['sha2-224', 'sha224'],
  ['sha2-256', 'sha256'],
  ['sha2-384', 'sha384'],
  ['sha2-512', 'sha512'],
  ['sha3-224', 'sha3-224'],
  ['sha3-256', 'sha3-256'],
  ['sha3-384', 'sha3-384'],
  ['sha3-512', 'sha3-512'],
])

const MOST_RANDOM_BYTES = 131_072

const hashFields = {
  input: field.string({ default: '', description: 'What to hash, base64' }),
  algorithm: field.string({ default: 'sha2-256', description: 'sha2- or sha3-224 … -512' }),
  urlalgorithm: field.string({ default: '', description: 'The algorithm, in the path' }),
  format: field.string({ default: 'hex', description: '`hex` or `base64`' }),
}

const randomFields = {
  bytes: field.int({ default: 32, description: 'How many bytes' }),
  urlbytes: field.string({ default: '', description: 'How many bytes, in the path' }),
  source: field.string({ default: 'platform', description: '`platform`, `seal` or `all`' }),
  format: field.string({ default: 'base64', description: '`base64` or `hex`' }),
}

const hash = ({ input }: Pick<Call<InputOf<typeof hashFields>>, 'input'>): DataResult => {
  const bytes = decodeBase64(input.input)
  if (!Buffer.isBuffer(bytes)) {
    throw invalid(
      `unable to decode input as base64: illegal base64 data at input byte ${bytes.faultAt}`,
    )
  }
  const { format } = input
  if (format !== 'hex' && format !== 'base64') {
    throw invalid(`unsupported encoding format ${format}; must be "hex" or "base64"`)
  }
  const wanted = input.urlalgorithm === '' ? input.algorithm : input.urlalgorithm
  const algorithm = ALGORITHMS.get(wanted)
  if (algorithm === undefined) throw invalid(`unsupported algorithm ${wanted}`)
  return data({ sum: createHash(algorithm).update(bytes).digest(format) })
}

const SOURCES = new Set(['platform', 'seal', 'all'])

const countOf = (text: string): number => {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text)
  throw invalid(
    `error parsing url-set byte count: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

/** `random/x`: a source when there is one of that name, else a number of bytes. */
const random = (call: Call<InputOf<typeof randomFields>>): DataResult => {
  const { input } = call
  const named = input.urlbytes !== '' && SOURCES.has(input.urlbytes)
  const source = named ? input.urlbytes : input.source
  const bytes = input.urlbytes === '' || named ? input.bytes : countOf(input.urlbytes)
  if (bytes < 1) throw invalid(`'bytes' cannot be less than 1`)
  if (bytes > MOST_RANDOM_BYTES) throw invalid(`'bytes' should be less than ${MOST_RANDOM_BYTES}`)
  const { format } = input
  if (format !== 'hex' && format !== 'base64') {
    throw invalid(`unsupported encoding format "${format}"; must be "hex" or "base64"`)
  }
  if (!SOURCES.has(source)) {
    throw invalid(`unsupported entropy source "${source}"; must be "platform" or "seal", or "all"`)
  }
  if (source === 'seal') {
    call.warn('no seal/entropy augmentation available, using platform entropy source')
  }
  return data({ random_bytes: call.randomBytes(bytes).toString(format) })
}

const hashSummary = 'Hash data'
const randomSummary = 'Draw random bytes'

/** `sys/tools/`: hashes and random bytes. */
export const toolRoutes = () => [
  route({
    path: 'tools/hash',
    summary: hashSummary,
    fields: hashFields,
    verbs: { update: (call) => hash(call) },
  }),
  route({
    path: 'tools/hash/*urlalgorithm',
    summary: hashSummary,
    fields: hashFields,
    verbs: { update: (call) => hash(call) },
  }),
  route({
    path: 'tools/random',
    summary: randomSummary,
    fields: randomFields,
    verbs: { update: (call) => random(call) },
  }),
  route({
    path: 'tools/random/+urlbytes',
    summary: randomSummary,
    fields: randomFields,
    verbs: { update: (call) => random(call) },
  }),
  route({
    path: 'tools/random/+source/+urlbytes',
    summary: randomSummary,
    fields: randomFields,
    verbs: { update: (call) => random(call) },
  }),
]
