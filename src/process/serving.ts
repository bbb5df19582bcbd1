import { createAuditBroker } from '../audit/broker.ts'
import { BatchSealer } from '../barrier/batch-sealer.ts'
import type { LockoutConfig } from '../auth/shared/lockout.ts'
import { createLockout, defaultLockoutConfig, tunedLockout } from '../auth/shared/lockout.ts'
import { builtinEngines } from '../builtin.ts'
import type { ServerAddress } from '../config/running-server.ts'
import { urlOf } from '../config/running-server.ts'
import type { ServerConfig } from '../config/server-config.ts'
import { AuditDevices } from '../core/audit-devices.ts'
import { ensureCluster } from '../core/cluster.ts'
import type { CorePorts } from '../core/core.ts'
import { Core, rootNamespace } from '../core/core.ts'
import { Front } from '../core/front.ts'
import type { LifecycleOptions } from '../core/lifecycle.ts'
import { Lifecycle } from '../core/lifecycle.ts'
import type { AuditPort } from '../engine/ports/audit.ts'
import type { ServerFacts } from '../engine/ports/seal.ts'
import { createIdentity } from '../engines/identity/index.ts'
import { createSystemEngine } from '../engines/system/index.ts'
import { envelopeOf } from '../http/render.ts'
import type { ShareKeeper } from '../seal/share-keeper.ts'
import type { Store } from '../storage/store.ts'
import { version } from '../version.ts'
import type { Log } from './log.ts'

/** What answers requests in a process: sealed or unsealed, without listeners. */
export interface Serving {
  readonly lifecycle: Lifecycle
  readonly front: Front
  /** Reopens audit files (SIGHUP). */
  reload(): Promise<void>
  /** Told once the listeners are open: identity tokens name their address unless `api_addr` is set. */
  listensAt(addresses: readonly ServerAddress[]): void
}

/** Wires the parts of a process (the composition root, with src/server.ts and src/builtin.ts). */
export const makeServing = (parts: {
  readonly config: ServerConfig
  /** Beneath the barrier. */
  readonly store: Store
  readonly keeper: ShareKeeper
  readonly log: Log
}): Serving => {
  const { config, store, keeper, log } = parts
  let bound = ''
  const facts = factsOf(config, () => bound)
  // While sealed there are no ports; routes that need them are not reachable then.
  let ports: CorePorts | undefined
  let audit: AuditPort | undefined
  let reopenAudit = async (): Promise<void> => {}

  const open: LifecycleOptions['open'] = async (sealed, keyring, reloadKeyring) => {
    const broker = createAuditBroker({ log, now: () => Date.now() })
    let devices: AuditDevices | undefined
    const core = new Core({
      store: sealed,
      names: keyring,
      batchSealer: new BatchSealer(keyring),
      broker,
      reloadAudit: async () => devices?.reload(),
      auditedHeaders: () => devices?.auditedHeaders ?? new Map(),
      identity: (mounts, tokens) =>
        createIdentity({ mounts, tokens, apiAddress: () => facts.apiAddress }),
      engines: (made, identity) => builtinEngines(made, identity, system, lockout),
      render: envelopeOf,
      defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
      maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
      runningVersion: `v${facts.reportedVersion}+builtin`,
      reloadKeyring,
      log,
    })
    await core.start()
    devices = new AuditDevices({
      broker,
      records: core.records,
      names: keyring,
      root: rootNamespace,
      declared: config.audit.map(({ options, ...device }) => ({
        ...device,
        options: Object.fromEntries(options),
      })),
      gates: { prefixes: config.allowAuditLogPrefixing },
    })
    await devices.start()
    const cluster = await ensureCluster(core.records, rootNamespace, config.clusterName)
    ports = core.ports
    audit = devices
    reopenAudit = async () => {
      for (const { path, text } of await broker.reopen()) log(`audit device ${path}: ${text}`)
    }
    return {
      core,
      cluster,
      close: async () => {
        await core.stop()
        await broker.close()
      },
    }
  }

  const lockout = createLockout((mount) => tunedLockout(mount, lockoutOf(config, mount.type)))
  const lifecycle = new Lifecycle({ store, open, keeper, log })
  const system = createSystemEngine({
    seal: lifecycle,
    facts,
    ports: () => ports!,
    audit: () => audit!,
    lockouts: lockout,
  })
  const front = new Front({ system, core: () => lifecycle.core, log })
  return {
    lifecycle,
    front,
    reload: () => reopenAudit(),
    listensAt: (addresses) => {
      bound = addresses.map(urlOf).find((url) => !url.startsWith('unix:')) ?? ''
    },
  }
}

/** What the configuration says of lockout on mounts of a type. */
const lockoutOf = (config: ServerConfig, type: string): LockoutConfig => {
  const found = [...config.userLockout].find(([method]) => method === type)?.[1]
  if (found === undefined) return defaultLockoutConfig
  return {
    disabled: found.disabled,
    threshold: found.threshold,
    durationMs: found.durationSeconds * 1000,
    counterResetMs: found.counterResetSeconds * 1000,
  }
}

/** `bound`: the URL of the first listener, '' before there is one: what clients are told without an `api_addr`. */
const factsOf = (config: ServerConfig, bound: () => string): ServerFacts => ({
  version,
  reportedVersion: `2.6.2+signet.${version}`,
  buildDate: '2026-11-25T00:00:00Z',
  storageType: config.storage.kind,
  get apiAddress() {
    return config.apiAddress ?? bound()
  },
  defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
  maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
  allowApiAuditCreation: config.allowApiAuditCreation,
  introspectionEndpoint: config.introspectionEndpoint,
})
