import type { HttpAnswer } from '../http/request.ts'
import type { MarkupValue } from './markup.ts'
import { Markup, markup } from './markup.ts'
import { STYLE, STYLE_SOURCE } from './style.ts'

/** What a page is made of. */
export interface PageParts {
  readonly title: string
  readonly body: MarkupValue
  /** Default 200. */
  readonly status?: number
  /** Where its forms may lead besides this server: a source of a content security policy (`formTarget`). */
  readonly formTarget?: string | undefined
  /** Whether it shows an image that stands in it. */
  readonly images?: boolean
  /** A `Set-Cookie` to go with it. */
  readonly cookie?: string | undefined
}

/** `same-origin`, not `no-referrer`: under that, browsers send `Origin: null` with our own forms. */
const COMMON_HEADERS = {
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

const policyOf = ({ formTarget, images }: PageParts): string =>
  [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    ...(images === true ? ['img-src data:'] : []),
    `form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const withCookie = (cookie: string | undefined): Readonly<Record<string, string>> =>
  cookie === undefined ? {} : { 'Set-Cookie': cookie }

/** A page: nothing in it runs, nothing in it comes from elsewhere, and no other site can show it in a frame. */
export const page = (parts: PageParts): HttpAnswer => ({
  status: parts.status ?? 200,
  contentType: 'text/html; charset=utf-8',
  headers: {
    'Content-Security-Policy': policyOf(parts),
    ...COMMON_HEADERS,
    ...withCookie(parts.cookie),
  },
  body: markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${parts.title} · Signet</title>
        <style>${new Markup(STYLE)}</style>
      </head>
      <body>
        <main>
          <p class="brand">Signet</p>
          ${parts.body}
        </main>
      </body>
    </html>
`.toString(),
})

/** Sends the browser on, with GET whatever it came with. What is not printable ASCII in the location is percent-encoded. */
export const seeOther = (location: string, cookie?: string): HttpAnswer => ({
  status: 303,
  headers: {
    Location: location.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent),
    ...COMMON_HEADERS,
    ...withCookie(cookie),
  },
  body: undefined,
})

/** A page that only says something. */
export const notice = (
  status: number,
  title: string,
  text: MarkupValue,
  cookie?: string,
): HttpAnswer =>
  page({
    title,
    status,
    cookie,
    body: markup`<h1>${title}</h1><p${status >= 400 ? markup` role="alert"` : undefined}>${text}</p>`,
  })

const SCHEME = /^([a-z][a-z0-9+.-]*):/i

/**
 * What a content security policy must let a form lead to whose answer sends the browser to this address. Browsers hold every
 * redirect behind a form to it, the application's own included (seen in Chromium 156), so an origin is not enough: its scheme,
 * and https. Undefined for what is no absolute URI.
 */
export const formTarget = (uri: string): string | undefined => {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase()
  if (scheme === undefined) return undefined
  return scheme === 'https' ? 'https:' : `${scheme}: https:`
}
