import type { Reply } from '../core/reply.ts'
import type { HttpAnswer } from '../http/request.ts'
import type { Json } from '../std/json.ts'
import type { Destination } from './destination.ts'
import { formFields } from './forms.ts'
import { markup } from './markup.ts'
import { notice, page } from './page.ts'
import { errorLine, signInPage } from './sign-in-page.ts'
import type { Session } from './sessions.ts'
import type { Visit } from './visit.ts'

type Device = Destination & { readonly kind: 'device' }

const WRONG_CODE =
  'No device waits with this code. Look at the device again; codes last 15 minutes.'

const BUSY = 'The server cannot answer at the moment. Try again in a minute.'

/** What is shown of a refusal; those of limits say when to try again. */
const errorOf = (reply: Reply): string => {
  if (reply.kind !== 'error') return BUSY
  if (reply.status === 403) return 'You may not let devices in to this application.'
  if (reply.status === 429) return reply.errors.join(' ')
  return reply.status === 400 ? WRONG_CODE : BUSY
}

/** Asks for the code that the device shows. It is only looked up when the form is sent: a link must not use guesses up. */
const codePage = (visit: Visit, { path }: Device, userCode: string, error?: string): HttpAnswer =>
  page({
    title: 'Connect a device',
    status: error === undefined ? 200 : 403,
    cookie: visit.browserCookie,
    body: markup`<h1>Connect a device</h1>
      <p class="soft">Type the code that the device shows.</p>
      ${errorLine(error)}
      <form method="post" action="/ui/device">
        ${formFields(visit, 'device', { path, userCode: '' })}
        <label for="user-code">Code</label>
        <input
          type="text"
          id="user-code"
          name="user_code"
          value="${userCode}"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
          autofocus${error !== undefined && markup` aria-invalid="true" aria-describedby="error"`}
        />
        <button type="submit">Next</button>
      </form>`,
  })

/** GET of a provider's device page. */
export const showDevice = async (visit: Visit, destination: Device): Promise<HttpAnswer> =>
  visit.signedIn === undefined
    ? signInPage(visit, { destination, application: undefined })
    : codePage(visit, destination, destination.userCode)

const confirmPage = (
  visit: Visit,
  { path }: Device,
  session: Session,
  device: Readonly<Record<string, Json>>,
): HttpAnswer => {
  const text = (name: string): string => {
    const value = device[name]
    return typeof value === 'string' ? value : ''
  }
  const scopes = device['scopes']
  const code = text('user_code')
  return page({
    title: 'Let this device in?',
    cookie: visit.browserCookie,
    body: markup`<h1>Let this device in?</h1>
      <p>
        It will act in <bdi>${text('client_name')}</bdi> as <bdi>${session.record.username}</bdi>.
        Go on only if you have the device in front of you and it shows this code.
      </p>
      <dl>
        <dt>Code</dt>
        <dd><code>${code}</code></dd>
        <dt>Application</dt>
        <dd><bdi>${text('client_name')}</bdi></dd>
        <dt>Asked from</dt>
        <dd><bdi>${text('remote_address')}</bdi></dd>
        <dt>Asked at</dt>
        <dd>${text('creation_time')}</dd>
        ${
          Array.isArray(scopes) &&
          markup`<dt>It wants</dt>
            <dd><bdi>${scopes.join(', ')}</bdi></dd>`
        }
      </dl>
      <form method="post" action="/ui/device">
        ${formFields(visit, 'device', { path, userCode: code })}
        <button type="submit" name="decision" value="approve">Let it in</button>
        <button type="submit" name="decision" value="deny" class="second">Turn it away</button>
      </form>`,
  })
}

/** POST `/ui/device`: a code to be looked up, or what is decided about the device of one. `userCode`: the one that was shown. */
export const decideDevice = async (
  visit: Visit,
  destination: Device,
  userCode: string,
): Promise<HttpAnswer> => {
  const { signedIn, request } = visit
  if (signedIn === undefined) return signInPage(visit, { destination, application: undefined })
  const { token } = signedIn.record
  const path = `identity/oidc/provider/${destination.provider}/device`
  if (userCode === '') {
    const typed = request.form.get('user_code')?.[0] ?? ''
    const reply = await visit.ask({ operation: 'read', path, token, data: { user_code: typed } })
    if (reply.kind !== 'success') return codePage(visit, destination, typed, errorOf(reply))
    return confirmPage(visit, destination, signedIn, reply.data as Readonly<Record<string, Json>>)
  }
  const decision = request.form.get('decision')?.[0] ?? ''
  const data = { user_code: userCode, decision }
  const reply = await visit.ask({ operation: 'update', path, token, data })
  if (reply.kind !== 'none') return notice(403, 'The device was not let in', errorOf(reply))
  return decision === 'approve'
    ? notice(200, 'The device is let in', 'You can go on there, and close this page.')
    : notice(200, 'The device was turned away', 'You can close this page.')
}
