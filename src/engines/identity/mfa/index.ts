import type { BackgroundScope } from '../../../engine/engine.ts'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import type { MfaPort } from '../../../engine/ports/mfa.ts'
import type { Route } from '../../../engine/route.ts'
import { backupCodeRoutes } from './backup-codes.ts'
import { enforcementRoutes } from './enforcements.ts'
import { enrolmentRoutes } from './enrolment.ts'
import { methodRoutes } from './method-routes.ts'
import type { Outside } from './outside.ts'
import { realOutside } from './outside.ts'
import { dropLapsed, forget, held, hold } from './pending.ts'
import { prove, spend } from './prove.ts'
import { required } from './required.ts'
import { selfEnrollRoutes } from './self-enroll.ts'

/** Everything below `mfa/` (identity.md 6), and what the core asks of it at logins. `outside`: tests put their own servers there. */
export const createMfa = (
  mounts: MountDirectory,
  outside: Outside = realOutside,
): {
  readonly routes: readonly Route[]
  readonly port: MfaPort
  readonly background: (scope: BackgroundScope) => Promise<void>
} => ({
  routes: [
    ...enrolmentRoutes,
    ...selfEnrollRoutes,
    ...backupCodeRoutes,
    ...methodRoutes,
    ...enforcementRoutes(mounts),
  ],
  port: {
    required,
    hold,
    held,
    prove: (scope, login, constraints, answers) =>
      prove(scope, outside, login, constraints, answers),
    spend,
    forget,
  },
  background: dropLapsed,
})
