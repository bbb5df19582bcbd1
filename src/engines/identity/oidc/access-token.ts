import type { Call } from '../../../engine/call.ts'
import type { LiveToken, TokenRecord } from '../../../engine/ports/tokens.ts'
import type { Tx } from '../../../engine/records.ts'
import { stringifyJson } from '../../../std/json.ts'
import type { OidcDeps } from './deps.ts'
import type { ClientRecord, ProviderRecord } from './records.ts'

/** What an access token was granted. */
export interface Grant {
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** The only thing an access token may do. */
const policyOf = (call: Pick<Call, 'namespace'>, provider: ProviderRecord): string =>
  `path ${stringifyJson(`${call.namespace.path}identity/oidc/provider/${provider.name}/userinfo`)} { capabilities = ["read", "update"] }`

/** How long a client's access tokens live, in seconds: never for ever, never longer than the mount lets tokens live. */
export const accessTokenTtl = (call: Pick<Call, 'mount'>, client: ClientRecord): number => {
  const most = call.mount.maxLeaseTtlSeconds
  return Math.max(1, most > 0 ? Math.min(client.accessTokenTtl, most) : client.accessTokenTtl)
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
        creationTtl: accessTokenTtl(call, to.client),
        role: '',
        entityId: to.entityId,
        boundCidrs: [],
        mountUuid: call.mount.uuid,
        only: {
          policy: policyOf(call, to.provider),
          internal: {
            client_id: to.client.clientId,
            scopes: to.scopes.filter((scope) => to.provider.scopes.includes(scope)).join(' '),
          },
        },
      },
    },
  )

/** What an access token was granted; undefined for any other token. */
export const grantOf = ({ only }: TokenRecord): Grant | undefined => {
  const clientId = only?.internal['client_id']
  if (clientId === undefined) return undefined
  return { clientId, scopes: (only?.internal['scopes'] ?? '').split(' ').filter(Boolean) }
}
