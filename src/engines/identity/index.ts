import type { Engine } from '../../engine/engine.ts'
import type { IdentityPort, MountDirectory } from '../../engine/identity-port.ts'
import { aliasRoutes, legacyAliasRoutes } from './alias-routes.ts'
import { entityRoutes, personaRoutes } from './entity-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { aliasEntity, login } from './login.ts'
import { lookupEntityRoute } from './lookup-entity.ts'
import { runBackground } from './oidc/background.ts'
import type { OidcDeps } from './oidc/deps.ts'
import { oidcRoutes } from './oidc/routes.ts'
import { refreshGroups } from './renewal.ts'
import { aliasOf, subject } from './subject.ts'

/** The identity engine, and what the core asks of it at logins, renewals and each request. */
export const createIdentity = (
  deps: {
    readonly mounts: MountDirectory
  } & OidcDeps,
): { readonly engine: Engine; readonly port: IdentityPort } => {
  const { mounts } = deps
  const storedDefaults = new Set<number>()
  return {
    engine: {
      type: 'identity',
      class: 'secret',
      summary: 'People and machines, the ways they log in, and the groups they are in',
      routes: [
        ...entityRoutes(mounts),
        ...aliasRoutes(mounts),
        ...legacyAliasRoutes(mounts),
        ...personaRoutes(mounts),
        ...groupRoutes(deps),
        lookupEntityRoute(mounts),
        ...oidcRoutes(deps),
      ],
      background: (scope) => runBackground(scope, storedDefaults),
    },
    port: { login, aliasEntity, refreshGroups, subject, aliasOf },
  }
}
