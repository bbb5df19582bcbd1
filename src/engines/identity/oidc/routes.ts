import type { Route } from '../../../engine/route.ts'
import { assignmentRoutes } from './assignments.ts'
import { authorizeRoutes } from './authorize.ts'
import { clientRoutes } from './clients.ts'
import type { OidcDeps } from './deps.ts'
import { deviceApprovalRoutes } from './device-approval.ts'
import { deviceAuthorizationRoutes } from './device-authorization.ts'
import { tokenRoutes } from './identity-token.ts'
import { introspectRoutes } from './introspect.ts'
import { configRoutes } from './issuer.ts'
import { keyRoutes } from './key-routes.ts'
import { logoutRoutes } from './logout.ts'
import { offlineSessionRoutes } from './offline-session-routes.ts'
import { providerDiscoveryRoutes } from './provider-discovery.ts'
import { providerRoutes } from './providers.ts'
import { revokeRoutes } from './revoke.ts'
import { roleRoutes } from './roles.ts'
import { scopeRoutes } from './scopes.ts'
import { Signer } from './signer.ts'
import { tokenEndpointRoutes } from './token-endpoint.ts'
import { tokenIntrospectionRoutes } from './token-introspection.ts'
import { userinfoRoutes } from './userinfo.ts'
import { wellKnownRoutes } from './well-known.ts'

/** Everything below `oidc/`: identity tokens and OIDC providers (identity.md 5). */
export const oidcRoutes = (deps: OidcDeps): readonly Route[] => {
  const signer = new Signer()
  return [
    ...configRoutes(deps),
    ...keyRoutes,
    ...roleRoutes,
    ...tokenRoutes(deps, signer),
    ...introspectRoutes(deps),
    ...wellKnownRoutes(deps),
    ...assignmentRoutes,
    ...scopeRoutes,
    ...clientRoutes,
    ...providerRoutes(deps),
    ...providerDiscoveryRoutes(deps),
    ...authorizeRoutes(deps),
    ...tokenEndpointRoutes(deps, signer),
    ...userinfoRoutes(deps),
    ...revokeRoutes(deps),
    ...tokenIntrospectionRoutes(deps),
    ...deviceAuthorizationRoutes(deps),
    ...deviceApprovalRoutes,
    ...logoutRoutes(deps),
    ...offlineSessionRoutes,
  ]
}
