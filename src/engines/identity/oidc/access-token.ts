import type { Call } from '../../../engine/call.ts'
import type { LiveToken, TokenRecord } from '../../../engine/ports/tokens.ts'
import type { Reader, Tx } from '../../../engine/records.ts'
import { idBytes } from '../../../engine/records.ts'
import { stringifyJson } from '../../../std/json.ts'
import type { OidcDeps } from './deps.ts'
import { DUE_REVOKED, dueRef } from './due.ts'
import { goesOn, sessionEnd } from './offline-session.ts'
import type { ClientRecord, OfflineSession, ProviderRecord } from './records.ts'
import type { Place } from './refs.ts'
import { revokedRef, sessionRef } from './refs.ts'

/** What an access token was granted. */
export interface Grant {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly provider: string
  readonly tokenId: string
  /** The offline session that gave it, and with which it ends; '' for none. */
  readonly sessionId: string
}

/** The only thing an access token may do. */
const policyOf = (call: Pick<Call, 'namespace'>, provider: ProviderRecord): string =>
  `path ${stringifyJson(`${call.namespace.path}identity/oidc/provider/${provider.name}/userinfo`)} { capabilities = ["read", "update"] }`

/**
 * How long a client's access tokens live, in seconds: never for ever, never longer than the mount lets tokens live, nor than
 * their offline session would without further use.
 */
export const accessTokenTtl = (
  call: Pick<Call, 'mount' | 'now'>,
  client: ClientRecord,
  session?: OfflineSession,
): number => {
  const bounds = [client.accessTokenTtl]
  if (call.mount.maxLeaseTtlSeconds > 0) bounds.push(call.mount.maxLeaseTtlSeconds)
  if (session !== undefined) {
    bounds.push(Math.floor((sessionEnd(session, client) - call.now) / 1000))
  }
  return Math.max(1, Math.min(...bounds))
}

/**
 * What an access token of an entity carries: a batch token without policies but the one that lets it ask userinfo of its
 * provider, dead as soon as the entity is disabled. Writes nothing.
 */
export const composeAccessToken = (
  tx: Tx,
  call: Pick<Call, 'mount' | 'namespace' | 'names' | 'now' | 'path'>,
  deps: OidcDeps,
  to: {
    readonly provider: ProviderRecord
    readonly client: ClientRecord
    readonly entityId: string
    readonly scopes: readonly string[]
    readonly tokenId: string
    readonly session: OfflineSession | undefined
  },
): Promise<LiveToken> =>
  deps.tokens().composeBatch(
    tx,
    { namespace: call.namespace, names: call.names, now: call.now },
    {
      creator: undefined,
      orphan: true,
      record: {
        policies: [],
        path: call.path,
        meta: { oidc_token_type: 'access token' },
        displayName: '',
        creationTtl: accessTokenTtl(call, to.client, to.session),
        role: '',
        entityId: to.entityId,
        boundCidrs: [],
        mountUuid: call.mount.uuid,
        only: {
          policy: policyOf(call, to.provider),
          internal: {
            client_id: to.client.clientId,
            scopes: to.scopes.filter((scope) => to.provider.scopes.includes(scope)).join(' '),
            provider: to.provider.name,
            token_id: to.tokenId,
            ...(to.session === undefined ? {} : { session_id: to.session.id }),
          },
        },
      },
    },
  )

/** What an access token was granted; undefined for any other token. */
export const grantOf = ({ only }: TokenRecord): Grant | undefined => {
  const internal = only?.internal
  const clientId = internal?.['client_id']
  if (internal === undefined || clientId === undefined) return undefined
  return {
    clientId,
    scopes: (internal['scopes'] ?? '').split(' ').filter(Boolean),
    provider: internal['provider'] ?? '',
    tokenId: internal['token_id'] ?? '',
    sessionId: internal['session_id'] ?? '',
  }
}

/** Whether an access token ended before its time: it was revoked, or its offline session was ended. */
export const isRevoked = async (
  reader: Reader,
  place: Place & Pick<Call, 'now'>,
  client: ClientRecord,
  { tokenId, sessionId }: Pick<Grant, 'tokenId' | 'sessionId'>,
): Promise<boolean> => {
  if (idBytes(tokenId) === undefined) return true
  if ((await reader.get(revokedRef(place, tokenId))) !== undefined) return true
  if (sessionId === '') return false
  return !goesOn(await reader.get(sessionRef(place, sessionId)), client, place.now)
}

/** Revokes an access token that would live until `until` (ms). */
export const revokeAccessToken = (
  tx: Tx,
  place: Pick<Place, 'namespace'>,
  tokenId: string,
  until: number,
): void => {
  tx.put(revokedRef(place, tokenId), { until })
  tx.put(dueRef(place, DUE_REVOKED, idBytes(tokenId)!, until), { due: true })
}
