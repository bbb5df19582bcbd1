import type { Reply } from '../core/reply.ts'
import type { HttpAnswer } from '../http/request.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { answerUri, errorUri } from './authorization-request.ts'
import type { Destination } from './destination.ts'
import { formFields } from './forms.ts'
import { markup } from './markup.ts'
import { notice, page, seeOther } from './page.ts'
import type { Session } from './sessions.ts'
import { purposeLine, signInPage, targetOf } from './sign-in-page.ts'
import type { Visit } from './visit.ts'

type Authorize = Destination & { readonly kind: 'authorize' }

/** The application behind a request, or the page that says why there is none: then nobody is sent anywhere. */
export const applicationOf = async (
  visit: Visit,
  { request }: Authorize,
): Promise<{ readonly name: string } | { readonly refused: HttpAnswer }> => {
  const { server, scope } = visit
  const found = await server.application(scope.records, scope, request)
  return 'name' in found ? found : { refused: brokenLink(found.refused) }
}

const brokenLink = (why: string): HttpAnswer =>
  notice(
    400,
    'This sign-in link does not work',
    markup`The application that sent you here asked for something it may not ask for: ${why}.`,
  )

type Outcome = { readonly code: string } | { readonly error: string; readonly description: string }

const outcomeOf = (reply: Reply): Outcome => {
  if (reply.kind === 'raw') {
    const body = JSON.parse(reply.body) as Readonly<Record<string, unknown>>
    const text = (name: string): string => {
      const value = body[name]
      return typeof value === 'string' ? value : ''
    }
    if (reply.status === 200) return { code: text('code') }
    return { error: text('error'), description: text('error_description') }
  }
  if (reply.kind !== 'error') throw new Error('the authorization endpoint answers bare bodies')
  if (reply.status === 403) return { error: 'access_denied', description: 'permission denied' }
  if (reply.status >= 500) {
    return { error: 'temporarily_unavailable', description: 'the server cannot answer now' }
  }
  return { error: 'invalid_request', description: reply.errors.join(' ') }
}

const back = (request: AuthorizationRequest, error: string, why: string, cookie?: string) =>
  seeOther(errorUri(request, error, why), cookie)

/** How a request is finished. */
export interface Finish {
  readonly destination: Authorize
  readonly application: string
  readonly session: Session
  /** Whether the person has signed in for this very request: nobody is asked twice. */
  readonly fresh: boolean
  /** The session's cookie, when it is new. */
  readonly cookie?: string
}

/**
 * Asks the authorization endpoint for a code, with the token of the session, and sends the browser back to the client with what it
 * says.
 */
export const finishAuthorize = async (visit: Visit, finish: Finish): Promise<HttpAnswer> => {
  const { destination, application, session, fresh, cookie } = finish
  const { request } = destination
  const outcome = outcomeOf(
    await visit.ask({
      operation: 'update',
      path: `identity/oidc/provider/${request.provider}/authorize`,
      token: session.record.token,
      data: request.data,
    }),
  )
  if ('code' in outcome) return seeOther(answerUri(request, { code: outcome.code }), cookie)
  const { error, description } = outcome
  if (error !== 'max_age_violation' || fresh) return back(request, error, description, cookie)
  if (request.prompts.has('none')) return back(request, 'login_required', description)
  return signInPage(visit, { destination, application, username: usernameFor(request, session) })
}

const usernameFor = ({ loginHint }: AuthorizationRequest, session: Session): string =>
  loginHint === '' ? session.record.username : loginHint

/** The sign-in session is there; asks whether it is the right one. */
const choosePage = (visit: Visit, finish: Finish): HttpAnswer => {
  const { destination, session } = finish
  const { username, mount } = session.record
  return page({
    title: 'Continue',
    formTarget: targetOf(destination),
    cookie: visit.browserCookie,
    body: markup`<h1>Continue as <bdi>${username}</bdi>?</h1>
      ${purposeLine(finish)}
      <p class="soft">You are signed in with <bdi>${mount}</bdi>.</p>
      <form method="post" action="/ui/continue">
        ${formFields(visit, 'continue', { path: destination.path })}
        <button type="submit" name="as" value="me" autofocus>
          Continue as <bdi>${username}</bdi>
        </button>
        <button type="submit" name="as" value="other" class="second">Use another account</button>
      </form>`,
  })
}

/** GET of the authorization endpoint's page: signs in if need be, and goes back to the client. */
export const showAuthorize = async (visit: Visit, destination: Authorize): Promise<HttpAnswer> => {
  const { request } = destination
  const found = await applicationOf(visit, destination)
  if ('refused' in found) return found.refused
  if (request.fault !== undefined) return back(request, 'invalid_request', request.fault)
  const { prompts } = request
  const application = found.name
  const session = visit.signedIn
  if (session === undefined || prompts.has('login')) {
    if (prompts.has('none')) {
      return back(request, 'login_required', 'nobody is signed in')
    }
    return signInPage(visit, { destination, application, username: request.loginHint })
  }
  const finish = { destination, application, session, fresh: false }
  return prompts.has('select_account') || prompts.has('consent')
    ? choosePage(visit, finish)
    : finishAuthorize(visit, finish)
}

/** POST `/ui/continue`: the person has said as whom. */
export const chosen = async (visit: Visit, destination: Authorize): Promise<HttpAnswer> => {
  const found = await applicationOf(visit, destination)
  if ('refused' in found) return found.refused
  const { signedIn: session, request } = visit
  const other = request.form.get('as')?.[0] === 'other'
  if (session === undefined || other) {
    const { loginHint: username } = destination.request
    return signInPage(visit, {
      destination,
      application: found.name,
      ...(other ? {} : { username }),
    })
  }
  return finishAuthorize(visit, { destination, application: found.name, session, fresh: false })
}
