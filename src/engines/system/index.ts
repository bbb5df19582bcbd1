import type { Engine } from '../../engine/engine.ts'
import { capabilityRoutes } from './capabilities.ts'
import { healthRoute, leaderRoute } from './health.ts'
import { initRoute } from './init.ts'
import { authRoutes, mountRoutes } from './mounts.ts'
import type { SystemOptions } from './options.ts'
import { policyRoutes } from './policies.ts'
import { sealRoutes } from './seal.ts'
import { wrappingRoutes } from './wrapping.ts'

export type { SystemOptions, SystemPorts } from './options.ts'

/** `sys/`: the server itself, its seal, mounts, policies, wrapping and audit. */
export const createSystemEngine = (options: SystemOptions): Engine => ({
  type: 'system',
  class: 'secret',
  summary: 'The server itself: seal, mounts, policies, wrapping, audit.',
  routes: [
    healthRoute(options),
    leaderRoute(),
    initRoute(options),
    ...sealRoutes(options),
    ...mountRoutes(options),
    ...authRoutes(options),
    ...policyRoutes(options),
    ...capabilityRoutes(options),
    ...wrappingRoutes(options),
  ],
})
