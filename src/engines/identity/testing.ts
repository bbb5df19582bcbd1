import { randomBytes, randomUUID } from 'node:crypto'
import { createKeyring } from '../../barrier/keyring.ts'
import { BatchTokens } from '../../core/batch-tokens.ts'
import { collectList } from '../../core/lists.ts'
import { ConflictQueues, createRecords } from '../../core/records.ts'
import type { Call, CallerView, Mount, Namespace } from '../../engine/call.ts'
import { FieldError } from '../../engine/field.ts'
import type {
  IdentityLoginOutcome,
  IdentityPort,
  MountDirectory,
  Subject,
} from '../../engine/identity-port.ts'
import type { LiveToken, TokenRecord } from '../../engine/ports/tokens.ts'
import type { Names, Records } from '../../engine/records.ts'
import { recordKind } from '../../engine/records.ts'
import type { Hint } from '../../engine/refusal.ts'
import { Refusal, denied } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import type { Route, Verb } from '../../engine/route.ts'
import type { Json } from '../../std/json.ts'
import { withFaults } from '../../storage/faults/fault-store.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Store } from '../../storage/store.ts'
import { deadlineIn } from '../../storage/store.ts'
import { createIdentity } from './index.ts'
import { storeWith } from '../../storage/faults/store-with.ts'

/** The root namespace of the tests. */
export const ROOT: Namespace = { id: 'root', number: 0, path: '' }

const mountRecords = recordKind<{ readonly path: string }>('test-mount')

