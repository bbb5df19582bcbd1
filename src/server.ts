import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuditBroker } from './audit/broker.ts'
import { builtinEngines } from './builtin.ts'
import type { RunningServer, ServerAddress, ServerIo } from './config/running-server.ts'
import type { ListenerConfig, ServerConfig } from './config/server-config.ts'
import { AuditDevices } from './core/audit-devices.ts'
import { ensureCluster } from './core/cluster.ts'
import { Core, rootNamespace } from './core/core.ts'
import { Front } from './core/front.ts'
import type { Opened } from './core/lifecycle.ts'
import { Lifecycle } from './core/lifecycle.ts'
import type { CorePorts } from './core/core.ts'
import type { AuditPort } from './engine/ports/audit.ts'
import type { NewMount } from './engine/ports/mounts.ts'
import type { ServerFacts } from './engine/ports/seal.ts'
import { createIdentity } from './engines/identity/index.ts'
import { createSystemEngine } from './engines/system/index.ts'
import { createListener } from './http/listener.ts'
import type { Listener } from './http/listener.ts'
import { envelopeOf, renderReply } from './http/render.ts'
import { createMemoryStore } from './storage/memory/memory-store.ts'
import type { Store } from './storage/store.ts'
import { version } from './version.ts'

const GRACE_MS = 10_000

