import { keyText } from '../std/key-text.ts'
import { LRUCache } from 'lru-cache'
import type { CallerView, Namespace } from '../engine/call.ts'
import type { IdentityPort, Subject } from '../engine/identity-port.ts'
import type { LiveToken } from '../engine/ports/tokens.ts'
import type { Names, Reader, Ref } from '../engine/records.ts'
import { Refusal } from '../engine/refusal.ts'
import { limits } from '../limits.ts'
import type { Acl } from '../policy/acl.ts'
import { deadlineIn } from '../storage/store.ts'
import type { Key, Store, Version } from '../storage/store.ts'
import type { BatchTokens } from './batch-tokens.ts'
import { isBatchToken } from './batch-tokens.ts'
import type { PolicyStore } from './policies.ts'
import type { RecordCache } from './record-cache.ts'
import type { Check } from './records.ts'
import { TrackedReader, asRefusal } from './records.ts'
import type { CarriedClock } from '../storage/clock.ts'
import type { Alive } from './tokens.ts'
import { judgeToken, liveToken, tokenKey } from './tokens.ts'
import { compareBytes } from '../std/json.ts'

/** A token with everything that decides on its requests, and the versions it all rests on (architecture.md (c)). */
export interface Caller {
  readonly token: LiveToken
  readonly subject: Subject | undefined
  /** Token and identity policies, lower case, sorted, once each. */
  readonly policies: readonly string[]
  readonly identityPolicies: readonly string[]
  readonly root: boolean
  readonly acl: Acl
  /** ms; the caller is built anew from then on. */
  readonly until: number
  readonly checks: readonly Check[]
}

interface Cached extends Caller {
  readonly keys: readonly Key[]
  readonly versions: readonly Version[]
  /** The store's epoch when `versions` were last known to hold, read before them. */
  epoch: Version | undefined
}

/** Why nobody is calling: the entity is disabled or gone, or there is no such token. */
export type Nobody = 'no-token' | 'no-entity'

export interface CallersOptions {
  readonly store: Store
  readonly cache: RecordCache
  /** Told of each look for a caller, and whether one that still holds was there. */
  readonly onLookup?: (hit: boolean) => void
  readonly time: CarriedClock
  readonly names: Names
  readonly policies: PolicyStore
  readonly identity: IdentityPort
  readonly batch: BatchTokens
  /** Read with every caller: they move only in rare writes. */
  readonly stamps: readonly Ref<unknown>[]
}

/** Loads the token that a caller is built from. */
type Load = (reader: Reader, now: number) => Promise<Alive | undefined>

/** What a caller takes in memory, about: its token, policies and audit texts, each record it rests on, each group it is in. */
const CALLER_BYTES = 4_000
const DEPENDENCY_BYTES = 200
const GROUP_BYTES = 300

const sizeOf = ({ keys, subject }: Cached): number =>
  CALLER_BYTES + DEPENDENCY_BYTES * keys.length + GROUP_BYTES * (subject?.groups.length ?? 0)

const sortedUnion = (...lists: readonly (readonly string[])[]): string[] =>
  [...new Set(lists.flat())].sort(compareBytes)

/** Builds callers and keeps them; one that is kept is used only after its versions were confirmed. */
export class Callers {
  readonly #options: CallersOptions
  readonly #cache = new LRUCache<string, Cached>({ maxSize: limits.cachedCallerBytes })

  constructor(options: CallersOptions) {
    this.#options = options
  }

