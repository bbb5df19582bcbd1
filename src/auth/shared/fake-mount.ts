import { createKeyring } from '../../barrier/keyring.ts'
import { readInput } from '../../core/input.ts'
import { ConflictQueues, createRecords } from '../../core/records.ts'
import { RequestCall } from '../../core/request-call.ts'
import { compileRoutes } from '../../core/router.ts'
import type { Call, Mount } from '../../engine/call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { RecordRange, Records } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import type { Login, Renewal } from '../../engine/result.ts'
import type { Verb } from '../../engine/route.ts'
import type { Json } from '../../std/json.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Bcrypt } from './password.ts'

/* For tests of auth methods: a mount over records in memory, asked through the core's router and input reader. */

/** What a request came to. */
export interface Answer {
  readonly status: number
  readonly data?: Readonly<Record<string, unknown>> | null
  readonly login?: Login
  readonly error?: string
  readonly warnings: readonly string[]
}

/** One auth mount, alone on a store in memory. */
export interface FakeMount {
  /** The store's time, ms; tests move it. */
  now: number
  remoteAddress: string
  readonly records: Records
  readonly place: Pick<Call, 'namespace' | 'mount' | 'names'>
  ask(verb: 'read' | 'list' | 'write' | 'delete', path: string, body?: FakeBody): Promise<Answer>
  renew(
    internal: Readonly<Record<string, string>>,
    tokenPolicies: readonly string[],
  ): Promise<Renewal | undefined>
  count(range: RecordRange<unknown>): Promise<number>
}

export type FakeBody = Readonly<Record<string, Json>>

const UUID = '3f1f9d31-9d0c-4f0b-8d5c-0f6f2f7f9a11'
const namespace = { id: 'root', number: 0, path: '' }

/** Mounts the method. */
export const fakeMount = (engine: Engine): FakeMount => {
  const records = createRecords({ store: createMemoryStore(), queues: new ConflictQueues() })
  const names = createKeyring(0)
  const match = compileRoutes(engine.routes)
  const mount: Mount = {
    uuid: UUID,
    key: idBytes(UUID)!,
    accessor: `auth_${engine.type}_00000001`,
    type: engine.type,
    path: `auth/${engine.type}/`,
    description: '',
    local: false,
    options: null,
    defaultLeaseTtlSeconds: 2_764_800,
    maxLeaseTtlSeconds: 2_764_800,
    tokenType: 'default-service',
  }

  const answer = async (verb: Verb | 'write', path: string, body?: FakeBody): Promise<Answer> => {
    const found = match(path)
    if (found === undefined) return { status: 404, error: 'unsupported path', warnings: [] }
    const { route, captures } = found
    const callOf = (as: Verb): RequestCall =>
      new RequestCall({
        request: {
          requestId: UUID,
          remoteAddress: self.remoteAddress,
          headers: {},
          path: `${mount.path}${path}`,
          data: body,
        } as unknown as ConstructorParameters<typeof RequestCall>[0]['request'],
        input: readInput(route, captures, body, verb === 'write' ? 'update' : 'read'),
        verb: as,
        namespace,
        mount,
        caller: undefined,
        now: self.now,
        records,
        names,
        wrapTtlSeconds: undefined,
      })
    const existing = verb === 'write' ? route.exists?.(callOf('update')) : undefined
    const creates = existing !== undefined && (await records.get(existing)) === undefined
    const as = verb !== 'write' ? verb : creates ? 'create' : 'update'
    const call = callOf(as)
    const handler = route.verbs[as]
    if (handler === undefined) {
      return { status: 405, error: 'unsupported operation', warnings: [] }
    }
    const result = await handler(call)
    const { warnings } = call
    if (result === undefined) {
      return { status: verb === 'read' || verb === 'list' ? 404 : 204, warnings }
    }
    if (result.kind === 'data') {
      return { status: result.status ?? 200, data: result.data, warnings }
    }
    if (result.kind === 'login') {
      const login = await records.transact(result.decide).catch(async (error: unknown) => {
        await result.refused?.(error)
        throw error
      })
      return { status: 200, login, warnings }
    }
    if (result.kind !== 'list') throw new Error(`auth methods do not answer ${result.kind}`)
    const keys: string[] = []
    for await (const page of result.pages) keys.push(...page.keys)
    return keys.length === 0 ? { status: 404, warnings } : { status: 200, data: { keys }, warnings }
  }

  const self: FakeMount = {
    now: Date.UTC(2026, 6, 1),
    remoteAddress: '127.0.0.1',
    records,
    place: { namespace, mount, names },
    ask: async (verb, path, body) => {
      try {
        return await answer(verb, path, body)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return { status: error.status, error: error.message, warnings: [] }
      }
    },
    renew: (internal, tokenPolicies) =>
      records.transact(async (tx) =>
        engine.renew?.({ namespace, mount, names, now: self.now, internal, tokenPolicies }, tx),
      ),
    count: async (range) => {
      let count = 0
      for await (const page of records.scan(range)) count += page.length
      return count
    },
  }
  return self
}

/** Hashes that cost nothing, and how many were asked for. */
export const countedBcrypt = (): Bcrypt & { hashes: number; checks: number } => {
  const counted = {
    hashes: 0,
    checks: 0,
    hash: async (password: string) => {
      counted.hashes++
      return `hash of ${password}`
    },
    verify: async (password: string, hash: string) => {
      counted.checks++
      return hash === `hash of ${password}`
    },
  }
  return counted
}
