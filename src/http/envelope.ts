import type { Hint } from '../engine/refusal.ts'
import { stringifyJson, stringifyOrdered } from '../std/json.ts'
import { sharedText } from '../std/shared-json.ts'
import type { Json, Member } from '../std/json.ts'
import type { HttpAnswer } from './request.ts'

const JSON_TYPE = 'application/json'

/** The `auth` block of an answer (spec/auth.md 1.5), in the names of the wire. */
export interface EnvelopeAuth {
  readonly client_token: string
  readonly accessor: string
  /** null while a second factor is still to come. */
  readonly policies: readonly string[] | null
  readonly token_policies: readonly string[]
  readonly identity_policies: readonly string[]
  readonly metadata: Readonly<Record<string, string>> | null
  readonly lease_duration: number
  readonly renewable: boolean
  readonly entity_id: string
  readonly token_type: string
  readonly orphan: boolean
  readonly mfa_requirement: Json
  readonly num_uses: number
}

/** The `wrap_info` block of an answer. */
export interface EnvelopeWrapInfo {
  readonly token: string
  readonly accessor: string
  /** Seconds. */
  readonly ttl: number
  /** RFC 3339 with nanoseconds. */
  readonly creation_time: string
  readonly creation_path: string
  /** '' is left out. */
  readonly wrapped_accessor: string
}

/** What goes into a success envelope; everything left out is its zero. */
export interface SuccessParts {
  readonly requestId: string
  readonly leaseId?: string
  readonly renewable?: boolean
  readonly leaseDurationSeconds?: number
  readonly data?: Json
  readonly wrapInfo?: EnvelopeWrapInfo | undefined
  readonly warnings?: readonly string[] | undefined
  /** No warnings are `[]`, not null. */
  readonly emptyWarnings?: boolean
  readonly auth?: EnvelopeAuth | undefined
  readonly hints?: readonly Hint[] | undefined
  /** Repeats the members of `data` in front of the envelope's own. */
  readonly copyDataToTop?: boolean
  /** Default 200. Another status leaves out the newline at the end unless `newline` says so. */
  readonly status?: number
  readonly newline?: boolean
}

/** An empty list is left out. */
const unlessEmpty = (list: readonly string[]): readonly string[] | undefined =>
  list.length === 0 ? undefined : list

const authText = (auth: EnvelopeAuth): string =>
  stringifyOrdered([
    ['client_token', auth.client_token],
    ['accessor', auth.accessor],
    ['policies', auth.policies],
    ['token_policies', unlessEmpty(auth.token_policies)],
    ['identity_policies', unlessEmpty(auth.identity_policies)],
    ['metadata', auth.metadata],
    ['lease_duration', auth.lease_duration],
    ['renewable', auth.renewable],
    ['entity_id', auth.entity_id],
    ['token_type', auth.token_type],
    ['orphan', auth.orphan],
    ['mfa_requirement', auth.mfa_requirement],
    ['num_uses', auth.num_uses],
  ])

const wrapInfoText = (info: EnvelopeWrapInfo): string =>
  stringifyOrdered([
    ['token', info.token],
    ['accessor', info.accessor],
    ['ttl', info.ttl],
    ['creation_time', info.creation_time],
    ['creation_path', info.creation_path],
    ['wrapped_accessor', info.wrapped_accessor === '' ? undefined : info.wrapped_accessor],
  ])

const hintsText = (hints: readonly Hint[]): string =>
  `[${hints.map(({ code, text }) => `{"code":${stringifyJson(code)},"text":${stringifyJson(text)}}`).join(',')}]`

/** Members that a copy of `data` at the top level must not repeat: the envelope's own follow and win. */
const OWN = new Set([
  'request_id',
  'lease_id',
  'renewable',
  'lease_duration',
  'data',
  'wrap_info',
  'warnings',
  'auth',
  'hints',
])

const copied = (data: Json | undefined): string => {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return ''
  const text = stringifyOrdered(
    Object.entries(data as Readonly<Record<string, Json>>).filter(([name]) => !OWN.has(name)),
  )
  return text === '{}' ? '' : `${text.slice(1, -1)},`
}