/** A mount table in memory; like the real one it has a record a mount, which commits can rest on. */
class FakeMounts implements MountDirectory {
  readonly #byAccessor = new Map<string, Mount>()
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  async enable(path: string, type = 'userpass', local = false): Promise<Mount> {
    const uuid = randomUUID()
    const prefix = path.startsWith('auth/') ? 'auth_' : ''
    const mount: Mount = {
      uuid,
      key: Uint8Array.from(Buffer.from(uuid.replaceAll('-', ''), 'hex')),
      accessor: `${prefix}${type}_${randomBytes(4).toString('hex')}`,
      type,
      path,
      description: '',
      local,
      options: null,
      defaultLeaseTtlSeconds: 0,
      maxLeaseTtlSeconds: 0,
      tokenType: 'default-service',
    }
    await this.#records.transact(async (tx) => {
      tx.put(mountRecords.at(0, mount.key), { path })
    })
    this.#byAccessor.set(mount.accessor, mount)
    return mount
  }

  async disable(mount: Mount): Promise<void> {
    await this.#records.transact(async (tx) => {
      tx.delete(mountRecords.at(0, mount.key))
    })
    this.#byAccessor.delete(mount.accessor)
  }

  all(): readonly Mount[] {
    return [...this.#byAccessor.values()]
  }

  async byAccessor(accessor: string): Promise<Mount | undefined> {
    return this.#byAccessor.get(accessor)
  }

  async byPath(path: string): Promise<Mount | undefined> {
    return [...this.#byAccessor.values()].find((mount) => mount.path === path)
  }

  async hasAuthType(type: string): Promise<boolean> {
    return [...this.#byAccessor.values()].some(
      (mount) => mount.type === type && mount.path.startsWith('auth/'),
    )
  }

  async check(tx: Parameters<MountDirectory['check']>[0], mount: Mount): Promise<void> {
    if ((await tx.get(mountRecords.at(0, mount.key))) === undefined) throw denied()
  }
}

/** An answer as far as an engine decides it. */
export interface Answer {
  readonly status: number
  readonly data: Readonly<Record<string, any>>
  /** Text of the refusal; '' for none. */
  readonly error: string
  /** Sent beside the error. */
  readonly errorData: unknown
  readonly hints: readonly Hint[]
  readonly warnings: readonly string[]
  /** Of bare answers; `data` is what their body holds. */
  readonly headers: Readonly<Record<string, string>>
}

/** Who sends a request, and what its handler sees of its headers. */
export interface Sender {
  readonly caller?: CallerView
  readonly headers?: Call['headers']
}

export interface Harness {
  readonly store: Store
  readonly records: Records
  readonly names: Names
  readonly mounts: FakeMounts
  readonly port: IdentityPort
  readonly routes: readonly Route[]
  /** The tokens behind callers that `callerOf` made. */
  readonly callers: Map<CallerView, LiveToken>
  /** The `sid` of each sign-in session that was ended. */
  readonly endedSessions: string[]
  /** ms; tests move it. */
  now: number
  /** One request, from its path below the mount; what a refusal says is in the answer. */
  request(
    verb: Verb,
    path: string,
    body?: Readonly<Record<string, Json>>,
    sender?: Sender,
  ): Promise<Answer>
  /** A caller with a token of an entity, made at `now`; `text`: with that batch token. */
  callerOf(entityId: string, text?: string): CallerView
  /** What engines do by themselves, once. */
  background(): Promise<void>
  /** A login in a transaction of its own; refusals are thrown. */
  login(
    mount: Mount,
    name: string,
    more?: {
      readonly metadata?: Readonly<Record<string, string>>
      readonly groups?: readonly string[]
    },
  ): Promise<IdentityLoginOutcome>
  subject(entityId: string): Promise<Subject | undefined>
}

/** What became of a commit. Prefixes are those of record kinds: `e`, `gk`. */
export interface SeenCommit {
  readonly conflict: boolean
  readonly written: readonly string[]
  /** Of the checks that failed. */
  readonly stale: readonly string[]
}

/** A store that tells of its commits; tests count puts and conflicts with it. */
export const watchCommits =
  (seen: SeenCommit[]) =>
  (store: Store): Store =>
    storeWith(store, {
      commit: async (commit, deadline) => {
        const outcome = await store.commit(commit, deadline)
        seen.push({
          conflict: outcome.kind === 'conflict',
          written: commit.writes.map(({ key }) => prefixOf(key)),
          stale: outcome.kind === 'conflict' ? outcome.stale.map(prefixOf) : [],
        })
        return outcome
      },
    })

const prefixOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1').split('/', 1)[0]!

/**
 * Delays every call of a store by a few turns of the event loop, other ones for another seed: operations that run at once
 * interleave in many ways, the same for the same seed.
 */
export const interleaved =
  (seed: number) =>
  (store: Store): Store => {
    let state = (seed * 48271 + 1) % 2147483647
    const turns = (): number => {
      state = (state * 48271) % 2147483647
      return state % 4
    }
    const pause = async (): Promise<void> => {
      for (let left = turns(); left > 0; left--) await new Promise(setImmediate)
    }
    return withFaults(store, () => ({ before: pause, after: pause }))
  }

/** An identity engine on a store in memory, or on another, such as one with faults. */
export const createHarness = (wrap: (store: Store) => Store = (store) => store): Harness => {
  const store = wrap(createMemoryStore())
  const records = createRecords({ store, queues: new ConflictQueues() })
  const mounts = new FakeMounts(records)
  const batch = new BatchTokens(plainSealer)
  const { engine, port } = createIdentity({
    mounts,
    apiAddress: () => 'https://signet.example:8200',
    sessions: () => ({
      end: async (_scope, sid) => {
        harness.endedSessions.push(sid)
      },
    }),
    tokens: () => ({
      composeBatch: (tx, scope, token) => batch.compose(tx, scope, token),
      sealBatch: (token) => batch.seal(token.record),
      find: async (_reader, scope, text) => {
        const record = batch.open(text)
        if (record === undefined || (record.expiresAt ?? Infinity) <= scope.now) return undefined
        return { type: 'batch', key: new Uint8Array(0), record, usesLeft: 0, orphan: true }
      },
      ofCaller: (caller) => harness.callers.get(caller)!,
    }),
  })
  const harness: Harness = {
    store,
    records,
    names: NAMES,
    mounts,
    port,
    routes: engine.routes,
    callers: new Map(),
    endedSessions: [],
    now: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    request: (verb, path, body = {}, sender = {}) => answer(harness, verb, path, body, sender),
    callerOf: (entityId, text) => {
      const carried = text === undefined ? undefined : batch.open(text)
      if (text !== undefined && carried === undefined)
        throw new Error('not a token of this harness')
      const record = carried ?? serviceToken(entityId, harness.now)
      const caller: CallerView = {
        tokenAccessor: record.accessor,
        entityId: record.entityId,
        displayName: record.displayName,
        policies: record.policies,
        root: false,
        sudo: false,
        tokenKey: new Uint8Array(16),
        passing: false,
      }
      const type = carried === undefined ? 'service' : 'batch'
      harness.callers.set(caller, { type, key: caller.tokenKey, record, usesLeft: 0, orphan: true })
      return caller
    },
    background: async () =>
      engine.background?.({
        records,
        namespace: ROOT,
        mount: IDENTITY_MOUNT,
        names: NAMES,
        now: harness.now,
        newId: randomUUID,
      }),
    login: (mount, name, { metadata, groups = [] } = {}) =>
      records.transact((tx) =>
        port.login(tx, {
          namespace: ROOT,
          names: NAMES,
          mount,
          alias: { name, ...(metadata === undefined ? {} : { metadata }) },
          groupAliases: groups,
          now: harness.now,
          newId: randomUUID,
          randomBytes,
        }),
      ),
    subject: (entityId) => port.subject(records, NAMES, ROOT, entityId, harness.now),
  }
  return harness
}

/** Texts of batch tokens are theirs alone; nobody forges any in these tests. */
const plainSealer = {
  seal: (contents: Uint8Array) => contents,
  open: (sealed: Uint8Array) => sealed,
}

const serviceToken = (entityId: string, now: number): TokenRecord => ({
  accessor: 'accessor',
  lineage: [],
  policies: ['default'],
  path: 'auth/userpass/login/x',
  meta: null,
  displayName: 'x',
  numUses: 0,
  createdAt: now,
  creationTtl: 3600,
  explicitMaxTtl: 0,
  period: 0,
  role: '',
  entityId,
  boundCidrs: [],
  renewable: true,
  leased: true,
  expiresAt: now + 3_600_000,
  renewedAt: undefined,
  mountUuid: IDENTITY_MOUNT.uuid,
  state: 'live',
})

/** The same for all harnesses: nothing is secret here. */
const NAMES = createKeyring(0)

const answer = async (
  harness: Harness,
  verb: Verb,
  path: string,
  body: Readonly<Record<string, Json>>,
  sender: Sender,
): Promise<Answer> => {
  const hints: Hint[] = []
  const warnings: string[] = []
  try {
    const { route, captures } = match(harness.routes, path)
    const handler = route.verbs[verb]
    if (handler === undefined) throw new Refusal('unsupported', 'unsupported operation')
    const said = { hints, warnings }
    const input = coerce(route, { ...body, ...captures })
    const call = buildCall(harness, verb, path, input, said, sender)
    const answered = await shown(verb, await handler(call))
    return { ...NO_ERROR, ...answered, hints, warnings }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return {
      ...NO_ERROR,
      status: error.status,
      data: {},
      warnings,
      error: error.message,
      errorData: error.details.data,
      hints: [...hints, ...(error.details.hints ?? [])],
    }
  }
}

const NO_ERROR = { error: '', errorData: undefined, headers: {} } as const

const match = (
  routes: readonly Route[],
  path: string,
): { readonly route: Route; readonly captures: Readonly<Record<string, string>> } => {
  for (const route of routes) {
    const names: string[] = []
    const pattern = route.path.replace(/([:*+])(\w+)/g, (_, kind: string, name: string) => {
      names.push(name)
      if (kind === '+') return '([^/]+)'
      return kind === ':' ? '(\\w(?:[\\w.-]*\\w)?)' : '(.+)'
    })
    const found = new RegExp(`^${pattern}$`, 's').exec(path)
    if (found === null) continue
    return {
      route,
      captures: Object.fromEntries(names.map((name, index) => [name, found[index + 1]!])),
    }
  }
  throw new Refusal('missing', 'unsupported path')
}

interface Input {
  readonly sent: ReadonlySet<string>
  readonly input: Readonly<Record<string, unknown>>
}

const coerce = (route: Route, body: Readonly<Record<string, Json>>): Input => {
  const input: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(route.fields)) {
    input[name] = field.default
    if (!Object.hasOwn(body, name)) continue
    try {
      input[name] = field.coerce(body[name]!) ?? field.default
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      throw new Refusal(
        'invalid',
        `Field validation failed: error converting input for field "${name}": ${error.message}`,
      )
    }
  }
  return { sent: new Set(Object.keys(body)), input }
}

