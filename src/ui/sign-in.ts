import type { Reply } from '../core/reply.ts'
import type { HttpAnswer } from '../http/request.ts'
import { isPrintable, isRelative } from '../http/target.ts'
import { limits } from '../limits.ts'
import type { Json } from '../std/json.ts'
import { applicationOf, finishAuthorize } from './authorize.ts'
import { setCookie } from './cookies.ts'
import type { Destination } from './destination.ts'
import { notice, seeOther } from './page.ts'
import { findMethod, passwordMethods } from './password-methods.ts'
import type { WaitingLogin } from './second-factor-page.ts'
import { readRequirement, secondFactorPage } from './second-factor-page.ts'
import { signInPage } from './sign-in-page.ts'
import type { Visit } from './visit.ts'

/** Said of a wrong name, a wrong password, a locked or disabled person and an unknown method alike. */
const WRONG = 'The user name or password is wrong, or you may not sign in this way.'

const BUSY = 'The server cannot sign anybody in at the moment. Try again in a minute.'

const WRONG_CODE = 'The code is wrong or was used before, or nobody confirmed in time.'

const LAPSED = 'That took too long. Sign in again.'

/** Whether a login failed for a reason that is none of the person's. */
const isBusy = (reply: Reply): boolean =>
  reply.kind === 'error' && (reply.status === 429 || reply.status > 500)

/** A name that can stand in the path of a login. */
const isName = (text: string): boolean =>
  text !== '' && text.length <= limits.uiFieldBytes && isPrintable(text) && !isRelative(text)

const field = (visit: Visit, name: string): string => visit.request.form.get(name)?.[0] ?? ''

/** What one signs in for, with the name of the application; or the page that says that it may not ask. */
const purposeOf = async (
  visit: Visit,
  destination: Destination,
): Promise<{ readonly application: string | undefined } | { readonly refused: HttpAnswer }> => {
  if (destination.kind !== 'authorize') return { application: undefined }
  const found = await applicationOf(visit, destination)
  return 'refused' in found ? found : { application: found.name }
}

/** POST `/ui/sign-in`: a name and a password. */
export const signIn = async (visit: Visit, destination: Destination): Promise<HttpAnswer> => {
  const purpose = await purposeOf(visit, destination)
  if ('refused' in purpose) return purpose.refused
  const { application } = purpose
  const username = field(visit, 'username')
  const password = field(visit, 'password')
  const other = field(visit, 'other').trim()
  const mount = other === '' ? field(visit, 'mount') : other
  const again = (error: string, status: number): Promise<HttpAnswer> =>
    signInPage(visit, { destination, application, error, status, username, mount })
  const method = findMethod(await passwordMethods(visit.server), mount)
  if (method === undefined || !isName(username) || password.length > limits.uiFieldBytes) {
    return again(WRONG, 403)
  }
  const reply = await visit.ask({ operation: 'update', ...method.login(username, password) })
  if (reply.kind !== 'success' || reply.auth === undefined) {
    return isBusy(reply) ? again(BUSY, 503) : again(WRONG, 403)
  }
  const { clientToken, mfaRequirement } = reply.auth
  const login = { username, mount: method.path }
  if (mfaRequirement === undefined) {
    return arrive(visit, destination, { ...login, token: clientToken })
  }
  const waiting = { path: destination.path, ...login, ...readRequirement(mfaRequirement) }
  return secondFactorPage(visit, { waiting, destination, application })
}

/** What was answered to each constraint, by method. */
const payloadOf = (visit: Visit, { constraints }: WaitingLogin): Record<string, Json> => {
  const payload = Object.create(null) as Record<string, Json>
  for (const [index, methods] of constraints.entries()) {
    const wanted = field(visit, `method-${index}`)
    const method = methods.find(({ id }) => id === wanted)
    if (method === undefined) continue
    const passcode = field(visit, `passcode-${index}`).trim()
    payload[method.id] = method.usesPasscode && passcode !== '' ? [passcode] : []
  }
  return payload
}

/** POST `/ui/sign-in/second-factor`: what answers the second factor, or the wish to set one up. */
export const secondFactor = async (
  visit: Visit,
  destination: Destination,
  waiting: WaitingLogin,
): Promise<HttpAnswer> => {
  const purpose = await purposeOf(visit, destination)
  if ('refused' in purpose) return purpose.refused
  const { application } = purpose
  const view = { waiting, destination, application }
  const { mount, username, requestId } = waiting
  const fromTheStart = (): Promise<HttpAnswer> =>
    signInPage(visit, { destination, application, error: LAPSED, status: 403, username, mount })
  const enrol = field(visit, 'enrol')
  if (enrol !== '') {
    const reply = await visit.ask({
      operation: 'update',
      path: 'identity/mfa/method/totp/self-enroll',
      data: { mfa_method_id: enrol, mfa_request_id: requestId },
    })
    if (reply.kind !== 'success') return fromTheStart()
    const { url, barcode } = reply.data as { readonly url: string; readonly barcode: string }
    return secondFactorPage(visit, { ...view, enrolment: { url, barcode } })
  }
  const reply = await visit.ask({
    operation: 'update',
    path: 'sys/mfa/validate',
    data: { mfa_request_id: requestId, mfa_payload: payloadOf(visit, waiting) },
  })
  if (reply.kind === 'success' && reply.auth !== undefined && reply.auth.clientToken !== '') {
    return arrive(visit, destination, { username, mount, token: reply.auth.clientToken })
  }
  if (isBusy(reply)) return secondFactorPage(visit, { ...view, error: BUSY, status: 503 })
  if (reply.kind === 'error' && reply.status === 400) return fromTheStart()
  return secondFactorPage(visit, { ...view, error: WRONG_CODE, status: 403 })
}

/** Begins a session of a new cookie, whatever the browser had, and goes on to what the person signed in for. */
const arrive = async (
  visit: Visit,
  destination: Destination,
  login: { readonly username: string; readonly mount: string; readonly token: string },
): Promise<HttpAnswer> => {
  const { server, scope, signedIn, secure } = visit
  const now = await server.now()
  if (signedIn !== undefined) await server.sessions.endByKey(scope, signedIn.key)
  const begun = await server.sessions.begin({ ...scope, now }, login)
  if (begun === undefined) return notice(403, 'You are not signed in', LAPSED)
  const cookie = setCookie('session', begun.cookie, secure)
  if (destination.kind !== 'authorize') return seeOther(destination.path, cookie)
  const found = await applicationOf(visit, destination)
  if ('refused' in found) return found.refused
  return finishAuthorize(visit, {
    destination,
    application: found.name,
    session: begun.session,
    fresh: true,
    cookie,
  })
}
