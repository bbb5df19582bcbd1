import type { Tx } from '../../../engine/records.ts'
import { findSubject } from '../subject.ts'
import { isAssigned } from './assignments.ts'
import { DUE_CODE, dueRef } from './due.ts'
import type { Asking, Grant, GrantTools, Outcome, TokenCall } from './grant.ts'
import { issueTokens } from './issue-tokens.ts'
import { OAuthError, invalidGrant, invalidRequest } from './oauth-error.ts'
import { beginSession, endSession, newSession } from './offline-session.ts'
import { checkVerifier } from './pkce.ts'
import type { CodeRecord, OfflineSession } from './records.ts'
import type { RefreshToken } from './refresh-token.ts'
import { firstRefreshToken } from './refresh-token.ts'
import { codeRef, sessionRef } from './refs.ts'

/** What is drawn for a request before it is known whether it is granted anything. */
interface Drawn {
  readonly tokenId: string
  readonly refresh: RefreshToken
}

/**
 * Exchanges an authorization code (identity.md 5.11). The code goes in the commit that decides, whatever it decides: of two
 * requests with one code, at whichever process, one finds it. From then on a refusal is a value, so that the code is gone.
 * A code that began an offline session is remembered until its time is over: brought again, it ends that (RFC 6749 4.1.2).
 */
export const exchangeCode =
  (tools: GrantTools): Grant =>
  (call) => {
    const drawn: Drawn = {
      tokenId: call.newId(),
      refresh: firstRefreshToken(call.names, call.newId(), call.randomBytes),
    }
    return async (tx, asking) => {
      if (call.input.code === '') throw invalidRequest('code parameter is required')
      const ref = codeRef(call, call.input.code)
      const code = await tx.get(ref)
      const spent = invalidGrant('authorization grant is invalid or expired')
      if (code === undefined || code.expiresAt <= call.now) throw spent
      if (code.spentFor !== undefined) {
        const session = await tx.get(sessionRef(call, code.spentFor))
        if (session?.clientId === asking.client.clientId) endSession(tx, call, session)
        return spent
      }
      tx.delete(ref)
      const hash = call.names.hash('oidc-code', call.input.code)
      const due = dueRef(call, DUE_CODE, hash, code.expiresAt)
      tx.delete(due)
      try {
        const { session, outcome } = await redeem(tx, call, asking, code, tools, drawn)
        if (session !== undefined) {
          beginSession(tx, call, session, asking.client)
          tx.put(ref, { ...code, spentFor: session.id })
          tx.put(due, { due: true })
        }
        return outcome
      } catch (error) {
        if (error instanceof OAuthError) return error
        throw error
      }
    }
  }

const checkCode = (call: TokenCall, { client, provider }: Asking, code: CodeRecord): void => {
  const { redirect_uri: redirectUri } = call.input
  if (code.clientId !== client.clientId) {
    throw invalidGrant('authorization code was not issued to the client')
  }
  if (code.provider !== provider.name) {
    throw invalidGrant('authorization code was not issued by the provider')
  }
  if (redirectUri === '') throw invalidRequest('redirect_uri parameter is required')
  if (redirectUri !== code.redirectUri) {
    throw invalidGrant(
      'redirect_uri does not match the redirect_uri used in the authorization request',
    )
  }
}

const redeem = async (
  tx: Tx,
  call: TokenCall,
  asking: Asking,
  code: CodeRecord,
  tools: GrantTools,
  { tokenId, refresh }: Drawn,
): Promise<{ readonly session: OfflineSession | undefined; readonly outcome: Outcome }> => {
  const { client } = asking
  checkCode(call, asking, code)
  const entity = await findSubject(tx, call.namespace.number, code.entityId)
  if (entity === undefined) {
    throw invalidRequest('identity entity associated with the request not found')
  }
  const assigned = entity.disabled ? false : await isAssigned(tx, call, client, entity.id)
  if (typeof assigned === 'object') {
    throw new OAuthError('server_error', `client assignment "${assigned.missing}" not found`)
  }
  if (!assigned) throw invalidRequest('identity entity not authorized by client assignment')
  checkVerifier(
    client,
    code.challenge,
    call.has('code_verifier') ? (call.input.code_verifier ?? '') : undefined,
  )
  const { scopes, authTime, sid } = code
  const granted = { entityId: entity.id, scopes, authTime, sid }
  const session = newSession(call, asking, granted, refresh)
  const outcome = await issueTokens(tx, call, asking, tools, {
    entity,
    scopes,
    openid: true,
    nonce: code.nonce,
    authTime,
    sid,
    code: call.input.code,
    tokenId,
    offline: session === undefined ? undefined : { session, refreshToken: refresh.text },
  })
  return { session, outcome }
}