  /** Who a token is; `spent` as for `liveToken`. Throws a Refusal when the store is not available. */
  identify(namespace: Namespace, text: string, spent = false): Promise<Caller | Nobody> {
    const { batch, names } = this.#options
    const key = tokenKey(names, text)
    if (!isBatchToken(text)) {
      return this.#of(namespace, key, (reader, now) =>
        liveToken(reader, namespace, key, now, spent),
      )
    }
    return this.#of(namespace, key, async (reader, now) => {
      const record = batch.open(text)
      if (record === undefined) return undefined
      return judgeToken(reader, namespace, { type: 'batch', key, record }, now)
    })
  }

  /** The same for a token that was found alive. */
  ofToken(namespace: Namespace, token: LiveToken): Promise<Caller | Nobody> {
    return this.#of(namespace, token.key, (reader, now) =>
      token.type === 'batch'
        ? judgeToken(reader, namespace, token, now)
        : liveToken(reader, namespace, token.key, now),
    )
  }

  /** The same for a token that is stored nowhere: it comes once, and is not kept. */
  async ofPassing(namespace: Namespace, token: LiveToken): Promise<Caller | Nobody> {
    const load: Load = async (reader, now) => {
      const alive = await judgeToken(reader, namespace, token, now)
      return alive && { ...alive, passing: true }
    }
    return this.#buildNow(namespace, load)
  }

  #buildNow(namespace: Namespace, load: Load): Promise<Cached | Nobody> {
    return this.#build(namespace, load).catch((error: unknown) => {
      throw asRefusal(error)
    })
  }

  async #of(namespace: Namespace, key: Uint8Array, load: Load): Promise<Caller | Nobody> {
    const id = keyText(key)
    const cached = this.#cache.get(id)
    const holds = cached !== undefined && (this.#isFresh(cached) || (await this.#holds(cached)))
    const held = holds ? cached : undefined
    this.#options.onLookup?.(held !== undefined)
    if (held !== undefined) return held
    const built = await this.#buildNow(namespace, load)
    if (typeof built === 'string') this.#cache.delete(id)
    // What is limited in uses is read for each request anyway.
    else if (built.token.record.numUses === 0) {
      this.#cache.set(id, built, { size: sizeOf(built) })
    }
    return built
  }

  /** Whether the store's epoch is the one at which all versions held. */
  #isFresh(cached: Cached): boolean {
    const { store, time } = this.#options
    const epoch = store.epoch()
    return epoch !== undefined && epoch === cached.epoch && time.now() < cached.until
  }

  async #holds(cached: Cached): Promise<boolean> {
    const { store, time } = this.#options
    if (time.now() >= cached.until) return false
    const epoch = store.epoch()
    const answer = await store
      .versions(cached.keys, deadlineIn(limits.storeWaitMs))
      .catch((error: unknown) => {
        throw asRefusal(error)
      })
    if (answer.now >= cached.until) return false
    for (const [index, version] of cached.versions.entries()) {
      if (answer.items[index] !== version) return false
    }
    cached.epoch = epoch
    return true
  }

  async #build(namespace: Namespace, load: Load): Promise<Cached | Nobody> {
    const { cache, store } = this.#options
    for (let attempt = 0; attempt < limits.decisionAttempts; attempt++) {
      const epoch = store.epoch()
      const reader = new TrackedReader(store, cache)
      const built = await this.#read(reader, namespace, load, epoch)
      if (await reader.stillHolds()) return built
    }
    throw new Refusal('unavailable', 'the token changes all the time; try again')
  }

  async #read(
    reader: TrackedReader,
    namespace: Namespace,
    load: Load,
    epoch: Version | undefined,
  ): Promise<Cached | Nobody> {
    const { identity, names, policies, stamps, time } = this.#options
    await reader.getMany(stamps)
    const now = Math.max(reader.now, time.now())
    const token = await load(reader, now)
    if (token === undefined) return 'no-token'
    const { record } = token
    let subject: Subject | undefined
    if (record.entityId !== '') {
      subject = await identity.subject(reader, names, namespace, record.entityId, now)
      if (subject === undefined || subject.disabled) return 'no-entity'
    }
    const { only } = record
    const identityPolicies =
      subject === undefined || only !== undefined
        ? []
        : sortedUnion(subject.policies, ...subject.groups.map((group) => group.policies))
    const union = sortedUnion(record.policies, identityPolicies)
    const root = record.policies.includes('root')
    const compiled =
      only === undefined
        ? await policies.acl(reader, { namespace, names, now }, union, root, subject)
        : policies.aclOf(only.policy, now)
    const seen = [...reader.seen.values()]
    const keys = seen.map(({ ref }) => ref.key)
    const versions = seen.map(({ version }) => version)
    return {
      token,
      subject,
      policies: union,
      identityPolicies,
      root,
      acl: compiled.acl,
      // Rules that name the time are compiled for each request.
      until: compiled.perRequest
        ? 0
        : Math.min(token.until, compiled.until, subject?.until ?? Infinity),
      // Made when they are asked for: most requests of most callers only read.
      get checks() {
        return checksOf(keys, versions)
      },
      keys,
      versions,
      epoch,
    }
  }
}

/** Whether a key is a token's use counter: spending a use is its own commit, which others must not conflict with. */
const isUses = (key: Key): boolean => key[0] === 0x74 && key[1] === 0x75 && key[2] === 0x2f

const checksOf = (keys: readonly Key[], versions: readonly Version[]): readonly Check[] =>
  keys.flatMap((key, at) => (isUses(key) ? [] : [{ key, version: versions[at]! }]))

const NO_KEY = new Uint8Array(0)

/** A caller as an engine sees it, and the whole of it for the core. */
class View implements CallerView {
  readonly tokenAccessor: string
  readonly entityId: string
  readonly displayName: string
  readonly policies: readonly string[]
  readonly root: boolean
  readonly sudo: boolean
  readonly tokenKey: Uint8Array
  readonly passing: boolean
  readonly #caller: Caller
  readonly #text: string

  constructor(caller: Caller, sudo: boolean, text: string) {
    const { token } = caller
    this.tokenAccessor = token.record.accessor
    this.entityId = token.record.entityId
    this.displayName = token.record.displayName
    this.policies = caller.policies
    this.root = caller.root
    this.sudo = sudo
    this.passing = token.passing === true
    this.tokenKey = this.passing || token.type === 'batch' ? NO_KEY : token.key
    this.#caller = caller
    this.#text = text
  }

  static callerOf(view: CallerView): Caller {
    if (!(view instanceof View)) throw new Error('a caller that the core did not make')
    return view.#caller
  }

  static textOf(view: CallerView): string {
    return view instanceof View ? view.#text : ''
  }
}

/** The caller as an engine sees it on one request. */
export const viewOf = (caller: Caller, sudo: boolean, text: string): CallerView =>
  new View(caller, sudo, text)

/** The caller behind a view that `viewOf` made. */
export const callerOf = (view: CallerView): Caller => View.callerOf(view)

/** The text of the token that a view was made for. */
export const textOf = (view: CallerView): string => View.textOf(view)
