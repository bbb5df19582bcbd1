import { timingSafeEqual } from 'node:crypto'
import type { Names } from '../engine/records.ts'
import type { HttpHeaders } from '../http/request.ts'
import type { Parameters } from '../http/parameters.ts'
import { limits } from '../limits.ts'
import type { Json } from '../std/json.ts'
import type { Markup } from './markup.ts'
import { markup } from './markup.ts'

/** What a form does; a form for one thing is no good for another. */
export type FormPurpose = 'sign-in' | 'second-factor' | 'sign-out' | 'continue' | 'device'

/** Whose form it is: a browser, and the session in it ('' for none). */
export interface FormOwner {
  readonly names: Names
  readonly browser: string
  readonly session: string
  /** Store time, ms. */
  readonly now: number
}

/** Whoever signs in is somebody else afterwards, whatever session there was when the form was shown. */
const WITHOUT_SESSION: ReadonlySet<FormPurpose> = new Set(['sign-in', 'second-factor'])

const seal = (
  { names, browser, session }: FormOwner,
  purpose: FormPurpose,
  madeAt: string,
  state: string,
): Buffer => {
  const within = WITHOUT_SESSION.has(purpose) ? '' : session
  return Buffer.from(
    names.hash('ui-form', JSON.stringify([purpose, browser, within, madeAt, state])),
  )
}

/**
 * The hidden fields of a form: what it is about, and a seal that only this server can make, for this browser and session. It
 * needs no record, so whoever only looks at forms fills nothing up, and any process can check it.
 */
export const formFields = (owner: FormOwner, purpose: FormPurpose, about: Json): Markup => {
  const state = Buffer.from(JSON.stringify(about)).toString('base64url')
  const madeAt = Math.floor(owner.now).toString(36)
  const sealed = seal(owner, purpose, madeAt, state).toString('base64url')
  const hidden = (name: string, value: string): Markup =>
    markup`<input type="hidden" name="${name}" value="${value}" />`
  return markup`${hidden('state', state)}${hidden('form', `${madeAt}.${sealed}`)}`
}

/** What a form that was sent is about; undefined when it is not one of ours, of another browser or session, or too old. */
export const readForm = <T>(
  owner: FormOwner,
  purpose: FormPurpose,
  sent: Parameters,
): T | undefined => {
  const state = sent.get('state')?.[0] ?? ''
  const [madeAt = '', sealed = ''] = (sent.get('form')?.[0] ?? '').split('.')
  const wanted = seal(owner, purpose, madeAt, state)
  const given = Buffer.from(sealed, 'base64url')
  if (owner.browser === '' || given.length !== wanted.length) return undefined
  if (!timingSafeEqual(given, wanted)) return undefined
  if (owner.now - Number.parseInt(madeAt, 36) > limits.uiFormMs) return undefined
  return JSON.parse(Buffer.from(state, 'base64url').toString()) as T
}

/** What a form says it is about, whoever made it. */
export const peekForm = (sent: Parameters): unknown => {
  try {
    return JSON.parse(Buffer.from(sent.get('state')?.[0] ?? '', 'base64url').toString())
  } catch {
    return undefined
  }
}

const firstOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0]

/**
 * Whether a form was sent from a page of this server, as far as the browser says: `Sec-Fetch-Site` where there is one, else the
 * `Origin`, by its host, since a proxy may have ended TLS. A browser that says neither is left to the form's seal.
 */
export const isFromHere = (headers: HttpHeaders, apiAddress: string): boolean => {
  const site = firstOf(headers['sec-fetch-site'])
  if (site !== undefined) return site === 'same-origin'
  const origin = firstOf(headers['origin'])
  if (origin === undefined) return true
  const host = URL.parse(origin)?.host ?? ''
  if (host === '') return false
  return [firstOf(headers['host'])?.toLowerCase(), URL.parse(apiAddress)?.host].some(
    (own) => own !== undefined && (own === host || own.replace(/:(?:80|443)$/, '') === host),
  )
}
