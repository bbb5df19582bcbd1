import type { AuditBroker } from '../audit/broker.ts'
import type { AuditedHeaders } from '../audit/headers.ts'
import type { Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { IdentityPort, MountDirectory } from '../engine/identity-port.ts'
import type { AccessPort } from '../engine/ports/access.ts'
import type { CubbyholePort } from '../engine/ports/cubbyhole.ts'
import type { MfaPort } from '../engine/ports/mfa.ts'
import type { MountPort, MountRecord, NewMount } from '../engine/ports/mounts.ts'
import type { PolicyPort } from '../engine/ports/policies.ts'
import type { TokenPort } from '../engine/ports/tokens.ts'
import type { WrappingPort } from '../engine/ports/wrapping.ts'
import type { Names, Records } from '../engine/records.ts'
import { Refusal } from '../engine/refusal.ts'
import { limits } from '../limits.ts'
import { InFlight } from '../std/in-flight.ts'
import { defaultPolicy } from '../policy/builtin.ts'
import type { Store, Version } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import { Access } from './access.ts'
import { Background } from './background.ts'
import type { BatchSealer } from './batch-tokens.ts'
import { BatchTokens } from './batch-tokens.ts'
import { Callers } from './callers.ts'
import { Handler } from './handle.ts'
import { DataReplaced, replacedMeanwhile } from './data-replaced.ts'
import { MountTable } from './mounts.ts'
import { ownRecords } from './own-records.ts'
import { Remembered } from './remembered.ts'
import { PolicyStore } from './policies.ts'
import { RecordCache } from './record-cache.ts'
import type { Check } from './records.ts'
import { asRefusal, ConflictQueues, readVersioned, stampRef } from './records.ts'
import type { Reply, Success } from './reply.ts'
import type { Request } from './request.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Watched } from './stamp-watch.ts'
import { SeenLately } from '../std/seen-lately.ts'
import { StampWatch } from './stamp-watch.ts'
import { CarriedClock } from '../storage/clock.ts'
import { withTime } from './timed-store.ts'
import { Tokens } from './token-port.ts'
import { drawToken, issueToken } from './tokens.ts'
import { Trails } from './trail.ts'
import { Wrapping } from './wrapping.ts'

/** The one namespace there is. */
export const rootNamespace: Namespace = { id: 'root', number: 0, path: '' }

/** What the wider engines (`sys/`, `auth/token/`) are made with. */
export interface CorePorts {
  readonly tokens: TokenPort
  readonly mounts: MountPort
  readonly policies: PolicyPort
  readonly access: AccessPort
  readonly wrapping: WrappingPort
}

/** The engines of a server and what the core needs of some of them. */
export interface CoreEngines {
  readonly engines: readonly Engine[]
  readonly cubbyhole: CubbyholePort
}

export interface CoreOptions {
  /** Sealed by the barrier. */
  readonly store: Store
  /** Told of each look into a cache. */
  readonly onLookup?: (cache: 'callers' | 'records', hit: boolean) => void
  readonly names: Names
  /** Seals what batch tokens carry, for as long as the barrier lasts. */
  readonly batchSealer: BatchSealer
  readonly broker: AuditBroker
  /** Takes in changes of the audit devices that other processes made; before the next request runs. */
  readonly reloadAudit: () => Promise<void>
  /** What else is brought up to date before a request runs. */
  readonly watched: readonly Watched[]
  /** How many requests each client may make. */
  readonly rates: RateLimits
  /** The request headers that audit entries show. */
  readonly auditedHeaders: () => AuditedHeaders
  /** `tokens` is there from the first request on, not before. */
  readonly identity: (
    mounts: MountDirectory,
    tokens: () => TokenPort,
  ) => {
    readonly engine: Engine
    readonly port: IdentityPort
    readonly mfa: MfaPort
  }
  readonly engines: (ports: CorePorts, identity: Engine) => CoreEngines
  /** The JSON text of an answer's envelope, without a newline. */
  readonly render: (success: Success) => string
  readonly defaultLeaseTtlSeconds: number
  readonly maxLeaseTtlSeconds: number
  /** As audit entries and mounts name it: `v2.6.2+signet.0.1.0+builtin`. */
  readonly runningVersion: string
  /** The version of the stamp of restores, read before the keys were. */
  readonly incarnation: Version
  /** Takes in a keyring that another process rotated. */
  readonly reloadKeyring: () => Promise<void>
  readonly log: (message: string, error?: unknown) => void
}

const BACKGROUND_MS = 1_000

/** Where the stamp is that every restore moves. */
export const INCARNATION = stampRef('incarnation', rootNamespace.number).key

const plainTuning = {
  defaultLeaseTtlSeconds: 0,
  maxLeaseTtlSeconds: 0,
  forceNoCache: false,
  listingVisibility: '',
  tokenType: '',
} as const

/** The mounts that every server has; they can be neither disabled nor moved. */
const BUILTIN_MOUNTS: readonly NewMount[] = [
  {
    class: 'secret',
    type: 'cubbyhole',
    path: 'cubbyhole/',
    description: 'per-token private secret storage',
    local: true,
    sealWrap: false,
    externalEntropyAccess: false,
    options: null,
    pluginVersion: '',
    tuning: plainTuning,
  },
  {
    class: 'secret',
    type: 'identity',
    path: 'identity/',
    description: 'identity store',
    local: false,
    sealWrap: false,
    externalEntropyAccess: false,
    options: null,
    pluginVersion: '',
    tuning: { ...plainTuning, passthroughRequestHeaders: ['Authorization'] },
  },
  {
    class: 'secret',
    type: 'system',
    path: 'sys/',
    description: 'system endpoints used for control, policy and debugging',
    local: false,
    sealWrap: true,
    externalEntropyAccess: false,
    options: null,
    pluginVersion: '',
    tuning: { ...plainTuning, passthroughRequestHeaders: ['Accept'] },
  },
  {
    class: 'auth',
    type: 'token',
    path: 'auth/token/',
    description: 'token based credentials',
    local: false,
    sealWrap: false,
    externalEntropyAccess: false,
    options: null,
    pluginVersion: '',
    tuning: { ...plainTuning, tokenType: 'default-service' },
  },
]

/** An unsealed server without its listeners: from `start` on it answers requests, until `stop`. */
export class Core {
  readonly #options: CoreOptions
  readonly #store: Store
  readonly #time = new CarriedClock()
  readonly #queues: ConflictQueues
  readonly #mounts: MountTable
  readonly #policies: PolicyStore
  readonly #handler: Handler
  readonly #background: Background
  /** Not bound to a request: for what the server does by itself. */
  readonly records: Records
  readonly ports: CorePorts
  #keyring: Version = 0
  readonly #requests = new InFlight()

  constructor(options: CoreOptions) {
    this.#options = options
    const { broker, names, log } = options
    this.#queues = new ConflictQueues((key) => {
      const hex = Buffer.from(key, 'latin1').toString('hex')
      log(`too many requests change the record under the storage key ${hex} at once`)
    })
    this.#store = withTime(options.store, this.#time)
    const store = this.#store
    const cache = new RecordCache({
      seen: new SeenLately(limits.recordsSeen),
      onLookup: (hit) => options.onLookup?.('records', hit),
    })
    const own = {
      store,
      cache,
      queues: this.#queues,
      keyringCheck: () => this.#keyringCheck(),
      keyringMoved: () => this.learnKeyring(),
    }
    this.records = ownRecords(own)
    let engines: CoreEngines | undefined
    this.#mounts = new MountTable(
      {
        engines: () => engines!.engines,
        names,
        defaultLeaseTtlSeconds: options.defaultLeaseTtlSeconds,
        maxLeaseTtlSeconds: options.maxLeaseTtlSeconds,
        records: this.records,
        versioned: (refs) => readVersioned(store, refs),
        stamp: (namespace) => this.#stampVersion('mounts', namespace),
        epoch: () => store.epoch(),
      },
      rootNamespace,
    )
    const identity = options.identity(this.#mounts.directory, () => this.ports.tokens)
    this.#policies = new PolicyStore(identity.port)
    const batch = new BatchTokens(options.batchSealer)
    const callers = new Callers({
      store,
      cache,
      onLookup: (hit) => options.onLookup?.('callers', hit),
      time: this.#time,
      names,
      policies: this.#policies,
      identity: identity.port,
      batch,
      stamps: [stampRef('incarnation', rootNamespace.number)],
    })
    const tokens = new Tokens({
      identity: identity.port,
      mounts: this.#mounts,
      policies: this.#policies,
      batch,
      tidy: () => void this.#background.round(),
      bury: (key) => this.#background.bury(key),
    })
    const wrapping = new Wrapping({
      store,
      time: this.#time,
      names,
      root: rootNamespace,
      cubbyhole: {
        put: (...args) => engines!.cubbyhole.put(...args),
        get: (...args) => engines!.cubbyhole.get(...args),
        drop: (...args) => engines!.cubbyhole.drop(...args),
      },
      render: options.render,
      tokenMountUuid: async () => (await this.#tokenMount()).uuid,
    })
    const access = new Access(callers)
    this.ports = { tokens, mounts: this.#mounts, policies: this.#policies, access, wrapping }
    engines = options.engines(this.ports, identity.engine)
    const made = engines
    const watch = new StampWatch(
      store,
      { stamp: stampRef('audit', rootNamespace.number), reload: () => options.reloadAudit() },
      ...options.watched,
    )
    this.#handler = new Handler({
      confirm: () => watch.confirm(),
      rates: options.rates,
      missingPolicies: (wanted, now) =>
        this.#policies.missing(this.records, { namespace: rootNamespace, names, now }, wanted),
      store,
      cache,
      time: this.#time,
      names,
      queues: this.#queues,
      mounts: this.#mounts,
      callers,
      identity: identity.port,
      mfa: identity.mfa,
      batch,
      logins: new Remembered(store),
      wrapping,
      trails: new Trails(broker, rootNamespace, options.runningVersion, options.auditedHeaders),
      root: rootNamespace,
      own: (before) => (before === undefined ? this.records : ownRecords({ ...own, before })),
      keyringCheck: own.keyringCheck,
      keyringMoved: own.keyringMoved,
      onFault: (error, what) => log(`${what} failed`, error),
      explain: (error) => this.#explain(error),
    })
    this.#background = new Background({
      records: this.records,
      names,
      root: rootNamespace,
      cubbyhole: made.cubbyhole,
      dropMount: async (mount) => {
        const engine = made.engines.find(
          ({ class: mountClass, type }) => mountClass === mount.class && type === mount.type,
        )
        await engine?.drop?.(this.records, rootNamespace, this.#mounts.view(mount))
      },
      prepare: async () => void (await this.#mounts.current()),
      engines: async () =>
        (await this.#mounts.current()).all.map(({ engine, view }) => ({ engine, mount: view })),
      now: () => this.now(),
      onFault: (error, what) => {
        // Whoever looks after the keys finds that, too, and does what is to be done.
        if (!(error instanceof DataReplaced)) log(`${what} failed`, error)
      },
    })
  }

  /** Puts what every server has where it is missing, and begins background work. Costs the same whatever the data. */
  async start(): Promise<void> {
    await this.learnKeyring()
    const scope = { namespace: rootNamespace, names: this.#options.names, now: await this.now() }
    const present = await Promise.all(BUILTIN_MOUNTS.map(({ path }) => this.#mounts.find(path)))
    for (const [at, mount] of BUILTIN_MOUNTS.entries()) {
      if (present[at]?.record.path !== mount.path) await this.ensureMount(mount)
    }
    await this.#policies.ensureBuiltin(this.records, scope, { default: defaultPolicy })
    this.#background.start(BACKGROUND_MS)
  }

  /** Ends background work; requests under way end as their store does. */
  async stop(): Promise<void> {
    await this.#background.stop()
  }

  /** Answers a request. Throws DataReplaced alone, before it has begun anything: then the server is to be opened anew. */
  async handle(request: Request): Promise<Reply> {
    this.#requests.begin()
    try {
      return await this.#handler.handle(request)
    } finally {
      this.#requests.end()
    }
  }

  /** Resolves once no request is under way, and at the latest after so long. */
  idle(withinMs: number): Promise<void> {
    return this.#requests.idle(withinMs)
  }

  /** Adds a mount unless its path is taken. */
  async ensureMount(mount: NewMount): Promise<void> {
    const taken = new Error('taken')
    try {
      await this.#mounts.add(this.records, rootNamespace, (present) => {
        if (present.some(({ path }) => path === mount.path)) throw taken
        return mount
      })
    } catch (error) {
      if (error !== taken) throw error
    }
  }

  /**
   * Makes a root token; `text` chooses it (development mode). The initial one has no lease and the path `auth/token/root`,
   * one of a chosen text looks as if `auth/token/create` had made it (recorded).
   */
  async createRootToken(text: string | undefined): Promise<string> {
    const drawn = drawToken()
    const mountUuid = (await this.#tokenMount()).uuid
    const now = await this.now()
    const chosen = text ?? drawn.text
    await this.records.transact(async (tx) => {
      issueToken(
        tx,
        { namespace: rootNamespace, names: this.#options.names, now },
        {
          text: chosen,
          accessor: drawn.accessor,
          parent: undefined,
          record: {
            policies: ['root'],
            path: text === undefined ? 'auth/token/root' : 'auth/token/create',
            meta: null,
            displayName: text === undefined ? 'root' : 'token',
            numUses: 0,
            creationTtl: 0,
            explicitMaxTtl: 0,
            period: 0,
            role: '',
            entityId: '',
            boundCidrs: [],
            renewable: false,
            leased: text !== undefined,
            mountUuid,
          },
        },
      )
    })
    return chosen
  }

  async #tokenMount(): Promise<MountRecord> {
    const found = await this.#mounts.find('auth/token/')
    if (found === undefined) throw new Error('auth/token/ is not mounted')
    return found.record
  }

  /** The store's time, ms. */
  async now(): Promise<number> {
    const { now } = await this.#store.versions([], deadlineIn(limits.storeWaitMs))
    return now
  }

  /** Every request comes by here, unless nothing at all was committed since the last: throws DataReplaced after a restore. */
  async #stampVersion(name: 'mounts' | 'keyring', namespace: Namespace): Promise<Version> {
    const keys = [stampRef(name, namespace.number).key, INCARNATION]
    const { items } = await this.#store.versions(keys, deadlineIn(limits.storeWaitMs))
    if (items[1] !== this.#options.incarnation) throw new DataReplaced()
    return items[0]!
  }

  /** What is no refusal may come of reading data of after a restore with what was known before: then that is the reason. */
  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof DataReplaced) return replacedMeanwhile()
    if (asRefusal(error) instanceof Refusal) return error
    try {
      await this.#stampVersion('keyring', rootNamespace)
      return error
    } catch (reason) {
      return reason instanceof DataReplaced ? replacedMeanwhile() : error
    }
  }

  #keyringCheck(): Check {
    return { key: stampRef('keyring', rootNamespace.number).key, version: this.#keyring }
  }

  /** Takes in keys that another process changed. Costs one look at a stamp where nothing has. */
  async learnKeyring(): Promise<void> {
    const version = await this.#stampVersion('keyring', rootNamespace)
    if (version === this.#keyring) return
    await this.#options.reloadKeyring()
    this.#keyring = version
  }
}
