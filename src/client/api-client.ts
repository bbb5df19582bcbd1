import { ApiError } from './api-error.ts'
import type { LiteralObject, LiteralValue } from './literal-json.ts'
import { isObject, literalText, parseLiteral } from './literal-json.ts'
import type { Secret } from './secret.ts'
import { secretFrom, texts } from './secret.ts'
import type {
  BodyStream,
  OpenAnswer,
  RawAnswer,
  RawRequest,
  TransportOptions,
} from './transport.ts'
import { Transport } from './transport.ts'

/** Everything that a client sends with each request besides the request itself. */
export type ClientOptions = TransportOptions & {
  readonly token: string
  readonly namespace?: string
  /** As the user wrote it: `60s`, `5m`. */
  readonly wrapTtl?: string
  readonly mfa?: readonly string[]
  readonly headers?: Readonly<Record<string, readonly string[]>>
  readonly followRedirects: boolean
  /** Tries beyond the first on 5xx (but 501) and 429. */
  readonly maxRetries: number
  /** Sees every request before it goes out; what it throws comes out of the call. */
  readonly intercept?: (request: ApiRequest) => void
}

/** A request in the API's terms. `path` is without `/v1/`. */
export type ApiRequest = {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: LiteralValue
  readonly contentType?: string
  /** In place of `body`: sent as they are, under `contentType`. */
  readonly bytes?: Uint8Array
  /** In place of `body`: sent as it is read, by `open` alone. */
  readonly stream?: BodyStream
}

/** An answer with its body parsed; `json` is undefined when there was none. */
export type ApiAnswer = RawAnswer & { readonly json: LiteralValue | undefined }

/** Speaks the HTTP API: one method a verb. A not-found without content is `undefined`. */
export class ApiClient {
  readonly options: ClientOptions
  readonly #transport: Transport

  constructor(options: ClientOptions) {
    this.options = options
    this.#transport = new Transport(options)
  }

  /** The same client with other options (another token, no wrapping); shares nothing else. */
  with(changes: Partial<ClientOptions>): ApiClient {
    return new ApiClient({ ...this.options, ...changes })
  }

  /** The same client without an option: in the root namespace, or with answers that are not wrapped. */
  without(name: 'namespace' | 'wrapTtl'): ApiClient {
    const { [name]: _, ...options } = this.options
    return new ApiClient(options)
  }

  /** GET; undefined when nothing is there. */
  async read(path: string, query?: ApiRequest['query']): Promise<Secret | undefined> {
    return await this.secret({ method: 'GET', path, ...(query === undefined ? {} : { query }) })
  }

  /** GET with list=true; undefined when nothing is there. */
  async list(path: string, query: ApiRequest['query'] = {}): Promise<Secret | undefined> {
    return await this.secret({ method: 'GET', path, query: { ...query, list: 'true' } })
  }

  /** The verb SCAN (a recursive list); undefined when nothing is there. */
  async scan(path: string, query: ApiRequest['query'] = {}): Promise<Secret | undefined> {
    return await this.secret({ method: 'GET', path, query: { ...query, scan: 'true' } })
  }

  /** PUT, as the reference's client writes; undefined when the answer had no content. */
  async write(path: string, body: LiteralValue = {}): Promise<Secret | undefined> {
    return await this.secret({ method: 'PUT', path, body })
  }

  /** POST, for endpoints that take nothing else; undefined when the answer had no content. */
  async post(path: string, body: LiteralValue = {}): Promise<Secret | undefined> {
    return await this.secret({ method: 'POST', path, body })
  }

  /** PATCH with a merge patch; undefined when the answer had no content. */
  async patch(path: string, body: LiteralValue): Promise<Secret | undefined> {
    const contentType = 'application/merge-patch+json'
    return await this.secret({ method: 'PATCH', path, body, contentType })
  }

  /** DELETE; undefined when the answer had no content. */
  async delete(path: string, query?: ApiRequest['query']): Promise<Secret | undefined> {
    return await this.secret({ method: 'DELETE', path, ...(query === undefined ? {} : { query }) })
  }

  /**
   * Any request as a secret: an answer without content is undefined, and so is a not-found of what
   * was to be read. Other errors are thrown, a not-found of a write among them.
   */
  async secret(request: ApiRequest): Promise<Secret | undefined> {
    const answer = await this.answer(request)
    const hint = answer.headers['signet-hint']
    const body = answer.json
    const secret = isObject(body) ? secretFrom(body) : undefined
    if (answer.status === 404) {
      const content = isObject(body) && !('errors' in body) && secret?.data !== undefined
      if (content || (secret?.warnings.length ?? 0) > 0) return secret
      if (request.method === 'GET') return undefined
      throw apiError(answer, request.method, this.url(request), this.options.namespace)
    }
    if (secret !== undefined) return secret
    return hint === undefined ? undefined : onlyHints([hint].flat())
  }

