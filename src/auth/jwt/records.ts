import type { Call } from '../../engine/call.ts'
import { dropRange } from '../../engine/drop-range.ts'
import type { Records, Ref } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import type { TokenSettings } from '../shared/token-fields.ts'

/** `jwc/<ns><mount>`: the configuration of a mount. */
export interface ConfigRecord {
  /** New with every write: tells whether keys in memory, or a token verified a moment ago, belong to this configuration. */
  readonly revision: string
  readonly jwtValidationPubkeys: readonly string[]
  readonly jwksUrl: string
  readonly jwksCaPem: string
  readonly oidcDiscoveryUrl: string
  readonly oidcDiscoveryCaPem: string
  readonly oidcClientId: string
  readonly oidcClientSecret: string
  readonly oidcResponseMode: string
  readonly oidcResponseTypes: readonly string[]
  readonly boundIssuer: string
  readonly jwtSupportedAlgs: readonly string[]
  readonly defaultRole: string
  readonly overrideAllowedServerNames: readonly string[]
  readonly namespaceInState: boolean
}
export const configs = recordKind<ConfigRecord>('jwc')

/** `jwr/<ns><mount>H('jwt-role', lower name)`; null = never written. */
export interface RoleRecord {
  readonly name: string
  readonly roleType: 'oidc' | 'jwt'
  readonly boundAudiences: readonly string[] | null
  readonly boundSubject: string
  /** JSON text, so that numbers keep their form. */
  readonly boundClaims: string | null
  readonly boundClaimsType: 'string' | 'glob'
  readonly userClaim: string
  readonly userClaimJsonPointer: boolean
  readonly groupsClaim: string
  /** Pairs claim, metadata key. */
  readonly claimMappings: readonly (readonly [claim: string, key: string])[] | null
  readonly oidcScopes: readonly string[] | null
  readonly allowedRedirectUris: readonly string[] | null
  readonly callbackMode: 'client' | 'direct' | 'device'
  readonly pollIntervalSeconds?: number
  readonly oauth2Metadata: readonly string[] | null
  readonly verboseOidcLogging: boolean
  readonly maxAgeSeconds: number
  readonly expirationLeewaySeconds: number
  readonly notBeforeLeewaySeconds: number
  readonly clockSkewLeewaySeconds: number
  readonly tokenPoliciesTemplateClaims: boolean
  readonly oidcDisableConfirmation: boolean
  readonly token: TokenSettings
}
export const roles = recordKind<RoleRecord>('jwr')

type Place = Pick<Call, 'namespace' | 'mount' | 'names'>

/** Where the mount's configuration lives. */
export const configRef = ({ namespace, mount }: Omit<Place, 'names'>): Ref<ConfigRecord> =>
  configs.at(namespace.number, mount.key)

/** Where a role lives; the name is lower-cased already. */
export const roleRef = ({ namespace, mount, names }: Place, name: string): Ref<RoleRecord> =>
  roles.at(namespace.number, mount.key, names.hash('jwt-role', name))

/** Removes all that a mount stored, once it is disabled. */
export const dropMount = async (
  records: Records,
  { number }: Call['namespace'],
  mount: Pick<Call['mount'], 'key'>,
): Promise<void> => {
  await dropRange(records, configs.under(number, mount.key))
  await dropRange(records, roles.under(number, mount.key))
}