/** Writes what stands before `data` in an envelope. */
const writeBefore = (out: string[], parts: SuccessParts): void => {
  out.push(
    '{',
    parts.copyDataToTop === true ? copied(parts.data) : '',
    '"request_id":',
    stringifyJson(parts.requestId),
    ',"lease_id":',
    stringifyJson(parts.leaseId ?? ''),
    parts.renewable === true ? ',"renewable":true' : ',"renewable":false',
    `,"lease_duration":${parts.leaseDurationSeconds ?? 0},"data":`,
  )
}

/** Writes what stands behind it. */
const writeAfter = (out: string[], parts: SuccessParts): void => {
  const none = parts.emptyWarnings === true ? '[]' : 'null'
  const warnings = parts.warnings?.length ? stringifyJson(parts.warnings) : none
  out.push(
    ',"wrap_info":',
    parts.wrapInfo ? wrapInfoText(parts.wrapInfo) : 'null',
    ',"warnings":',
    warnings,
    ',"auth":',
    parts.auth ? authText(parts.auth) : 'null',
    parts.hints?.length ? `,"hints":${hintsText(parts.hints)}` : '',
    parts.newline === true ? '}\n' : '}',
  )
}

const bytesOf = (write: typeof writeBefore, parts: SuccessParts): Buffer => {
  const out: string[] = []
  write(out, parts)
  return Buffer.from(out.join(''))
}

/** The text of a success envelope (spec/auth.md 1.5); without a newline unless `newline` says so. */
export const envelopeText = (parts: SuccessParts): string => {
  // Joined, since what is put together with `+` is made flat again for its length and for the wire.
  const out: string[] = []
  writeBefore(out, parts)
  out.push(parts.data === undefined ? 'null' : sharedText(parts.data))
  writeAfter(out, parts)
  return out.join('')
}

/** The envelope of `data` whose text comes in pieces, as pieces; asks for none before the client has taken the last. */
export const envelopePieces = (
  parts: SuccessParts,
  data: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => {
    const pieces = data[Symbol.asyncIterator]()
    let place: 'before' | 'data' | 'after' = 'before'
    return {
      next: async () => {
        if (place === 'before') {
          place = 'data'
          return { done: false, value: bytesOf(writeBefore, parts) }
        }
        if (place === 'after') return { done: true, value: undefined }
        const step = await pieces.next()
        if (step.done !== true) return step
        place = 'after'
        return { done: false, value: bytesOf(writeAfter, parts) }
      },
      // A generator that was not begun would not pass it on.
      return: async () => {
        await pieces.return?.()
        return { done: true, value: undefined }
      },
    }
  },
})

/** A success: 200 (or another status) with an envelope. */
export const renderSuccess = (parts: SuccessParts): HttpAnswer => {
  const status = parts.status ?? 200
  const newline = parts.newline ?? parts.status === undefined
  return {
    status,
    contentType: JSON_TYPE,
    body: envelopeText({ ...parts, newline }),
  }
}

/** What an error body may carry beside its texts. */
export interface ErrorExtra {
  readonly data?: Json | undefined
  readonly hints?: readonly Hint[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** An error: `{"errors":[…]}` and a newline (spec/auth.md 1.7). */
export const renderError = (
  status: number,
  errors: readonly string[],
  extra: ErrorExtra = {},
): HttpAnswer => {
  const members: Member[] = [
    ['errors', errors],
    ['data', extra.data],
  ]
  const text = stringifyOrdered(members)
  const body = extra.hints?.length
    ? `${text.slice(0, -1)},"hints":${hintsText(extra.hints)}}\n`
    : `${text}\n`
  return {
    status,
    contentType: JSON_TYPE,
    body,
    ...(extra.headers ? { headers: extra.headers } : {}),
  }
}

/** A text that a header may carry: what is not printable ASCII becomes `?`. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]+/g, '?')

/** 204: no body; hints go into one `Signet-Hint` header, `code; text` each, separated by commas. */
export const renderNoContent = (hints: readonly Hint[] = []): HttpAnswer => ({
  status: 204,
  contentType: JSON_TYPE,
  body: undefined,
  ...(hints.length > 0
    ? {
        headers: {
          'Signet-Hint': hints.map(({ code, text }) => headerText(`${code}; ${text}`)).join(', '),
        },
      }
    : {}),
})