/** The composition root: the only file that wires the parts (design.md). */
export const startServer = async (config: ServerConfig, io: ServerIo): Promise<RunningServer> => {
  const log = (message: string, error?: unknown): void =>
    io.log(error === undefined ? message : `${message}: ${describe(error)}`)
  const storage = await openStorage(config)
  const store = storage.store
  const facts = factsOf(config)

  // While sealed there are no ports; routes that need them are not reachable then.
  let ports: CorePorts | undefined
  let audit: AuditPort | undefined
  const lifecycle = new Lifecycle({ store, open: (...args) => openCore(...args), log })
  const system = createSystemEngine({
    seal: lifecycle,
    facts,
    ports: () => ports!,
    audit: () => audit!,
  })
  const front = new Front({ system, core: () => lifecycle.core, log })
  let reopenAudit = async (): Promise<void> => {}

  const openCore: ConstructorParameters<typeof Lifecycle>[0]['open'] = async (
    sealed,
    keyring,
    reloadKeyring,
  ): Promise<Opened> => {
    const broker = createAuditBroker({ log, now: () => Date.now() })
    const core = new Core({
      store: sealed,
      names: keyring,
      broker,
      identity: (mounts) => createIdentity({ mounts }),
      engines: (made, identity) => builtinEngines(made, identity, system),
      render: envelopeOf,
      defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
      maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
      runningVersion: `v${facts.reportedVersion}+builtin`,
      reloadKeyring,
      log,
    })
    await core.start()
    const devices = new AuditDevices({
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

  const dev = config.dev === undefined ? undefined : await startDevelopment(config, lifecycle)
  const { listeners, addresses } = await listen(config, front, log)
  return {
    addresses,
    ...dev,
    stop: async () => {
      await Promise.all(listeners.map((listener) => listener.stop(GRACE_MS)))
      await lifecycle.seal()
      await storage.close()
    },
    reload: () => reopenAudit(),
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

const factsOf = (config: ServerConfig): ServerFacts => ({
  version,
  reportedVersion: `2.6.2+signet.${version}`,
  buildDate: '2026-11-25T00:00:00Z',
  storageType: config.storage.kind,
  apiAddress: config.apiAddress ?? '',
  defaultLeaseTtlSeconds: config.defaultLeaseTtlSeconds,
  maxLeaseTtlSeconds: config.maxLeaseTtlSeconds,
  allowApiAuditCreation: config.allowApiAuditCreation,
  introspectionEndpoint: config.introspectionEndpoint,
})

interface Storage {
  readonly store: Store
  /** Closes the store and gives the data folder up. */
  close(): Promise<void>
}

const openStorage = async (config: ServerConfig): Promise<Storage> => {
  const { storage } = config
  if (storage.kind === 'inmem') {
    const store = createMemoryStore()
    return { store, close: () => store.close() }
  }
  const { claimDataFolder } = await import('./storage/lmdb/data-folder.ts')
  const claimed = await claimDataFolder({ path: storage.path })
  return { store: claimed.store, close: () => claimed.close() }
}

interface Development {
  readonly rootToken: string
  readonly unsealKey: string
}

const DEV_MOUNT: NewMount = {
  class: 'secret',
  type: 'kv',
  path: 'secret/',
  description: 'key/value secret storage',
  local: false,
  sealWrap: false,
  externalEntropyAccess: false,
  options: { version: '2' },
  pluginVersion: '',
  tuning: {
    defaultLeaseTtlSeconds: 0,
    maxLeaseTtlSeconds: 0,
    forceNoCache: false,
    listingVisibility: '',
    tokenType: '',
  },
}

/** Initialises and unseals a development server; one with a data folder keeps its key and token there. */
const startDevelopment = async (
  config: ServerConfig,
  lifecycle: Lifecycle,
): Promise<Development> => {
  const { dataFolder, rootTokenId } = config.dev!
  const file = dataFolder === undefined ? undefined : join(dataFolder, 'keys.json')
  const made = await lifecycle.initialise({
    shares: 1,
    threshold: 1,
    ...(rootTokenId === undefined ? {} : { rootToken: rootTokenId }),
  })
  const keys: Development =
    made === 'already'
      ? readKeys(file)
      : { unsealKey: made.unsealKeys[0]!.toString('base64'), rootToken: made.rootToken }
  if (made !== 'already' && file !== undefined) writeKeys(file, keys)
  const unsealed = await lifecycle.giveShare(Buffer.from(keys.unsealKey, 'base64'))
  if (unsealed !== 'unsealed') {
    throw new Error(`the key in ${file} does not open the data beside it; start over with --reset`)
  }
  if (made !== 'already') await lifecycle.core!.ensureMount(DEV_MOUNT)
  return keys
}

const readKeys = (file: string | undefined): Development => {
  if (file === undefined) throw new Error('development mode never opens existing data')
  const kept = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly unseal_key: string
    readonly root_token: string
  }
  return { unsealKey: kept.unseal_key, rootToken: kept.root_token }
}

const writeKeys = (file: string, keys: Development): void => {
  const text = JSON.stringify({ unseal_key: keys.unsealKey, root_token: keys.rootToken })
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '[::1]']

const listen = async (
  config: ServerConfig,
  front: Front,
  log: (message: string, error?: unknown) => void,
): Promise<{
  readonly listeners: readonly Listener[]
  readonly addresses: readonly ServerAddress[]
}> => {
  const listeners: Listener[] = []
  const addresses: ServerAddress[] = []
  for (const wanted of config.listeners) {
    const listener = makeListener(wanted, config, front, log)
    if (wanted.kind === 'unix') rmSync(wanted.path, { force: true })
    const bound = await listener.listen(
      wanted.kind === 'tcp'
        ? { address: wanted.host, port: wanted.port }
        : { address: wanted.path, port: 0 },
    )
    if (wanted.kind === 'unix' && wanted.mode !== undefined) chmodSync(wanted.path, wanted.mode)
    listeners.push(listener)
    addresses.push({ ...bound, tls: wanted.kind === 'tcp' && wanted.tls !== undefined })
  }
  return { listeners, addresses }
}

const makeListener = (
  wanted: ListenerConfig,
  config: ServerConfig,
  front: Front,
  log: (message: string, error?: unknown) => void,
): Listener => {
  const { limits } = wanted
  const tls = wanted.kind === 'tcp' ? wanted.tls : undefined
  const loopback = wanted.kind === 'tcp' && /^(127\.|localhost$|::1$)/.test(wanted.host)
  return createListener({
    handle: async (request) => renderReply(await front.handle(request)),
    rawMethods: front.rawMethods,
    hostCheck: config.dev !== undefined && loopback ? LOCAL_NAMES : undefined,
    log,
    limits: {
      ...(limits.readMs === undefined ? {} : { bodyMs: limits.readMs }),
      ...(limits.readHeaderMs === undefined ? {} : { headerMs: limits.readHeaderMs }),
      ...(limits.writeMs === undefined ? {} : { writeMs: limits.writeMs }),
      ...(limits.idleMs === undefined ? {} : { idleMs: limits.idleMs }),
      ...(limits.requestBytes === undefined ? {} : { bodyBytes: limits.requestBytes }),
      ...(limits.jsonMemoryBytes === undefined ? {} : { jsonMemoryBytes: limits.jsonMemoryBytes }),
      ...(limits.jsonStrings === undefined ? {} : { jsonStrings: limits.jsonStrings }),
    },
    tls:
      tls === undefined
        ? undefined
        : {
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
            minVersion: tls.minVersion,
            maxVersion: tls.maxVersion,
            ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
            ...(tls.clientCaFile === undefined ? {} : { ca: readFileSync(tls.clientCaFile) }),
            requestCert: !tls.disableClientCerts,
            rejectUnauthorized: tls.requireClientCert,
          },
  })
}