const buildCall = (
  harness: Harness,
  verb: Verb,
  path: string,
  { sent, input }: Input,
  said: { readonly hints: Hint[]; readonly warnings: string[] },
  sender: Sender,
): Call => ({
  input,
  has: (field) => sent.has(field),
  free: {},
  hasBody: sent.size > 0,
  verb,
  path: `identity/${path}`,
  namespace: ROOT,
  mount: IDENTITY_MOUNT,
  caller: sender.caller,
  now: harness.now,
  requestId: randomUUID(),
  remoteAddress: '127.0.0.1',
  headers: sender.headers ?? {},
  wrapTtlSeconds: undefined,
  records: harness.records,
  names: harness.names,
  newId: randomUUID,
  randomBytes,
  warn: (text) => {
    said.warnings.push(text)
  },
  hint: (code, text) => {
    said.hints.push({ code, text })
  },
  audited: () => undefined,
})

const IDENTITY_MOUNT: Mount = {
  uuid: '00000000-0000-0000-0000-000000000001',
  key: new Uint8Array(16),
  accessor: 'identity_00000001',
  type: 'identity',
  path: 'identity/',
  description: 'identity store',
  local: false,
  options: null,
  defaultLeaseTtlSeconds: 0,
  maxLeaseTtlSeconds: 0,
  tokenType: 'default-service',
}

