import type { HttpAnswer } from '../http/request.ts'
import type { Json } from '../std/json.ts'
import type { Destination } from './destination.ts'
import { formFields } from './forms.ts'
import type { MarkupValue } from './markup.ts'
import { markup } from './markup.ts'
import { page } from './page.ts'
import { errorLine, purposeLine, targetOf } from './sign-in-page.ts'
import type { Visit } from './visit.ts'

/** A method that can answer a constraint. */
export interface FactorMethod {
  readonly id: string
  readonly label: string
  readonly usesPasscode: boolean
  /** May be set up now. */
  readonly enrols: boolean
}

/** A login that waits: what its form carries. Nothing in it is secret, and its seal keeps it as it was. */
export interface WaitingLogin {
  readonly path: string
  readonly mount: string
  readonly username: string
  readonly requestId: string
  /** One method of each must be answered. */
  readonly constraints: readonly (readonly FactorMethod[])[]
}

type JsonObject = Readonly<Record<string, Json>>

const LABELS = new Map([
  ['totp', 'Authenticator app'],
  ['duo', 'Duo'],
  ['okta', 'Okta'],
  ['pingid', 'PingID'],
])

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

const methodOf = (value: Json): FactorMethod => {
  const method = value as JsonObject
  const name = textOf(method['name'])
  const type = LABELS.get(textOf(method['type'])) ?? textOf(method['type'])
  return {
    id: textOf(method['id']),
    label: name === '' ? type : `${type} (${name})`,
    usesPasscode: method['uses_passcode'] === true,
    enrols: method['self_enrollment_enabled'] === true,
  }
}

/** What the answer to a login asks for. */
export const readRequirement = (
  requirement: Json,
): Pick<WaitingLogin, 'requestId' | 'constraints'> => {
  const { mfa_request_id: id, mfa_constraints: constraints } = requirement as JsonObject
  return {
    requestId: textOf(id),
    constraints: Object.values(constraints as JsonObject).map((constraint) =>
      ((constraint as JsonObject)['any'] as readonly Json[]).map(methodOf),
    ),
  }
}

/** What somebody needs to set an authenticator app up. */
export interface Enrolment {
  readonly url: string
  /** PNG, base64; '' for none. */
  readonly barcode: string
}

const constraintFields = (methods: readonly FactorMethod[], index: number, first: boolean) => {
  const passcode = methods.some(({ usesPasscode }) => usesPasscode)
  const optional = methods.some(({ usesPasscode }) => !usesPasscode)
  const [only] = methods
  const choice: MarkupValue =
    methods.length === 1
      ? markup`<input type="hidden" name="method-${index}" value="${only!.id}" />
          <p><bdi>${only!.label}</bdi></p>`
      : methods.map(
          (method, at) =>
            markup`<label class="choice">
              <input type="radio" name="method-${index}" value="${method.id}"${at === 0 && markup` checked`} />
              <bdi>${method.label}</bdi>
            </label>`,
        )
  return markup`<fieldset>
    <legend>${index === 0 ? 'Confirm with' : 'And with'}</legend>
    ${choice}
    ${
      passcode &&
      markup`<label for="passcode-${index}">Code${optional && markup` (not for a push)`}</label>
        <input
          type="text"
          id="passcode-${index}"
          name="passcode-${index}"
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck="false"
          ${!optional && markup` required`}${first && markup` autofocus`}
        />`
    }
    ${optional && !passcode && markup`<p class="soft">You will be asked on your device.</p>`}
  </fieldset>`
}

const enrolmentPart = ({ url, barcode }: Enrolment): MarkupValue => {
  const secret = URL.parse(url)?.searchParams.get('secret') ?? ''
  return markup`<p>Scan this with your authenticator app, then type the code that it shows.</p>
    ${barcode !== '' && markup`<img src="data:image/png;base64,${barcode}" alt="QR code for an authenticator app" />`}
    <p class="soft">Or type this key into the app: <code>${secret}</code></p>`
}

/** Asks for the second factor of a login. */
export const secondFactorPage = (
  visit: Visit,
  view: {
    readonly waiting: WaitingLogin
    readonly destination: Destination
    readonly application: string | undefined
    readonly error?: string
    readonly status?: number
    readonly enrolment?: Enrolment
  },
): HttpAnswer => {
  const { waiting, destination, error, enrolment } = view
  const enrols =
    enrolment === undefined ? waiting.constraints.flat().filter((method) => method.enrols) : []
  return page({
    title: 'Second step',
    status: view.status ?? 200,
    formTarget: targetOf(destination),
    images: enrolment !== undefined,
    cookie: visit.browserCookie,
    body: markup`<h1>Confirm that it is you</h1>
      ${purposeLine(view)} ${errorLine(error)}
      ${enrolment !== undefined && enrolmentPart(enrolment)}
      <form method="post" action="/ui/sign-in/second-factor">
        ${formFields(visit, 'second-factor', waiting as unknown as Json)}
        ${waiting.constraints.map((methods, index) => constraintFields(methods, index, index === 0))}
        <button type="submit">Continue</button>
        ${enrols.map(
          ({ id, label }) =>
            markup`<button type="submit" class="second" name="enrol" value="${id}" formnovalidate>
              Set up <bdi>${label}</bdi>
            </button>`,
        )}
      </form>`,
  })
}
