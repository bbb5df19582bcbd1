import type { Parameters } from '../http/parameters.ts'

/** What a client sends a browser with, so that somebody signs in (OpenID Connect Core 3.1.2.1). */
export interface AuthorizationRequest {
  readonly provider: string
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  /** `none`, `login`, `select_account`, `consent`; others mean nothing. */
  readonly prompts: ReadonlySet<string>
  /** Who it probably is; '' for nobody. */
  readonly loginHint: string
  /** What goes to the authorization endpoint, as it was sent. */
  readonly data: Readonly<Record<string, string>>
  /** What is wrong with its form; undefined: nothing. */
  readonly fault: string | undefined
}

/** What the authorization endpoint takes. */
const FORWARDED = [
  'client_id',
  'scope',
  'redirect_uri',
  'response_type',
  'state',
  'nonce',
  'max_age',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
]

const OWN = ['prompt', 'login_hint', 'response_mode']

const faultOf = (parameters: Parameters, prompts: ReadonlySet<string>): string | undefined => {
  // A parameter that is there twice is read differently by different readers (RFC 6749 3.1).
  const doubled = [...FORWARDED, ...OWN].find((name) => (parameters.get(name)?.length ?? 0) > 1)
  if (doubled !== undefined) return `${doubled} parameter is there more than once`
  if (prompts.has('none') && prompts.size > 1) return 'prompt none stands alone'
  const mode = parameters.get('response_mode')?.[0] ?? ''
  return mode === '' || mode === 'query' ? undefined : 'response_mode must be query'
}

/** Reads a request; whether the client exists and may have codes sent there is not known yet. */
export const readAuthorizationRequest = (
  provider: string,
  parameters: Parameters,
): AuthorizationRequest => {
  const first = (name: string): string => parameters.get(name)?.[0] ?? ''
  const prompts = new Set(first('prompt').split(' ').filter(Boolean))
  const once = (name: string): string =>
    (parameters.get(name)?.length ?? 0) > 1 ? '' : first(name)
  const forwarded = FORWARDED.filter((name) => parameters.has(name))
  return {
    provider,
    // Of two addresses or clients none is the right one.
    clientId: once('client_id'),
    redirectUri: once('redirect_uri'),
    state: first('state'),
    prompts,
    loginHint: first('login_hint'),
    data: Object.fromEntries(forwarded.map((name) => [name, first(name)])),
    fault: faultOf(parameters, prompts),
  }
}

const UNSAID = /[^\x20\x21\x23-\x5b\x5d-\x7e]+/g

/**
 * The address that brings an answer back to the client: the one it registered, letter by letter, with these parameters added.
 * Empty ones are left out.
 */
export const answerUri = (
  { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  answer: Readonly<Record<string, string>>,
): string => {
  const hash = redirectUri.indexOf('#')
  const base = hash === -1 ? redirectUri : redirectUri.slice(0, hash)
  const fragment = hash === -1 ? '' : redirectUri.slice(hash)
  const query = Object.entries({ ...answer, state })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&')
  const sign = !base.includes('?') ? '?' : /[?&]$/.test(base) ? '' : '&'
  return `${base}${sign}${query}${fragment}`
}

/** The same for an error (RFC 6749 4.1.2.1); the description keeps only the characters that one may have. */
export const errorUri = (
  request: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  error: string,
  description: string,
): string =>
  answerUri(request, {
    error,
    error_description: description.replaceAll('"', "'").replace(UNSAID, ' ').trim(),
  })
