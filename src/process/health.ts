import type { AuditBroker } from '../audit/broker.ts'
import type { BrokenValues } from '../barrier/broken-values.ts'
import type { Core } from '../core/core.ts'
import { rootNamespace } from '../core/core.ts'
import type { HealthPort } from '../engine/ports/health.ts'
import type { Names } from '../engine/records.ts'
import type { LiveSettings } from './live-settings.ts'

/** Records of people and groups: one that does not open is left out of lists. */
export const IDENTITY_RECORDS: readonly string[] = [
  'a',
  'al',
  'an',
  'e',
  'em',
  'en',
  'g',
  'ga',
  'gan',
  'gc',
  // Counts are shown only.
  'gk',
  'gm',
  'gn',
  'mi',
]

/** What there is behind the routes while the server is unsealed. */
export interface Behind {
  readonly core: Core
  readonly names: Names
  readonly broker: AuditBroker
  readonly settings: LiveSettings
}

/** What `sys/health` learns of a process. */
export const healthOf = (broken: BrokenValues, unsealed: () => Behind | undefined): HealthPort => ({
  broken: () => broken.counts(),
  audit: () => {
    const broker = unsealed()?.broker
    return {
      devices: broker?.devices().length ?? 0,
      failing: broker?.failingDevices() ?? [],
      allFail: broker?.failing() ?? false,
    }
  },
  isToken: async (text) => {
    const behind = unsealed()
    if (behind === undefined || text === '') return false
    const { core, names } = behind
    const scope = { namespace: rootNamespace, names, now: await core.now() }
    return (await core.ports.tokens.find(core.records, scope, text)) !== undefined
  },
})
