import { parseVaultDuration } from '../std/go-duration.ts'
import type { Json } from '../std/json.ts'
import { trimSlashes } from '../std/trim-slashes.ts'
import { BadBody, IsLong, patchBody, readLong, writeBody } from './body.ts'
import type { LongBody } from './body.ts'
import { renderError } from './envelope.ts'
import { firstHeader } from './first-header.ts'
import { BadInlineAuth, inlineAuthOf } from './inline-auth.ts'
import type { HttpLimits } from './limits.ts'
import { parseBool, parseQuery } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import type {
  HttpAnswer,
  HttpHeaders,
  HttpRequest,
  MfaHeader,
  Operation,
  RawRequest,
} from './request.ts'
import { cleanPath, isPrintable, isRelative, parseTarget } from './target.ts'
import type { Target } from './target.ts'

/** What judging a request's form needs to know besides the request. */
export interface InterpretOptions {
  readonly limits: HttpLimits
  /** Host names that may be asked for (without port); undefined: any. Guards development mode from DNS rebinding. */
  readonly hostCheck?: readonly string[] | undefined
  /**
   * The methods that a path outside the envelope takes (`sys/health`, `sys/seal-status` …); undefined for every other
   * path. Such a path answers 405 to other methods before anything else is looked at, and takes no wrapping.
   */
  readonly rawMethods?: ((path: string) => readonly string[] | undefined) | undefined
  /** Whether there are pages below `/ui/`; default no. */
  readonly hasPages?: boolean
  /** Paths whose writes have a body that is taken piece by piece. */
  readonly streamedPaths?: ((path: string) => boolean) | undefined
}

/** Where a request came from, and the id it gets. */
export interface Origin {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly requestId: string
}

/** A request for a page: thrown inside, for the API has no use for it. */
class ForPage extends Error {
  readonly target: Target

  constructor(target: Target) {
    super('for a page')
    this.target = target
  }
}

/** A request whose form decides its answer: thrown inside, answered before routing. */
class Answered extends Error {
  readonly answer: HttpAnswer

  constructor(answer: HttpAnswer) {
    super('answered')
    this.answer = answer
  }
}

const refuse = (status: number, ...errors: readonly string[]): Answered =>
  new Answered(renderError(status, errors))

/** What a request's form comes to: a request for the core, its answer, or the page it wants. */
export type Interpreted =
  | { readonly request: HttpRequest }
  | { readonly answer: HttpAnswer }
  | { readonly page: Target }

/** Judges all that is decided before routing (spec/auth.md 1.1 to 1.3); at once, but for a request with a long body. */
export const interpret = (
  raw: RawRequest,
  origin: Origin,
  options: InterpretOptions,
): Interpreted | Promise<Interpreted> => {
  const judged = judge(raw, origin, options, undefined)
  // The body is the last thing that is looked at but for some headers, so that little is judged twice.
  return judged === 'long'
    ? readLong(raw.body, options.limits).then(
        (long) => judge(raw, origin, options, long) as Interpreted,
      )
    : judged
}

const judge = (
  raw: RawRequest,
  origin: Origin,
  options: InterpretOptions,
  long: LongBody | undefined,
): Interpreted | 'long' => {
  try {
    return { request: requestOf(raw, origin, options, long) }
  } catch (error) {
    if (error instanceof IsLong) return 'long'
    if (error instanceof Answered) return { answer: error.answer }
    if (error instanceof ForPage) return { page: error.target }
    if (error instanceof BadInlineAuth) return { answer: renderError(500, [error.message]) }
    if (error instanceof BadBody) return { answer: renderError(error.status, [error.message]) }
    throw error
  }
}

/** Whether the body of such a request is taken piece by piece, in place of all at once. */
export const takesStream = (
  method: string,
  target: string,
  streamedPaths: InterpretOptions['streamedPaths'],
): boolean => {
  if (streamedPaths === undefined || (method !== 'POST' && method !== 'PUT')) return false
  const path = parseTarget(target)?.path
  return path?.startsWith('/v1/') === true && streamedPaths(path.slice('/v1/'.length))
}

