import type { HttpAnswer, HttpHeaders } from '../http/request.ts'
import { parseForm, parseQuery } from '../http/parameters.ts'
import type { Parameters } from '../http/parameters.ts'
import { limits } from '../limits.ts'
import { chosen, showAuthorize } from './authorize.ts'
import { isSecure } from './cookies.ts'
import { decideDevice, showDevice } from './device.ts'
import type { Destination } from './destination.ts'
import { destinationAt, destinationOf } from './destination.ts'
import type { FormPurpose } from './forms.ts'
import { isFromHere, readForm } from './forms.ts'
import { showHome, signOut } from './home.ts'
import { html } from './html.ts'
import { notice, seeOther } from './page.ts'
import type { WaitingLogin } from './second-factor-page.ts'
import type { UiParts } from './server-parts.ts'
import { secondFactor, signIn } from './sign-in.ts'
import type { Visit } from './visit.ts'
import { visitOf } from './visit.ts'

/** A request below `/ui/` as the listener gives it. */
export interface UiRequest {
  readonly method: string
  /** Decoded. */
  readonly path: string
  /** As sent, after the `?`; '' for none. */
  readonly query: string
  readonly headers: HttpHeaders
  readonly body: Uint8Array
  readonly remoteAddress: string
  readonly remotePort: number
  /** Whether the connection itself is secured. */
  readonly tls: boolean
}

/** Answers requests below `/ui/`. */
export type Ui = (request: UiRequest) => Promise<HttpAnswer>

/** What every form is about. */
interface About {
  readonly path: string
}

/** Where forms are sent, what for, and who takes them. */
const FORMS: ReadonlyMap<
  string,
  {
    readonly purpose: FormPurpose
    readonly take: (visit: Visit, destination: Destination, about: never) => Promise<HttpAnswer>
  }
> = new Map([
  ['/ui/sign-in', { purpose: 'sign-in', take: signIn }],
  [
    '/ui/sign-in/second-factor',
    {
      purpose: 'second-factor',
      take: (visit: Visit, destination: Destination, waiting: WaitingLogin) =>
        secondFactor(visit, destination, waiting),
    },
  ],
  ['/ui/sign-out', { purpose: 'sign-out', take: signOut }],
  [
    '/ui/continue',
    {
      purpose: 'continue',
      take: async (visit: Visit, destination: Destination) =>
        destination.kind === 'authorize' ? chosen(visit, destination) : missing(),
    },
  ],
  [
    '/ui/device',
    {
      purpose: 'device',
      take: async (visit: Visit, destination: Destination, about: { readonly userCode: string }) =>
        destination.kind === 'device'
          ? decideDevice(visit, destination, about.userCode)
          : missing(),
    },
  ],
])

const DEFAULT_DEVICE_PAGE = '/ui/vault/identity/oidc/provider/default/device'

const missing = (): HttpAnswer => notice(404, 'There is no such page', html`<a href="/ui/">Go to the start</a>`)

const wrongMethod = (allowed: string): HttpAnswer => {
  const answer = notice(405, 'This page cannot be used that way', 'Go back and try again.')
  return { ...answer, headers: { ...answer.headers, Allow: allowed } }
}

const staleForm = (path: string): HttpAnswer =>
  notice(
    403,
    'This form cannot be used any more',
    html`It was open for too long, came from elsewhere, or your browser takes no cookies from here (away from this machine they
need HTTPS). <a href="${path}">Try again</a>`,
  )

const FORM_TYPE = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i

const NO_FORM: Parameters = new Map()

/** What a form sent; undefined when it is none or too long. */
const formOf = ({ headers, body }: UiRequest): Parameters | undefined => {
  const type = headers['content-type']
  if (typeof type !== 'string' || !FORM_TYPE.test(type)) return undefined
  if (body.length > limits.uiFormBytes) return undefined
  try {
    return parseForm(Buffer.from(body).toString('latin1'))
  } catch {
    return undefined
  }
}

const badForm = (): HttpAnswer =>
  notice(400, 'This form cannot be read', 'Go back and try again.')

/** The pages below `/ui/`: signing in, and what one signs in for. They have no way into the server but its API. */
export const createUi =
  (parts: UiParts): Ui =>
  async (request) => {
    const { method, path, query, headers, remoteAddress, remotePort } = request
    const reads = method === 'GET' || method === 'HEAD'
    const parameters = parseQuery(query)
    const destination = destinationAt(path, query, parameters)
    const form = FORMS.get(path)
    if (path === '/ui/device' && reads) {
      return seeOther(query === '' ? DEFAULT_DEVICE_PAGE : `${DEFAULT_DEVICE_PAGE}?${query}`)
    }
    if (destination === undefined && form === undefined) return missing()
    if (method !== 'POST' && !reads) return wrongMethod('GET, HEAD, POST')
    const sent = method === 'POST' ? formOf(request) : NO_FORM
    if (sent === undefined) return badForm()
    // A client may send its request as a form (OpenID Connect Core 3.1.2.1): it is asked with GET, which brings the session along.
    if (destination !== undefined && method === 'POST') {
      if (destination.kind !== 'authorize') return wrongMethod('GET, HEAD')
      return seeOther(`${path}?${queryOf([parameters, sent])}`)
    }
    if (destination === undefined && reads) return wrongMethod('POST')
    const server = parts.unsealed()
    if (server === undefined) {
      return notice(503, 'The server is sealed', 'Nobody can sign in until it is unsealed.')
    }
    const secure = isSecure(headers, request.tls)
    const visit = await visitOf(
      parts,
      server,
      { method, path, query, parameters, form: sent, headers, remoteAddress, remotePort },
      secure,
    )
    if (destination !== undefined) return show(visit, destination)
    const { purpose, take } = form!
    const about = isFromHere(headers, parts.apiAddress())
      ? readForm<About>(visit, purpose, sent)
      : undefined
    const to = about === undefined ? undefined : destinationOf(about.path)
    return to === undefined ? staleForm('/ui/') : take(visit, to, about as never)
  }

const show = (visit: Visit, destination: Destination): Promise<HttpAnswer> => {
  switch (destination.kind) {
    case 'home':
      return showHome(visit)
    case 'device':
      return showDevice(visit, destination)
    case 'authorize':
      return showAuthorize(visit, destination)
  }
}

const queryOf = (all: readonly Parameters[]): string =>
  all
    .flatMap((parameters) => [...parameters])
    .flatMap(([name, values]) => values.map((value) => [name, value] as const))
    .map((pair) => pair.map((text) => encodeURIComponent(text.toWellFormed())).join('='))
    .join('&')
