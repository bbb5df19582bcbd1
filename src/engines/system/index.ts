import type { Engine } from '../../engine/engine.ts'
import { auditRoutes } from './audit.ts'
import { capabilityRoutes } from './capabilities.ts'
import { clusterRoutes } from './cluster.ts'
import { corsRoute } from './cors.ts'
import { generateRootRoutes } from './generate-root.ts'
import { healthRoute } from './health.ts'
import { hostRoutes } from './host-info.ts'
import { initRoute } from './init.ts'
import { internalUiRoutes } from './internal-ui.ts'
import { leaseRoutes } from './leases.ts'
import { lockedUserRoutes } from './locked-users.ts'
import { loggerRoutes } from './loggers.ts'
import { metricsRoute } from './metrics.ts'
import { mfaRoutes } from './mfa.ts'
import { authRoutes, mountRoutes } from './mounts.ts'
import type { SystemOptions } from './options.ts'
import { passwordPolicyRoutes } from './password-policies.ts'
import { policyRoutes } from './policies.ts'
import { quotaRoutes } from './quotas.ts'
import { remountRoutes } from './remount.ts'
import { rotateRoutes } from './rotate.ts'
import { rotationConfigRoutes, rotationDuty } from './rotation-config.ts'
import { sealRoutes } from './seal.ts'
import { shareRotationRoutes } from './share-rotation.ts'
import { snapshotRoutes } from './snapshot.ts'
import { toolRoutes } from './tools.ts'
import { uiHeaderRoutes } from './ui-headers.ts'
import { versionHistoryRoute } from './version-history.ts'
import { wrappingRoutes } from './wrapping.ts'

export type { SystemOptions, SystemPorts } from './options.ts'

/** `sys/`: the server itself, its seal, mounts, policies, wrapping and audit. */
export const createSystemEngine = (options: SystemOptions): Engine => ({
  type: 'system',
  class: 'secret',
  summary: 'The server itself: seal, mounts, policies, wrapping, audit.',
  routes: [
    healthRoute(options),
    initRoute(options),
    ...sealRoutes(options),
    ...clusterRoutes(options),
    ...rotateRoutes(options),
    ...mountRoutes(options),
    ...authRoutes(options),
    ...remountRoutes(options),
    ...policyRoutes(options),
    ...capabilityRoutes(options),
    ...wrappingRoutes(options),
    ...auditRoutes(options),
    ...internalUiRoutes(options),
    ...lockedUserRoutes(options),
    ...snapshotRoutes(options),
    metricsRoute(options),
    ...toolRoutes(),
    ...hostRoutes(options),
    ...leaseRoutes(options),
    ...mfaRoutes(),
    ...loggerRoutes(options),
    ...passwordPolicyRoutes(),
    ...quotaRoutes(options),
    ...rotationConfigRoutes(),
    ...shareRotationRoutes(options),
    ...generateRootRoutes(options),
    corsRoute(options),
    ...uiHeaderRoutes(options),
    versionHistoryRoute(),
  ],
  background: rotationDuty(options.seal),
})