const requestOf = (
  raw: RawRequest,
  origin: Origin,
  options: InterpretOptions,
  long: LongBody | undefined,
): HttpRequest => {
  checkHost(raw.headers, options.hostCheck)
  const target = parseTarget(raw.target)
  if (!target)
    throw new Answered({
      status: 400,
      contentType: 'text/plain; charset=utf-8',
      body: '400 Bad Request',
    })
  if (!isPrintable(target.path)) throw new Answered({ status: 400, body: undefined })
  if (options.hasPages === true && target.path.startsWith('/ui/')) throw new ForPage(target)
  if (!target.path.startsWith('/v1/')) throw new Answered(outside(raw.method, target.path))

  const query = parseQuery(target.query)
  const help = raw.method === 'HELP' || (query.get('help')?.[0] ?? '') !== ''
  const common = {
    method: raw.method,
    headers: raw.headers,
    token: tokenOf(raw.headers),
    namespace: namespaceOf(raw.headers),
    wrapTtlSeconds: undefined,
    wrapFormat: undefined,
    mfaHeaders: NO_MFA,
    ...origin,
  }
  const path = target.path.slice('/v1/'.length)
  if (help) return { ...common, operation: 'help', path, data: undefined }
  checkClean(raw.method, target)

  const rawMethods = options.rawMethods?.(path)
  if (rawMethods && !rawMethods.includes(raw.method)) throw refuse(405)
  const { operation, data, ...bodies } = readOperation(raw, query, options.limits, long)
  const asked = { ...common, operation, data, ...bodies }
  if (rawMethods) return { ...asked, path }

  const wrapTtlSeconds = wrapTtlOf(raw.headers)
  const mfaHeaders = mfaHeadersOf(raw.headers)
  const inlineAuth = inlineAuthOf(raw.headers, common.token)
  if (isRelative(path)) throw refuse(400, 'relative paths not supported')
  const writes = operation === 'update' || operation === 'patch'
  if (writes && path.endsWith('/')) throw refuse(400, "cannot write to a path ending in '/'")
  const lists = operation === 'list' || operation === 'scan'
  return {
    ...asked,
    path: lists && !path.endsWith('/') ? `${path}/` : path,
    wrapTtlSeconds,
    wrapFormat: firstHeader(raw.headers, 'x-vault-wrap-format') === 'jwt' ? 'jwt' : undefined,
    mfaHeaders,
    ...(inlineAuth && { inlineAuth }),
  }
}

const checkHost = (headers: HttpHeaders, allowed: readonly string[] | undefined): void => {
  if (!allowed) return
  const host = firstHeader(headers, 'host') ?? ''
  const name = host.replace(/:\d*$/, '').toLowerCase()
  if (allowed.includes(name)) return
  throw refuse(
    403,
    `the Host header names ${JSON.stringify(name)}, but this development server answers only to ${allowed.join(', ')}: ` +
      'this keeps web pages from reaching it through a name of their own',
  )
}

const ROBOTS = 'User-agent: *\nDisallow: /\n'

/** The answers to paths that do not begin with `/v1/`. */
const outside = (method: string, path: string): HttpAnswer => {
  if (path === '/robots.txt')
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: ROBOTS }
  if (path === '/' || path === '/ui') return redirect(method, '/ui/')
  return renderError(404, [])
}

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}