  /** Any request; throws an `ApiError` for a status of 400 and above, 404 excepted. */
  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const answer = await this.bytes(request)
    return { ...answer, json: parseBody(answer) }
  }

  /** Any request, its body left alone; throws as `answer` does. `accept` are statuses to let by. */
  async bytes(request: ApiRequest, accept: readonly number[] = [404]): Promise<RawAnswer> {
    this.options.intercept?.(request)
    const raw = this.#rawRequest(request)
    let answer = await this.#transport.send(raw)
    for (let tries = 0; tries < this.options.maxRetries && isTransient(answer.status); tries++) {
      const pause = Math.min(1000 * 2 ** tries, 1500)
      await new Promise((resolve) => setTimeout(resolve, pause))
      answer = await this.#transport.send(raw)
    }
    const location = answer.headers.location
    if (answer.status === 307 && location !== undefined && this.options.followRedirects) {
      const url = new URL(location, this.options.address)
      // A downgrade would send the token in the clear.
      if (!(this.options.address.startsWith('https:') && url.protocol === 'http:')) {
        answer = await this.#transport.send(
          { ...raw, target: url.pathname + url.search },
          url.origin,
        )
      }
    }
    if ((answer.status >= 200 && answer.status < 300) || accept.includes(answer.status)) {
      return answer
    }
    throw apiError(answer, request.method, this.url(request), this.options.namespace)
  }

  /** Any request whose answer is read piece by piece; throws an `ApiError` for a status of 400 and above. */
  async open(request: ApiRequest): Promise<OpenAnswer> {
    this.options.intercept?.(request)
    const answer = await this.#transport.open(this.#rawRequest(request))
    if (answer.status < 400) return answer
    const chunks: Buffer[] = []
    for await (const chunk of answer.body) chunks.push(chunk)
    const { status, headers } = answer
    const whole = { status, headers, body: Buffer.concat(chunks) }
    throw apiError(whole, request.method, this.url(request), this.options.namespace)
  }

  /** The whole URL of a request, as it is shown to people. */
  url(request: ApiRequest): string {
    return this.options.address.replace(/\/+$/, '') + target(request)
  }

  #rawRequest(request: ApiRequest): RawRequest {
    const { options } = this
    const headers: Record<string, string> = { 'X-Vault-Request': 'true', 'User-Agent': 'signet' }
    for (const [name, values] of Object.entries(options.headers ?? {})) {
      headers[name] = values.join(', ')
    }
    if (options.token !== '') headers['X-Vault-Token'] = options.token
    if (options.namespace !== undefined) headers['X-Vault-Namespace'] = options.namespace
    if (options.wrapTtl !== undefined) headers['X-Vault-Wrap-TTL'] = options.wrapTtl
    if (options.mfa !== undefined && options.mfa.length > 0) {
      headers['X-Vault-MFA'] = options.mfa.join(', ')
    }
    const body =
      request.stream ??
      request.bytes ??
      (request.body === undefined ? undefined : literalText(request.body))
    if (body !== undefined) headers['Content-Type'] = request.contentType ?? 'application/json'
    return { method: request.method, target: target(request), headers, body }
  }
}

function onlyHints(hints: readonly string[]): Secret {
  return { ...secretFrom({ data: null }), hints }
}

function target(request: ApiRequest): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const item of [value].flat()) query.append(name, item)
  }
  const path = request.path.split('/').map(encodeSegment).join('/')
  const queryText = query.toString()
  return queryText === '' ? `/v1/${path}` : `/v1/${path}?${queryText}`
}

// What RFC 3986 allows in a segment stays readable; everything else is percent-encoded.
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /%(?:3A|40|24|26|2B|2C|3B|3D|21|27|28|29|2A)/g,
    decodeURIComponent,
  )
}

function isTransient(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501)
}

function parseBody(answer: RawAnswer): LiteralValue | undefined {
  const body = answer.body.toString('utf8')
  if (body.trim() === '') return undefined
  try {
    return parseLiteral(body)
  } catch {
    // Text where JSON was expected (a proxy's page) has nothing to be read from.
    return undefined
  }
}

function apiError(
  answer: RawAnswer,
  method: string,
  url: string,
  namespace: string | undefined,
): ApiError {
  const json = parseBody(answer)
  const errors: LiteralObject = isObject(json) ? json : {}
  const known = Array.isArray(errors['errors'])
  const raw = known ? undefined : answer.body.toString('utf8').trimEnd()
  return new ApiError(answer.status, texts(errors['errors']), raw, { method, url }, namespace)
}
