import type { Reply } from '../core/reply.ts'
import type { Request } from '../core/request.ts'
import { INLINE_AUTH_FAILED, INLINE_AUTH_MARK } from '../engine/refusal.ts'
import type { ProcessMeters } from './process-meters.ts'

type Handle<R extends Request> = (request: R) => Promise<Reply>

/** Answers requests, counted and timed. `methodAt`: the type of the auth method mounted where a path leads. */
export const meteredRequests =
  <R extends Request>(
    meters: ProcessMeters,
    methodAt: (path: string) => Promise<string | undefined>,
    handle: Handle<R>,
  ): Handle<R> =>
  async (request) => {
    const began = performance.now()
    const reply = await handle(request)
    meters.requests.observe(
      (performance.now() - began) / 1_000,
      request.operation,
      `${Math.floor(statusOf(reply) / 100)}xx`,
    )
    const { inlineAuth } = request
    const login = inlineAuth === undefined ? loginResult(request, reply) : inlineResult(reply)
    if (login !== undefined) {
      meters.logins.add((await methodAt(inlineAuth?.path ?? request.path)) ?? 'unknown', login)
    }
    return reply
  }

const statusOf = (reply: Reply): number => {
  switch (reply.kind) {
    case 'success':
      return reply.status ?? 200
    case 'none':
      return 204
    case 'stream':
      return 200
    case 'raw':
    case 'error':
      return reply.status
  }
}

const LOGIN = /^auth\/.+\/(login|callback)(\/|$)/

type LoginOutcome = 'success' | 'second-factor' | 'refused' | 'failed'

/** How a login went that came along with a request, whatever became of that. */
const inlineResult = (reply: Reply): LoginOutcome => {
  if (reply.kind === 'success' && reply.headers?.[INLINE_AUTH_MARK] !== undefined) {
    return 'second-factor'
  }
  if (reply.kind !== 'error') return 'success'
  if (reply.headers[INLINE_AUTH_MARK] !== undefined) return 'refused'
  return reply.errors[0]?.startsWith(INLINE_AUTH_FAILED) === true ? 'failed' : 'success'
}

/** How a login went; undefined for what is none. */
const loginResult = ({ path }: Request, reply: Reply): LoginOutcome | undefined => {
  if (!path.startsWith('auth/') || path.startsWith('auth/token/') || !LOGIN.test(path)) {
    return undefined
  }
  if (reply.kind === 'success' && reply.auth !== undefined) {
    return reply.auth.mfaRequirement === undefined ? 'success' : 'second-factor'
  }
  // Wrapped: the token is behind the wrapping.
  if (reply.kind === 'success' && reply.wrapInfo !== undefined) return 'success'
  if (reply.kind !== 'error') return undefined
  return reply.status >= 500 ? 'failed' : 'refused'
}