/** 307; only GET and HEAD get a page with the link. */
const redirect = (method: string, location: string): HttpAnswer => {
  const headers = { Location: location.replace(/[^\x21-\x7e]/g, percent) }
  if (method !== 'GET' && method !== 'HEAD') return { status: 307, headers, body: undefined }
  const href = location.replace(/[&<>"']/g, (sign) => HTML[sign] as string)
  return {
    status: 307,
    headers,
    contentType: 'text/html; charset=utf-8',
    body: `<a href="${href}">Temporary Redirect</a>.\n\n`,
  }
}

const percent = (unit: string): string =>
  `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/** Relative and empty segments in the path as it was sent are answered with the clean path. */
const checkClean = (method: string, target: Target): void => {
  const cleaned = cleanPath(target.escaped)
  const clean = cleaned === '/v1/sys' ? '/v1/sys/' : cleaned
  if (clean !== target.escaped)
    throw new Answered(redirect(method, target.query === '' ? clean : `${clean}?${target.query}`))
}

interface Asked {
  readonly operation: Operation
  readonly data: Readonly<Record<string, Json>> | undefined
  readonly rawBody?: Uint8Array
  readonly bodyStream?: AsyncIterable<Uint8Array>
}

/** Lines go to their route as they are: they are no object, and may be many more than one. */
const isLines = ({ headers }: RawRequest): boolean => {
  const type = firstHeader(headers, 'content-type')
  return type !== undefined && /^\s*application\/x-ndjson\s*(?:;|$)/i.test(type)
}

const readOperation = (
  raw: RawRequest,
  query: Parameters,
  limits: HttpLimits,
  long: LongBody | undefined,
): Asked => {
  switch (raw.method) {
    case 'GET':
      return readGet(query)
    case 'LIST':
      return { operation: 'list', data: queryData(query) }
    case 'SCAN':
      return { operation: 'scan', data: queryData(query) }
    case 'HEAD':
      return { operation: 'header', data: queryData(query) }
    case 'DELETE':
      return { operation: 'delete', data: queryData(query) }
    case 'POST':
    case 'PUT':
      if (raw.bodyStream !== undefined) {
        return { operation: 'update', data: queryData(query), bodyStream: raw.bodyStream }
      }
      if (isLines(raw)) return { operation: 'update', data: queryData(query), rawBody: raw.body }
      return {
        operation: 'update',
        data: writeBody(firstHeader(raw.headers, 'content-type'), raw.body, limits, long),
      }
    case 'PATCH':
      return {
        operation: 'patch',
        data: patchBody(firstHeader(raw.headers, 'content-type'), raw.body, limits, long),
      }
    case 'OPTIONS':
      throw refuse(400, 'cannot handle internal-only request operation')
    default:
      throw refuse(405)
  }
}

/** A GET is a list or scan when its query says so; saying both, or neither clearly, is refused. */
const readGet = (query: Parameters): Asked => {
  if (query.size === 0) return { operation: 'read', data: undefined }
  const list = flag(query, 'list')
  const scan = flag(query, 'scan')
  if (list && scan) throw refuse(400)
  if (list) return { operation: 'list', data: queryData(query, 'list') }
  if (scan) return { operation: 'scan', data: queryData(query, 'scan') }
  return { operation: 'read', data: queryData(query, 'list', 'scan') }
}

const flag = (query: Parameters, name: string): boolean => {
  const text = query.get(name)?.[0] ?? ''
  if (text === '') return false
  const value = parseBool(text)
  if (value === undefined) throw refuse(400)
  return value
}

const queryData = (
  query: Parameters,
  ...used: readonly string[]
): Record<string, Json> | undefined => {
  let data: Record<string, Json> | undefined
  for (const [name, values] of query) {
    if (name === 'help' || used.includes(name)) continue
    data ??= Object.create(null) as Record<string, Json>
    data[name] = values.length === 1 ? (values[0] as string) : values
  }
  return data
}

const tokenOf = (headers: HttpHeaders): string | undefined => {
  const token = firstHeader(headers, 'x-vault-token')
  if (token !== undefined && token !== '') return token
  const authorization = headers['authorization']
  if (authorization === undefined) return undefined
  for (const value of typeof authorization === 'string' ? [authorization] : authorization) {
    if (!value.startsWith('Bearer ')) continue
    const bearer = value.slice('Bearer '.length).trim()
    if (bearer !== '') return bearer
  }
  return undefined
}

/** '' for root; else the path with one slash at its end and none in front. */
const namespaceOf = (headers: HttpHeaders): string => {
  const value = firstHeader(headers, 'x-vault-namespace')
  if (value === undefined || value === '') return ''
  const path = trimSlashes(value)
  return path === '' || path === 'root' ? '' : `${path}/`
}

const wrapTtlOf = (headers: HttpHeaders): number | undefined => {
  const text = firstHeader(headers, 'x-vault-wrap-ttl')
  if (text === undefined || text === '') return undefined
  let seconds: number
  try {
    seconds = parseVaultDuration(text, { signed: true })
  } catch (error) {
    throw refuse(
      400,
      `error parsing X-Vault-Wrap-TTL header: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  if (seconds < 0)
    throw refuse(
      400,
      'error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative',
    )
  // Durations come in whole seconds; less than one still asks for wrapping, as recorded for `1ms`.
  if (seconds === 0) return /[1-9]/.test(text) ? 0.001 : undefined
  return seconds
}

const NO_MFA: readonly MfaHeader[] = []

const mfaHeadersOf = (headers: HttpHeaders): readonly MfaHeader[] => {
  const values = headers['x-vault-mfa']
  if (values === undefined || values === '') return NO_MFA
  const bad = (what: string): Answered =>
    refuse(400, `failed to parse X-Vault-MFA header: invalid data in header "X-Vault-MFA"; ${what}`)
  return (typeof values === 'string' ? [values] : values).map((text) => {
    const colon = text.indexOf(':')
    if (colon === -1) return { method: text, value: undefined }
    if (colon === 0) throw bad('missing method name or ID')
    if (colon === text.length - 1) throw bad('missing method value')
    return { method: text.slice(0, colon), value: text.slice(colon + 1) }
  })
}
