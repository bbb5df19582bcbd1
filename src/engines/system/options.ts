import type { AccessPort } from '../../engine/ports/access.ts'
import type { AuditPort } from '../../engine/ports/audit.ts'
import type { HealthPort } from '../../engine/ports/health.ts'
import type { LockoutPort } from '../../engine/ports/lockouts.ts'
import type { MetricsPort } from '../../engine/ports/metrics.ts'
import type { MountPort } from '../../engine/ports/mounts.ts'
import type { PolicyPort } from '../../engine/ports/policies.ts'
import type { SnapshotPort } from '../../engine/ports/snapshots.ts'
import type { SettingsPort } from '../../engine/ports/settings.ts'
import type { SealPort, ServerFacts } from '../../engine/ports/seal.ts'
import type { TokenPort } from '../../engine/ports/tokens.ts'
import type { WrappingPort } from '../../engine/ports/wrapping.ts'

/** What `sys/` asks of the core while the server is unsealed. */
export interface SystemPorts {
  readonly tokens: TokenPort
  readonly mounts: MountPort
  readonly policies: PolicyPort
  readonly access: AccessPort
  readonly wrapping: WrappingPort
}

/** What the engine of `sys/` is made with. */
export interface SystemOptions {
  readonly seal: SealPort
  readonly facts: ServerFacts
  /** Asked for by each request: there are none while sealed. */
  readonly ports: () => SystemPorts
  readonly audit: () => AuditPort
  readonly lockouts: LockoutPort
  readonly snapshots: SnapshotPort
  readonly metrics: MetricsPort
  readonly settings: SettingsPort
  readonly health: HealthPort
}
