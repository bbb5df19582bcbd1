import type { Engine } from '../../engine/engine.ts'
import type { AuthorizationPort } from '../../engine/ports/authorization.ts'
import type { MfaPort } from '../../engine/ports/mfa.ts'
import type { IdentityPort, MountDirectory } from '../../engine/identity-port.ts'
import { SharedAnswers } from '../../engine/shared-answers.ts'
import { limits } from '../../limits.ts'
import { aliasRoutes, legacyAliasRoutes } from './alias-routes.ts'
import { entityRoutes, personaRoutes } from './entity-routes.ts'
import { groupMemberRoutes } from './group-member-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { settleLargeWrites } from './group-settle.ts'
import { aliasEntity, login } from './login.ts'
import { lookupEntityRoute } from './lookup-entity.ts'
import { dropEnded } from './membership-cleanup.ts'
import { createMfa } from './mfa/index.ts'
import type { Outside } from './mfa/outside.ts'
import { askedApplication } from './oidc/asked-application.ts'
import { runBackground } from './oidc/background.ts'
import type { OidcDeps } from './oidc/deps.ts'
import { oidcRoutes } from './oidc/routes.ts'
import { transferRoutes } from './transfer/routes.ts'
import { refreshGroups } from './renewal.ts'
import { aliasOf, subject } from './subject.ts'

/** The identity engine, and what the core asks of it at logins, renewals and each request. */
export const createIdentity = (
  deps: {
    readonly mounts: MountDirectory
    /** How providers of second factors are reached, where that is not the network. */
    readonly outside?: Outside
  } & OidcDeps,
): {
  readonly engine: Engine
  readonly port: IdentityPort
  readonly mfa: MfaPort
  readonly authorization: AuthorizationPort
} => {
  const { mounts } = deps
  const reads = { mounts, answers: new SharedAnswers(limits.cachedEntityAnswerBytes) }
  const mfa = createMfa(mounts, deps.outside)
  const storedDefaults = new Set<number>()
  return {
    engine: {
      type: 'identity',
      class: 'secret',
      summary: 'People and machines, the ways they log in, and the groups they are in',
      routes: [
        ...entityRoutes(reads),
        ...aliasRoutes(mounts),
        ...legacyAliasRoutes(mounts),
        ...personaRoutes(mounts),
        ...groupRoutes(deps),
        ...groupMemberRoutes(mounts),
        lookupEntityRoute(reads),
        ...transferRoutes(mounts),
        ...oidcRoutes(deps),
        ...mfa.routes,
      ],
      background: async (scope) => {
        await Promise.all([
          dropEnded(scope),
          settleLargeWrites(scope),
          runBackground(scope, storedDefaults),
          mfa.background(scope),
        ])
      },
    },
    mfa: mfa.port,
    authorization: { application: askedApplication },
    port: { login, aliasEntity, refreshGroups, subject, aliasOf },
  }
}
