import { renderError } from './envelope.ts'
import type { HttpAnswer, HttpHeaders, RawRequest } from './request.ts'

/** Which pages of other origins may ask, and with what. */
export interface CorsRules {
  /** `*` alone: any. */
  readonly origins: readonly string[]
  /** All that they may send. */
  readonly headers: readonly string[]
  readonly credentials: boolean
}

/** What the rules say of a request: it is answered with that, or its answer gets these headers. */
export type CorsVerdict =
  | { readonly answer: HttpAnswer }
  | { readonly headers: Readonly<Record<string, string>> }

const METHODS = ['DELETE', 'GET', 'OPTIONS', 'POST', 'PUT', 'LIST', 'SCAN'] as const
const MAX_AGE_SECONDS = '300'

const once = (headers: HttpHeaders, name: string): string => {
  const value = headers[name]
  return (typeof value === 'string' ? value : value?.[0]) ?? ''
}

/** Whether a request comes from a page and is for the API: the rules need be known for no other. */
export const isCrossOrigin = ({
  headers,
  target,
}: Pick<RawRequest, 'headers' | 'target'>): boolean =>
  once(headers, 'origin') !== '' && target.startsWith('/v1/')

/** Judges a request of a page (spec/sys.md 8); without rules nothing is said. */
export const judgeCors = (
  { method, headers }: Pick<RawRequest, 'method' | 'headers'>,
  rules: CorsRules | undefined,
): CorsVerdict => {
  const origin = once(headers, 'origin')
  if (rules === undefined || origin === '') return { headers: {} }
  if (rules.origins[0] !== '*' && !rules.origins.includes(origin)) {
    return { answer: renderError(403, ['origin not allowed']) }
  }
  const common: Record<string, string> = { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' }
  if (rules.credentials) common['Access-Control-Allow-Credentials'] = 'true'
  const wanted = once(headers, 'access-control-request-method')
  if (method !== 'OPTIONS') return { headers: common }
  if (!METHODS.some((allowed) => allowed === wanted)) {
    return { answer: { status: 405, body: undefined, headers: common } }
  }
  const preflight = {
    ...common,
    'Access-Control-Allow-Methods': METHODS.join(','),
    'Access-Control-Allow-Headers': rules.headers.join(','),
    'Access-Control-Max-Age': MAX_AGE_SECONDS,
  }
  return { answer: { status: 200, body: undefined, headers: preflight } }
}
