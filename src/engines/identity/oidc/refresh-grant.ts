import { limits } from '../../../limits.ts'
import { single } from './client-answer.ts'
import { entityOfGrant } from './grant-entity.ts'
import type { Grant, GrantTools } from './grant.ts'
import { issueTokens } from './issue-tokens.ts'
import { OAuthError, invalidGrant, invalidRequest } from './oauth-error.ts'
import { OFFLINE_ACCESS, endSession, goesOn } from './offline-session.ts'
import type { OfflineSession } from './records.ts'
import type { RefreshToken } from './refresh-token.ts'
import { parseRefreshToken, successorOf } from './refresh-token.ts'
import { sessionRef } from './refs.ts'
import { OPENID } from './scopes.ts'

/** One text for all tokens that give nothing, so that it tells nobody why. */
const spent = (): OAuthError => invalidGrant('refresh token is invalid, expired or revoked')

/** The scopes of an answer: those asked for, all if none are. Throws an OAuthError for one that was not granted. */
const narrowed = (
  asked: string,
  granted: readonly string[],
): { readonly scopes: readonly string[]; readonly openid: boolean } => {
  const wanted = asked.split(' ').filter((scope) => scope !== '')
  if (wanted.length === 0) return { scopes: granted, openid: true }
  const allowed = new Set([OPENID, OFFLINE_ACCESS, ...granted])
  if (!wanted.every((scope) => allowed.has(scope))) {
    throw new OAuthError('invalid_scope', 'scope exceeds what was granted')
  }
  return {
    scopes: granted.filter((scope) => wanted.includes(scope)),
    openid: wanted.includes(OPENID),
  }
}

/** What becomes of an offline session when one of its tokens comes. */
const used = (
  session: OfflineSession,
  token: RefreshToken,
  next: RefreshToken,
  now: number,
): OfflineSession | 'ends' => {
  if (token.hash === session.current) {
    return { ...session, current: next.hash, previous: token.hash, usedAt: now }
  }
  // The answer to its first use may have been lost: while the next token is unused, it is given again for a while.
  const retried = token.hash === session.previous && next.hash === session.current
  return retried && now < session.usedAt + limits.oidcRefreshGraceMs ? session : 'ends'
}

/**
 * Exchanges a refresh token (RFC 6749 6) for new tokens, the next refresh token among them. One that was exchanged before is
 * in two hands: its whole offline session ends, and no token of it is good any more.
 */
export const exchangeRefreshToken =
  (tools: GrantTools): Grant =>
  (call) => {
    const text = call.input.refresh_token
    const token = parseRefreshToken(call.names, text)
    const next = token === undefined ? undefined : successorOf(call.names, token)
    const tokenId = call.newId()
    return async (tx, asking) => {
      const { client, provider } = asking
      if (text === '') throw invalidRequest('refresh_token parameter is required')
      single('refresh_token', text)
      if (token === undefined || next === undefined) throw spent()
      const ref = sessionRef(call, token.sessionId)
      const session = await tx.get(ref)
      if (!goesOn(session, client, call.now) || session.provider !== provider.name) throw spent()
      const after = used(session, token, next, call.now)
      if (after === 'ends') {
        endSession(tx, call, session)
        return spent()
      }
      const entity = await entityOfGrant(tx, call, client, session.entityId)
      if (entity === undefined) throw spent()
      const { scopes, openid } = narrowed(call.input.scope, session.scopes)
      if (after !== session) tx.put(ref, after)
      return issueTokens(tx, call, asking, tools, {
        entity,
        scopes,
        openid,
        nonce: '',
        authTime: session.authTime,
        sid: session.sid,
        code: '',
        tokenId,
        offline: { session: after, refreshToken: next.text },
      })
    }
  }