const shown = async (
  verb: Verb,
  result: Result,
): Promise<Pick<Answer, 'status' | 'data'> & Partial<Pick<Answer, 'headers'>>> => {
  if (result === undefined) {
    return { status: verb === 'read' || verb === 'list' ? 404 : 204, data: {} }
  }
  if (result.kind === 'data') return { status: 200, data: result.data ?? {} }
  if (result.kind === 'raw') {
    return { status: result.status, data: JSON.parse(result.body), headers: result.headers ?? {} }
  }
  if (result.kind !== 'list') throw new Error(`not an answer of this engine: ${result.kind}`)
  const list = await collectList(result.pages, undefined, result.limit)
  return list === undefined ? { status: 404, data: {} } : { status: 200, data: list }
}

/** Everything a store holds, as prefixes of keys with how many there are. */
export const census = async (store: Store): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {}
  let from = Uint8Array.of(0)
  for (;;) {
    const page = await store.list(
      { from, to: new Uint8Array(512).fill(0xff), limit: 256, keysOnly: true },
      deadlineIn(10_000),
    )
    if (page.items.length === 0) return counts
    for (const { key } of page.items) {
      const prefix = Buffer.from(key).toString('latin1').split('/', 1)[0]!
      counts[prefix] = (counts[prefix] ?? 0) + 1
    }
    const last = page.items.at(-1)!.key
    from = new Uint8Array(last.length + 1)
    from.set(last)
  }
}
