import { randomUUID } from 'node:crypto'
import type { Reply } from '../core/reply.ts'
import type { Request } from '../core/request.ts'
import type { SessionScope } from '../engine/ports/sessions.ts'
import type { Parameters } from '../http/parameters.ts'
import type { PageRequest } from '../http/request.ts'
import { drawCookie, readCookie, setCookie } from './cookies.ts'
import type { FormOwner } from './forms.ts'
import type { UiParts, UnsealedParts } from './server-parts.ts'
import type { Session } from './sessions.ts'

/** A request for a page, with what a form sent; nothing for GET. */
export type VisitRequest = PageRequest & { readonly form: Parameters }

/** Somebody with a browser at one of the pages. Immutable. */
export interface Visit extends FormOwner {
  readonly request: VisitRequest
  readonly server: UnsealedParts
  readonly scope: SessionScope
  /** Who has signed in with this browser. */
  readonly signedIn: Session | undefined
  /** Whether cookies are for TLS only. */
  readonly secure: boolean
  /** The cookie that makes the forms of this answer the browser's own; undefined when it has it already. */
  readonly browserCookie: string | undefined
  /** Sends a request through the server itself, on behalf of this visitor. */
  ask(
    request: Pick<Request, 'operation' | 'path' | 'data'> & { readonly token?: string },
  ): Promise<Reply>
}

/** Whether it is time to renew a session's token: it may be given for much less time than the session lasts. */
const isHalfOver = ({ token }: Session, now: number): boolean => {
  const { createdAt, expiresAt, numUses, renewable, renewedAt } = token.record
  if (token.type === 'batch' || !renewable || numUses > 0 || expiresAt === undefined) return false
  return now > ((renewedAt ?? createdAt) + expiresAt) / 2
}

/** Finds out who it is that visits, and keeps their session alive. */
export const visitOf = async (
  parts: UiParts,
  server: UnsealedParts,
  request: VisitRequest,
  secure: boolean,
): Promise<Visit> => {
  const { names, namespace, records } = server
  const { headers, remoteAddress, remotePort } = request
  const now = await server.now()
  const scope: SessionScope = { names, namespace, now, records }
  const cookie = readCookie(headers, 'session', secure)
  const signedIn =
    cookie === undefined ? undefined : await server.sessions.find(scope, cookie, remoteAddress)
  const ask: Visit['ask'] = (asked) =>
    parts.handle({
      requestId: randomUUID(),
      token: undefined,
      headers,
      wrapTtlSeconds: undefined,
      namespace: '',
      remoteAddress,
      remotePort,
      ...asked,
    })
  if (signedIn !== undefined && isHalfOver(signedIn, now)) {
    // Refused where the login's method says so: then the session ends with its token.
    await ask({
      operation: 'update',
      path: 'auth/token/renew-self',
      token: signedIn.record.token,
      data: undefined,
    })
  }
  const known = readCookie(headers, 'browser', secure)
  const browser = known ?? drawCookie()
  return {
    request,
    server,
    scope,
    signedIn,
    secure,
    names,
    now,
    browser,
    session: signedIn === undefined ? '' : Buffer.from(signedIn.key).toString('hex'),
    browserCookie: known === undefined ? setCookie('browser', browser, secure) : undefined,
    ask,
  }
}
