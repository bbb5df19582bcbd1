import { createAuditBroker } from '../audit/broker.ts'
import { BarrierBroken } from '../barrier/barrier-broken.ts'
import { BatchSealer } from '../barrier/batch-sealer.ts'
import { BrokenValues } from '../barrier/broken-values.ts'
import type { LockoutConfig } from '../auth/shared/lockout.ts'
import { createLockout, defaultLockoutConfig, tunedLockout } from '../auth/shared/lockout.ts'
import { builtinEngines } from '../builtin.ts'
import type { ServerAddress } from '../config/running-server.ts'
import { urlOf } from '../config/running-server.ts'
import type { ServerConfig, StorageConfig } from '../config/server-config.ts'
import { AuditDevices } from '../core/audit-devices.ts'
import { ensureCluster } from '../core/cluster.ts'
import type { CorePorts } from '../core/core.ts'
import { Core, rootNamespace } from '../core/core.ts'
import { Front } from '../core/front.ts'
import type { LifecycleOptions } from '../core/lifecycle.ts'
import { Lifecycle } from '../core/lifecycle.ts'
import type { RateCounter } from '../core/rate-counter.ts'
import { LocalRates } from '../core/rate-counter.ts'
import { RateLimits } from '../core/rate-limits.ts'
import type { Reply } from '../core/reply.ts'
import { errorReply } from '../core/reply.ts'
import type { Request } from '../core/request.ts'
import { commitMeaning } from '../core/tokens.ts'
import type { Engine } from '../engine/engine.ts'
import type { IdentityPort } from '../engine/identity-port.ts'
import type { AuditPort } from '../engine/ports/audit.ts'
import type { AuthorizationPort } from '../engine/ports/authorization.ts'
import type { MetricsPort } from '../engine/ports/metrics.ts'
import { NO_QUOTAS } from '../engine/ports/quotas.ts'
import type { ServerFacts } from '../engine/ports/seal.ts'
import { createIdentity } from '../engines/identity/index.ts'
import { createSystemEngine } from '../engines/system/index.ts'
import type { Settings } from '../engines/system/settings.ts'
import { settingsRef } from '../engines/system/settings.ts'
import { noteVersion } from '../engines/system/version-history.ts'
import { envelopeOf, renderReply } from '../http/render.ts'
import type { HttpAnswer, PageRequest } from '../http/request.ts'
import { limits } from '../limits.ts'
import type { Measured } from '../metrics/measured.ts'
import { meteredRequests } from '../metrics/metered-requests.ts'
import { meteredStore } from '../metrics/metered-store.ts'
import { ProcessMeters } from '../metrics/process-meters.ts'
import { createMetricsPort } from '../metrics/tell.ts'
import type { ShareKeeper } from '../seal/share-keeper.ts'
import type { Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import type { UnsealedParts } from '../ui/server-parts.ts'
import { Sessions } from '../ui/sessions.ts'
import { createUi } from '../ui/ui.ts'
import { version } from '../version.ts'
import type { Behind } from './health.ts'
import { healthOf, IDENTITY_RECORDS } from './health.ts'
import type { LiveRestoreParts } from './live-restore.ts'
import { makeLiveRestore } from './live-restore.ts'
import { LiveSettings } from './live-settings.ts'
import { keepHeapSmall } from './small-heap.ts'
import type { Log, Logs } from './log.ts'
import { LOGGERS, LogLevels } from './log.ts'
import { withUiHeaders } from './page-rules.ts'
import type { RestoreSite } from './prepared.ts'
import { RequestGate } from './request-gate.ts'
import { makeSnapshots } from './snapshots.ts'

/** What answers requests in a process: sealed or unsealed, without listeners. */
export interface Serving {
  readonly lifecycle: Lifecycle
  readonly front: Front
  /** Answers requests, measured. */
  readonly handle: (request: Request) => Promise<Reply>
  readonly metrics: MetricsPort
  /** What is set over the API and concerns the server as a whole; nothing while sealed. */
  readonly settings: () => Promise<Settings>
  /** Answers requests below `/ui/`. */
  readonly pages: (request: PageRequest) => Promise<HttpAnswer>
  /** Reopens audit files (SIGHUP). */
  reload(): Promise<void>
  /** Has nobody use the store, so that the data can be exchanged: requests wait, those under way end. */
  rest(): Promise<void>
  /** Begins anew on the data there is now, and takes requests again. */
  resume(): Promise<void>
  /** Told once the listeners are open: identity tokens name their address unless `api_addr` is set. */
  listensAt(addresses: readonly ServerAddress[]): void
}

/** Wires the parts of a process (the composition root, with src/server.ts and src/builtin.ts). */
export const makeServing = (parts: {
  readonly config: ServerConfig
  /** Beneath the barrier. */
  readonly store: Store
  readonly keeper: ShareKeeper
  /** How snapshots are restored while it serves. */
  readonly site?: RestoreSite | undefined
  readonly log: Log
  /** What this process measures; its own unless given. */
  readonly meters?: ProcessMeters
  /** What every process of the server has measured; this one alone unless given. */
  readonly collectMeasured?: () => Promise<readonly (readonly Measured[])[]>
  /** Counts requests for the whole server; for this process alone unless given. */
  readonly rateCounter?: RateCounter
  /** Where each part has a logger of its own, whose level can be set; absent: all write to `log`. */
  readonly logs?: Logs
}): Serving => {
  keepHeapSmall()
  const { config, store, keeper, log, meters = new ProcessMeters() } = parts
  const metrics = createMetricsPort(
    parts.collectMeasured ?? (async () => [meters.measured()]),
    Date.now,
  )
  const logs: Logs = parts.logs ?? { levels: new LogLevels(config.logLevel), of: () => log }
  const broken = new BrokenValues(log, IDENTITY_RECORDS)
  let bound = ''
  const facts = factsOf(config, () => bound)
  // While sealed there are no ports; routes that need them are not reachable then.
  let ports: CorePorts | undefined
  let audit: AuditPort | undefined
  let unsealed: Behind | undefined
  let behindPages: UnsealedParts | undefined
  const rates = new RateLimits(parts.rateCounter ?? new LocalRates())
  let reopenAudit = async (): Promise<void> => {}

  const open: LifecycleOptions['open'] = async (sealed, keyring, reloadKeyring, incarnation) => {
    const broker = createAuditBroker({
      log: logs.of('audit'),
      now: () => Date.now(),
      onFailed: () => meters.auditFailures.add(),
    })
    let devices: AuditDevices | undefined
    let settings: LiveSettings | undefined
    let engines: readonly Engine[] = []
    let people: { readonly port: IdentityPort; readonly authorization: AuthorizationPort }
    const sessions = new Sessions({
      tokens: () => core.ports.tokens,
      subject: (...asked) => people.port.subject(...asked),
      times: {
        idleMs: config.uiSessionIdleSeconds * 1000,
        maxMs: config.uiSessionMaxSeconds * 1000,
      },
    })
    const core: Core = new Core({
      store: meteredStore(sealed, meters, commitMeaning),
      onLookup: (cache, hit) => meters.cacheLookups.add(cache, hit ? 'hit' : 'miss'),
      names: keyring,
      batchSealer: new BatchSealer(keyring),
      broker,
      reloadAudit: async () => devices?.reload(),
      watched: [
        { stamp: settingsRef(rootNamespace), reload: async () => void (await settings?.confirm()) },
      ],
      rates,
      auditedHeaders: () => devices?.auditedHeaders ?? new Map(),
      identity: (mounts, tokens) => {
        const apiAddress = (): string => facts.apiAddress
        const made = createIdentity({ mounts, tokens, apiAddress, sessions: () => sessions })
        people = made
        return { ...made, engine: withSessions(made.engine, sessions) }
      },
      engines: (made, identity) => {
        const builtin = builtinEngines(made, identity, system, lockout)
        engines = builtin.engines
        return builtin
      },
      render: envelopeOf,
      defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
      maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
      runningVersion: `v${facts.reportedVersion}+builtin`,
      incarnation,
      reloadKeyring,
      log,
    })
    /** An unsealing that fails leaves no keys and no background work behind. */
    const orEnd = async (step: Promise<void>): Promise<void> => {
      try {
        await step
      } catch (error) {
        await core.stop()
        await broker.close()
        throw error
      }
    }
    await orEnd(core.start())
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
    await orEnd(devices.start())
    const cluster = await ensureCluster(core.records, rootNamespace, config.clusterName)
    ports = core.ports
    behindPages = {
      records: core.records,
      names: keyring,
      namespace: rootNamespace,
      now: async () => (await sealed.versions([], deadlineIn(limits.storeWaitMs))).now,
      mounts: () => core.ports.mounts.all(rootNamespace),
      routesOf: (mount) => {
        const engine = engines.find((one) => one.class === mount.class && one.type === mount.type)
        return engine?.routesFor?.(core.ports.mounts.view(mount)) ?? engine?.routes ?? []
      },
      application: (...asked) => people.authorization.application(...asked),
      sessions,
    }
    audit = devices
    const live = new LiveSettings({
      store: sealed,
      records: core.records,
      namespace: rootNamespace,
      onChange: ({ logLevels, quotas }) => {
        logs.levels.set(new Map(logLevels))
        rates.set(quotas ?? NO_QUOTAS)
      },
      log,
    })
    settings = live
    await orEnd(live.start(SETTINGS_MS))
    const noted = noteVersion(core.records, rootNamespace, facts, await core.now())
    await orEnd(
      noted.catch((error: unknown) => {
        // A history that is damaged keeps nobody from working.
        if (!(error instanceof BarrierBroken)) throw error
        log('the version could not be noted', error)
      }),
    )
    unsealed = { core, names: keyring, broker, settings: live }
    reopenAudit = async () => {
      for (const { path, text } of await broker.reopen()) log(`audit device ${path}: ${text}`)
    }
    return {
      core,
      cluster,
      close: async () => {
        await live.stop()
        await core.stop()
        await broker.close()
      },
    }
  }

  const gate = new RequestGate({ endMs: limits.restoreEndMs, waitMs: limits.restoreWaitMs })
  const rest = async (): Promise<void> => {
    await gate.close()
    await lifecycle.rest()
  }
  const resume = async (): Promise<void> => {
    try {
      await lifecycle.reopen(true)
    } finally {
      gate.open()
    }
  }
  /** The data is in place whatever comes of it, and whoever looks after the keys tries again. */
  const problemOf = async (opening: Promise<void>): Promise<string | undefined> => {
    try {
      await opening
      return undefined
    } catch (error) {
      log('opening the data after a restore failed', error)
      return error instanceof Error ? error.message : String(error)
    }
  }
  const enforce: LiveRestoreParts['enforce'] = async (prepared) => {
    if (parts.site?.mustRest !== true) {
      const keptAs = await prepared.exchange()
      return { keptAs, problem: await problemOf(lifecycle.reopen()) }
    }
    await rest()
    let keptAs: string | undefined
    try {
      keptAs = await prepared.exchange()
    } catch (error) {
      await problemOf(resume())
      throw error
    }
    return { keptAs, problem: await problemOf(resume()) }
  }

  const lockout = createLockout((mount) => tunedLockout(mount, lockoutOf(config, mount.type)))
  const lifecycle = new Lifecycle({ store, open, keeper, broken, log })
  const system = createSystemEngine({
    seal: lifecycle,
    facts,
    ports: () => ports!,
    audit: () => audit!,
    lockouts: lockout,
    metrics,
    snapshots: makeSnapshots({
      store,
      facts,
      status: () => lifecycle.status(),
      restore: makeLiveRestore({
        store,
        site: parts.site,
        enforce,
        isSealed: () => lifecycle.core === undefined,
        log,
      }),
    }),
    settings: {
      configuredLogLevels: () => new Map(LOGGERS.map((name) => [name, logs.levels.configured])),
      follow: async () => void (await unsealed?.settings.confirm()),
    },
    health: healthOf(broken, () => (lifecycle.core === undefined ? undefined : unsealed)),
  })
  const front = new Front({
    system,
    core: () => lifecycle.core,
    reopen: () => lifecycle.reopen(),
    log,
  })
  const methodAt = async (path: string): Promise<string | undefined> =>
    (await lifecycle.core?.ports.mounts.covering(rootNamespace, path))?.type
  const handle = meteredRequests(meters, methodAt, (request) => front.handle(request))
  const gated = async (request: Request): Promise<Reply> => {
    // A restore is what the others wait for.
    if (request.bodyStream !== undefined) return handle(request)
    const passed = await gate.pass(() => handle(request))
    return passed.kind === 'through' ? passed.value : RESTORING
  }
  const settingsNow = async (): Promise<Settings> =>
    lifecycle.core === undefined ? {} : ((await unsealed?.settings.confirmOrLast()) ?? {})
  const pages = withUiHeaders(
    createUi({
      handle,
      unsealed: () => (lifecycle.core === undefined ? undefined : behindPages),
      apiAddress: () => facts.apiAddress,
      log,
    }),
    settingsNow,
  )
  return {
    lifecycle,
    front,
    settings: settingsNow,
    handle: gated,
    metrics,
    pages: async (request) => {
      const passed = await gate.pass(() => pages(request))
      return passed.kind === 'through' ? passed.value : renderReply(RESTORING)
    },
    rest,
    resume,
    reload: () => reopenAudit(),
    listensAt: (addresses) => {
      bound = addresses.map(urlOf).find((url) => !url.startsWith('unix:')) ?? ''
    },
  }
}

/** While a snapshot is restored, for those who have waited long enough or were not waited for. */
const RESTORING = errorReply(503, [
  'a snapshot is being restored: what was changed until now goes with the old data; try again',
])

/** How often a process looks whether another has changed the settings. */
const SETTINGS_MS = 1_000

/** The identity engine also ends sign-in sessions that are over. */
const withSessions = (engine: Engine, sessions: Sessions): Engine => ({
  ...engine,
  background: async (scope) => {
    await Promise.all([engine.background?.(scope), sessions.background(scope)])
  },
})

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

const storageTypeOf = (storage: StorageConfig): string =>
  storage.kind === 'lmdb' && storage.temporary === true ? 'inmem' : storage.kind

/** `bound`: the URL of the first listener, '' before there is one: what clients are told without an `api_addr`. */
const factsOf = (config: ServerConfig, bound: () => string): ServerFacts => ({
  version,
  reportedVersion: `2.6.2+signet.${version}`,
  buildDate: '2026-11-25T00:00:00Z',
  storageType: storageTypeOf(config.storage),
  get apiAddress() {
    return config.apiAddress ?? bound()
  },
  defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
  maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
  allowApiAuditCreation: config.allowApiAuditCreation,
  introspectionEndpoint: config.introspectionEndpoint,
})
