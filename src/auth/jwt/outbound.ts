import type { IncomingMessage } from 'node:http'
import type { PeerCertificate } from 'node:tls'
import { limits } from '../../limits.ts'

// Loaded when somebody is asked: no start should wait for them, least of all for what an import statement reads beside.
const http = () => process.getBuiltinModule('node:http')
const https = () => process.getBuiltinModule('node:https')
const tls = () => process.getBuiltinModule('node:tls')

/** Why a document could not be had; the message is short and tells nothing of the network. */
export class OutboundFailure extends Error {
  override readonly name = 'OutboundFailure'
}

/** Whom an outbound connection trusts. */
export interface Trust {
  /** PEM certificates that alone are trusted; '' = those of the runtime. */
  readonly caPem: string
  /** Names taken in the server's certificate instead of the host of the URL; [] = the host. */
  readonly serverNames: readonly string[]
}

/** A request beyond a plain GET. */
export interface OutboundRequest {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a form by POST. */
  readonly form?: Readonly<Record<string, string>>
}

export interface OutboundAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Asks an identity provider for a document. Throws OutboundFailure; redirects from https to http are refused. */
export type Outbound = (
  url: string,
  trust: Trust,
  request?: OutboundRequest,
) => Promise<OutboundAnswer>

const parseUrl = (text: string, base?: URL): URL => {
  const url = URL.parse(text, base)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new OutboundFailure('the URL is not an http or https URL')
  }
  if (base?.protocol === 'https:' && url.protocol === 'http:') {
    throw new OutboundFailure('a redirect leads from https to http')
  }
  return url
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

const identityCheck =
  (names: readonly string[]) =>
  (host: string, certificate: PeerCertificate): Error | undefined => {
    const faults = (names.length === 0 ? [host] : names).map((name) =>
      tls().checkServerIdentity(name, certificate),
    )
    return faults.includes(undefined) ? undefined : faults[0]
  }

const send = (
  url: URL,
  trust: Trust,
  { headers = {}, form }: OutboundRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const body = form === undefined ? undefined : new URLSearchParams(form).toString()
    const options = {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body === undefined
          ? {}
          : {
              'content-type': 'application/x-www-form-urlencoded',
              'content-length': Buffer.byteLength(body),
            }),
      },
      agent: false as const,
      signal,
    }
    const outgoing =
      url.protocol === 'https:'
        ? https().request(
            url,
            {
              ...options,
              ...(trust.caPem === '' ? {} : { ca: trust.caPem }),
              checkServerIdentity: identityCheck(trust.serverNames),
            },
            resolve,
          )
        : http().request(url, options, resolve)
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const readBody = async (answer: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limits.outboundBodyBytes) {
      answer.destroy()
      throw new OutboundFailure('the answer is too long')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const follow = async (
  first: URL,
  trust: Trust,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> => {
  let url = first
  for (let hop = 0; hop <= limits.outboundRedirects; hop++) {
    const answer = await send(url, trust, request, signal)
    const status = answer.statusCode ?? 0
    const location = answer.headers.location
    const moved = REDIRECTS.has(status) && location !== undefined
    // A form may hold a client secret: it goes to the address it was meant for and nowhere else.
    if (!moved || request.form !== undefined) {
      return {
        status,
        contentType: answer.headers['content-type'] ?? '',
        body: await readBody(answer),
      }
    }
    answer.destroy()
    url = parseUrl(location, url)
  }
  throw new OutboundFailure('too many redirects')
}

const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return 'the request failed'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time'
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined ? 'the request failed' : `the request failed (${code})`
}

/** The real thing, over the network, with a deadline for all of it. */
export const outbound: Outbound = async (url, trust, request = {}) => {
  try {
    const signal = AbortSignal.timeout(limits.outboundTimeoutMs)
    return await follow(parseUrl(url), trust, request, signal)
  } catch (error) {
    if (error instanceof OutboundFailure) throw error
    throw new OutboundFailure(reason(error), { cause: error })
  }
}
