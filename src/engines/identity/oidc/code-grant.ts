import type { Tx } from '../../../engine/records.ts'
import { findSubject } from '../subject.ts'
import { accessTokenTtl, composeAccessToken } from './access-token.ts'
import { halfHash } from './algorithms.ts'
import { isAssigned } from './assignments.ts'
import { templateEntity } from './claims-subject.ts'
import { DUE_CODE, dueRef } from './due.ts'
import type { Asking, Grant, GrantTools, Outcome, TokenCall } from './grant.ts'
import { providerIssuer } from './issuer.ts'
import { OAuthError, invalidGrant, invalidRequest } from './oauth-error.ts'
import { checkVerifier } from './pkce.ts'
import type { CodeRecord } from './records.ts'
import { codeRef } from './refs.ts'
import { scopeTemplates } from './requested-scopes.ts'

/**
 * Exchanges an authorization code (identity.md 5.11). The code goes in the commit that decides, whatever it decides: of two
 * requests with one code, at whichever process, one finds it. From then on a refusal is a value, so that the code is gone.
 */
export const exchangeCode =
  (tools: GrantTools): Grant =>
  (call) =>
  async (tx, asking) => {
    if (call.input.code === '') throw invalidRequest('code parameter is required')
    const ref = codeRef(call, call.input.code)
    const code = await tx.get(ref)
    if (code === undefined || code.expiresAt <= call.now) {
      throw invalidGrant('authorization grant is invalid or expired')
    }
    tx.delete(ref)
    const hash = call.names.hash('oidc-code', call.input.code)
    tx.delete(dueRef(call, DUE_CODE, hash, code.expiresAt))
    try {
      return await redeem(tx, call, asking, code, tools)
    } catch (error) {
      if (error instanceof OAuthError) return error
      throw error
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
  { answer, deps, signer }: GrantTools,
): Promise<Outcome> => {
  const { client, provider, signing } = asking
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
  const scopes = await scopeTemplates(tx, call, provider, code.scopes)
  const subject = await templateEntity(tx, call, entity, scopes.templates)
  const claims = scopes.claims({ now: call.now, entity: subject })
  const access = await composeAccessToken(tx, call, deps, {
    provider,
    client,
    entityId: entity.id,
    scopes: code.scopes,
  })
  const issuedAt = Math.floor(call.now / 1000)
  return async () => {
    const accessToken = deps.tokens().sealBatch(access)
    return answer([
      ['token_type', 'Bearer'],
      ['access_token', accessToken],
      [
        'id_token',
        await signer.sign(signing, {
          ...claims,
          iss: providerIssuer(call, deps, provider),
          namespace: call.namespace.id,
          sub: entity.id,
          aud: client.clientId,
          iat: issuedAt,
          exp: issuedAt + client.idTokenTtl,
          nonce: code.nonce === '' ? undefined : code.nonce,
          auth_time: code.authTime,
          at_hash: halfHash(signing.ring.algorithm, accessToken),
          c_hash: halfHash(signing.ring.algorithm, call.input.code),
        }),
      ],
      ['expires_in', accessTokenTtl(call, client)],
    ])
  }
}
