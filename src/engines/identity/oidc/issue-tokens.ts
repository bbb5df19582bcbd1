import type { Tx } from '../../../engine/records.ts'
import type { Member } from '../../../std/json.ts'
import type { EntityRecord } from '../records.ts'
import { accessTokenTtl, composeAccessToken } from './access-token.ts'
import { halfHash } from './algorithms.ts'
import { templateEntity } from './claims-subject.ts'
import { knowsSessions } from './client-sessions.ts'
import type { Asking, GrantTools, Outcome, TokenCall } from './grant.ts'
import { providerIssuer } from './issuer.ts'
import { OFFLINE_ACCESS } from './offline-session.ts'
import type { OfflineSession } from './records.ts'
import { scopeTemplates } from './requested-scopes.ts'
import { OPENID } from './scopes.ts'

/** What a client is granted about an entity that may log in to it. */
export interface Granted {
  readonly entity: EntityRecord
  /** Without `openid`. */
  readonly scopes: readonly string[]
  /** Whether `openid` is among the scopes: without it there is no ID token. */
  readonly openid: boolean
  /** '' for none. */
  readonly nonce: string
  readonly authTime: number | undefined
  readonly sid: string
  /** The authorization code it was granted for; '' for none. */
  readonly code: string
  /** A fresh id for the access token. */
  readonly tokenId: string
  /** The offline session and the text of its current refresh token; undefined where there is none. */
  readonly offline: { readonly session: OfflineSession; readonly refreshToken: string } | undefined
}

const scopeMember = (asking: Asking, granted: Granted): string =>
  [
    ...(granted.openid ? [OPENID] : []),
    ...granted.scopes.filter(
      (scope) => asking.provider.scopes.includes(scope) && scope !== OFFLINE_ACCESS,
    ),
    OFFLINE_ACCESS,
  ].join(' ')

/** The tokens of a grant (OpenID Connect Core 3.1.3.3), with claims as the entity and its groups are now. Writes nothing. */
export const issueTokens = async (
  tx: Tx,
  call: TokenCall,
  asking: Asking,
  { answer, deps, signer }: GrantTools,
  granted: Granted,
): Promise<Outcome> => {
  const { client, provider, signing } = asking
  const { entity, offline } = granted
  const session = offline?.session
  const scopes = await scopeTemplates(tx, call, provider, granted.scopes)
  const subject = await templateEntity(tx, call, entity, scopes.templates)
  const claims = scopes.claims({ now: call.now, entity: subject })
  const access = await composeAccessToken(tx, call, deps, {
    provider,
    client,
    entityId: entity.id,
    scopes: granted.scopes,
    tokenId: granted.tokenId,
    session,
  })
  const { algorithm } = signing.ring
  const issuedAt = Math.floor(call.now / 1000)
  const idToken = (accessToken: string): Promise<string> =>
    signer.sign(signing, {
      ...claims,
      iss: providerIssuer(call, deps, provider),
      namespace: call.namespace.id,
      sub: entity.id,
      aud: client.clientId,
      iat: issuedAt,
      exp: issuedAt + client.idTokenTtl,
      nonce: granted.nonce === '' ? undefined : granted.nonce,
      auth_time: granted.authTime,
      sid: knowsSessions(client) ? granted.sid : claims['sid'],
      at_hash: halfHash(algorithm, accessToken),
      c_hash: granted.code === '' ? undefined : halfHash(algorithm, granted.code),
    })
  return async () => {
    const accessToken = deps.tokens().sealBatch(access)
    const members: Member[] = [
      ['token_type', 'Bearer'],
      ['access_token', accessToken],
    ]
    if (granted.openid) members.push(['id_token', await idToken(accessToken)])
    members.push(['expires_in', accessTokenTtl(call, client, session)])
    if (offline !== undefined) {
      members.push(['refresh_token', offline.refreshToken], ['scope', scopeMember(asking, granted)])
    }
    return answer(members)
  }
}
