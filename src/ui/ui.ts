import { DataReplaced, replacedMeanwhile } from '../core/data-replaced.ts'
import { asRefusal } from '../core/records.ts'
import { Refusal } from '../engine/refusal.ts'
import type { HttpAnswer, PageRequest } from '../http/request.ts'
import { parseForm, parseQuery } from '../http/parameters.ts'
import type { Parameters } from '../http/parameters.ts'
import { limits } from '../limits.ts'
import { chosen, showAuthorize } from './authorize.ts'
import { isSecure } from './cookies.ts'
import { decideDevice, showDevice } from './device.ts'
import type { Destination } from './destination.ts'
import { destinationAt, destinationOf } from './destination.ts'
import type { FormPurpose } from './forms.ts'
import { isFromHere, peekForm, readForm } from './forms.ts'
import { showHome, signOut } from './home.ts'
import { markup } from './markup.ts'
import { notice, seeOther } from './page.ts'
import type { WaitingLogin } from './second-factor-page.ts'
import type { UiParts } from './server-parts.ts'
import { secondFactor, signIn } from './sign-in.ts'
import type { Visit } from './visit.ts'
import { visitOf } from './visit.ts'

/** Answers requests below `/ui/`; never throws. */
export type Ui = (request: PageRequest) => Promise<HttpAnswer>

/** What every form is about. */
interface About {
  readonly path: string
}

/** A form: what for, and who takes it. */
interface Form {
  readonly purpose: FormPurpose
  readonly take: (visit: Visit, destination: Destination, about: never) => Promise<HttpAnswer>
}

/** Forms by where they are sent. */
const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
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

const missing = (): HttpAnswer =>
  notice(404, 'There is no such page', markup`<a href="/ui/">Go to the start</a>`)

const wrongMethod = (allowed: string): HttpAnswer => {
  const answer = notice(405, 'This page cannot be used that way', 'Go back and try again.')
  return { ...answer, headers: { ...answer.headers, Allow: allowed } }
}

const staleForm = (path: string): HttpAnswer =>
  notice(
    403,
    'This form cannot be used any more',
    markup`It was open for too long, came from elsewhere, or your browser takes no cookies from here
      (away from this machine they need HTTPS). <a href="${path}">Try again</a>`,
  )

const FORM_TYPE = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i

const NO_FORM: Parameters = new Map()

/** What a form sent; undefined when it is none or too long. */
const formOf = ({ headers, body }: PageRequest): Parameters | undefined => {
  const type = headers['content-type']
  if (typeof type !== 'string' || !FORM_TYPE.test(type)) return undefined
  if (body.length > limits.uiFormBytes) return undefined
  try {
    return parseForm(Buffer.from(body).toString('latin1'))
  } catch {
    return undefined
  }
}

const badForm = (): HttpAnswer => notice(400, 'This form cannot be read', 'Go back and try again.')

/** The pages below `/ui/`: signing in, and what one signs in for. They have no way into the server but its API. */
export const createUi =
  (parts: UiParts): Ui =>
  async (request) => {
    try {
      return await answer(parts, request)
    } catch (error) {
      const refusal = error instanceof DataReplaced ? replacedMeanwhile() : asRefusal(error)
      if (refusal instanceof Refusal && refusal.kind === 'unavailable') {
        return notice(503, 'The server cannot answer', 'Try again in a minute.')
      }
      parts.log('a page failed', error)
      return notice(500, 'Something went wrong', 'It is a fault of the server, and logged there.')
    }
  }

/** Everything that is decided before it is known who asks; then the page or what the form was for. */
const answer = async (parts: UiParts, request: PageRequest): Promise<HttpAnswer> => {
  const { method, path, query } = request
  const reads = method === 'GET' || method === 'HEAD'
  const parameters = parseQuery(query)
  const destination = destinationAt(path, query, parameters)
  const form = FORMS.get(path)
  if (path === '/ui/device' && reads) {
    return seeOther(query === '' ? DEFAULT_DEVICE_PAGE : `${DEFAULT_DEVICE_PAGE}?${query}`)
  }
  if (destination === undefined && form === undefined) return missing()
  if (!reads && method !== 'POST') return wrongMethod('GET, HEAD, POST')
  if (reads) {
    return destination === undefined
      ? wrongMethod('POST')
      : visited(parts, request, NO_FORM, (visit) => show(visit, destination))
  }
  const sent = formOf(request)
  if (sent === undefined) return badForm()
  if (form !== undefined) {
    return visited(parts, request, sent, (visit) => taken(parts, visit, sent, form))
  }
  // A client may send its request as a form (OpenID Connect Core 3.1.2.1): GET, which follows, brings the session along.
  return destination?.kind === 'authorize'
    ? seeOther(`${path}?${queryOf([parameters, sent])}`)
    : wrongMethod('GET, HEAD')
}

/** Lets somebody in to a page, whoever it is, unless the server is sealed. */
const visited = async (
  parts: UiParts,
  request: PageRequest,
  form: Parameters,
  enter: (visit: Visit) => Promise<HttpAnswer>,
): Promise<HttpAnswer> => {
  const server = parts.unsealed()
  if (server === undefined) {
    return notice(503, 'The server is sealed', 'Nobody can sign in until it is unsealed.')
  }
  const secure = isSecure(request.headers, request.tls)
  return enter(await visitOf(parts, server, { ...request, form }, secure))
}

/** Takes a form that came back: from a page of ours, in the browser that got it. */
const taken = async (
  parts: UiParts,
  visit: Visit,
  sent: Parameters,
  { purpose, take }: Form,
): Promise<HttpAnswer> => {
  const about = isFromHere(visit.request.headers, parts.apiAddress())
    ? readForm<About>(visit, purpose, sent)
    : undefined
  const destination = about === undefined ? undefined : destinationOf(about.path)
  return destination === undefined
    ? staleForm(pathOf(sent))
    : take(visit, destination, about as never)
}

/** Where somebody may start again whose form is no good: what it said it was about, if that is a page of ours. */
const pathOf = (sent: Parameters): string => {
  const about = peekForm(sent)
  const path = typeof about === 'object' && about !== null ? (about as Partial<About>).path : ''
  return typeof path === 'string' && destinationOf(path) !== undefined ? path : '/ui/'
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
