import type { HttpAnswer } from '../http/request.ts'
import type { Destination } from './destination.ts'
import { formFields } from './forms.ts'
import type { MarkupValue } from './markup.ts'
import { markup } from './markup.ts'
import { formTarget, page } from './page.ts'
import type { PasswordMethod } from './password-methods.ts'
import { passwordMethods } from './password-methods.ts'
import type { Visit } from './visit.ts'

/** What a sign-in page shows besides its form. */
export interface SignInView {
  readonly destination: Destination
  /** Name of the application that asks. */
  readonly application: string | undefined
  /** What went wrong the last time. */
  readonly error?: string
  readonly status?: number
  /** As it was typed, or as the application thinks. */
  readonly username?: string
  /** Path of the mount that was chosen or typed. */
  readonly mount?: string
}

/** What stands below the heading: what one signs in for. */
export const purposeLine = ({
  destination,
  application,
}: Pick<SignInView, 'destination' | 'application'>): MarkupValue => {
  if (application !== undefined) {
    return markup`<p class="soft">
      to continue to <strong><bdi>${application}</bdi></strong>
    </p>`
  }
  return destination.kind === 'device' && markup`<p class="soft">to let a device in</p>`
}

/** What went wrong, where screen readers say it at once. */
export const errorLine = (error: string | undefined): MarkupValue =>
  error !== undefined && markup`<p class="error" role="alert" id="error">${error}</p>`

/** Where the forms of a page may lead in the end. */
export const targetOf = (destination: Destination): string | undefined =>
  destination.kind === 'authorize' ? formTarget(destination.request.redirectUri) : undefined

const otherField = (value: string): MarkupValue =>
  markup`<label for="other">Sign-in method</label>
    <input
      type="text"
      id="other"
      name="other"
      value="${value}"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      aria-describedby="other-help"
    />
    <p class="soft" id="other-help">The path it is mounted at, such as <code>userpass</code>.</p>`

/** Methods that want to be seen are offered; any other can be named. */
const methodFields = (
  visible: readonly PasswordMethod[],
  chosen: string | undefined,
): MarkupValue => {
  const among = visible.find(({ path }) => path === chosen)
  const other = among === undefined ? (chosen ?? '') : ''
  const [first] = visible
  if (first === undefined) return otherField(chosen ?? 'userpass')
  const picked = among ?? first
  const offered =
    visible.length === 1
      ? markup`<input type="hidden" name="mount" value="${first.path}" />`
      : markup`<fieldset>
          <legend>Sign in with</legend>
          ${visible.map(
            (method) =>
              markup`<label class="choice">
                <input type="radio" name="mount" value="${method.path}"${method === picked && markup` checked`} />
                <span>
                  <bdi>${method.description || method.path}</bdi>
                  ${method.description !== '' && markup`<bdi class="soft">${method.path}</bdi>`}
                </span>
              </label>`,
          )}
        </fieldset>`
  return markup`${offered}
    <details${other !== '' && markup` open`}>
      <summary>Use another sign-in method</summary>
      ${otherField(other)}
    </details>`
}

/** Asks for a name and a password. */
export const signInPage = async (visit: Visit, view: SignInView): Promise<HttpAnswer> => {
  const { destination, error, username = '', mount } = view
  const visible = (await passwordMethods(visit.server)).filter((method) => method.visible)
  const known = username !== ''
  const wrong = error !== undefined && markup` aria-invalid="true" aria-describedby="error"`
  return page({
    title: 'Sign in',
    status: view.status ?? 200,
    formTarget: targetOf(destination),
    cookie: visit.browserCookie,
    body: markup`<h1>Sign in</h1>
      ${purposeLine(view)} ${errorLine(error)}
      <form method="post" action="/ui/sign-in">
        ${formFields(visit, 'sign-in', { path: destination.path })} ${methodFields(visible, mount)}
        <label for="username">User name</label>
        <input
          type="text"
          id="username"
          name="username"
          value="${username}"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          required${wrong}${!known && markup` autofocus`}
        />
        <label for="password">Password</label>
        <input
          type="password"
          id="password"
          name="password"
          autocomplete="current-password"
          required${wrong}${known && markup` autofocus`}
        />
        <button type="submit">Sign in</button>
      </form>`,
  })
}
