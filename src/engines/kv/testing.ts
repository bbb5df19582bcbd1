import { createKeyring } from '../../barrier/keyring.ts'
import { withBarrier } from '../../barrier/barrier-store.ts'
import { readInput } from '../../core/input.ts'
import { collectList } from '../../core/lists.ts'
import { ConflictQueues, createRecords } from '../../core/records.ts'
import { RequestCall } from '../../core/request-call.ts'
import { compileRoutes } from '../../core/router.ts'
import type { CallerView, Mount } from '../../engine/call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Names, Records } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { Refusal } from '../../engine/refusal.ts'
import type { Verb } from '../../engine/route.ts'
import type { Json } from '../../std/json.ts'
import { decodeJson } from '../../std/json.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import type { Store } from '../../storage/store.ts'

/** What a test sees of an answer; a list's keys are under `data.keys`. */
export interface TestAnswer {
  readonly status: number
  readonly error?: string
  readonly data?: any
  readonly warnings?: readonly string[]
  readonly leaseDuration?: number
}

export interface EngineHarness {
  readonly store: Store
  readonly records: Records
  readonly names: Names
  readonly namespace: RequestCall['namespace']
  readonly mount: Mount
  /** The time of the requests, in ms; tests move it. */
  now: number
  /** The same data under other mount options. */
  readonly withOptions: (options: Readonly<Record<string, string>>) => EngineHarness
  /** Sends a request; `body` is JSON text or a value, of lists and reads the query's parameters. */
  readonly send: (
    verb: Verb,
    path: string,
    body?: unknown,
    caller?: CallerView,
  ) => Promise<TestAnswer>
}

const MOUNT_UUID = '0b3f5c1e-8a70-4d2c-9e11-5f6a7b8c9d0e'

/** A caller of policy `root` with this token key. */
export const callerWith = (tokenKey: Uint8Array, policies = ['root']): CallerView => ({
  tokenAccessor: 'accessor',
  entityId: '',
  displayName: 'token',
  policies,
  root: policies.includes('root'),
  sudo: true,
  tokenKey,
  passing: false,
})

const jsonOf = (body: unknown): Readonly<Record<string, Json>> | undefined =>
  body === undefined
    ? undefined
    : (decodeJson(typeof body === 'string' ? body : JSON.stringify(body)) as Record<string, Json>)

/** An engine on a sealed store in memory, asked as the core asks it. `disturb` may delay the calls of the store. */
export const engineHarness = (
  engine: Engine,
  options: Readonly<Record<string, string>> = {},
  disturb: (store: Store) => Store = (store) => store,
): EngineHarness => {
  const keyring = createKeyring(0)
  const store = disturb(withBarrier(createMemoryStore(), keyring))
  const queues = new ConflictQueues()
  return harnessOver({ engine, store, queues, names: keyring }, options)
}

interface Parts {
  readonly engine: Engine
  readonly store: Store
  readonly queues: ConflictQueues
  readonly names: Names
}

const harnessOver = (parts: Parts, options: Readonly<Record<string, string>>): EngineHarness => {
  const { engine, store, queues, names } = parts
  const namespace = { id: 'root', number: 0, path: '' }
  const mount: Mount = {
    uuid: MOUNT_UUID,
    key: idBytes(MOUNT_UUID)!,
    accessor: `${engine.type}_00000000`,
    type: engine.type,
    path: 'm/',
    description: '',
    local: false,
    options,
    defaultLeaseTtlSeconds: 2_764_800,
    maxLeaseTtlSeconds: 2_764_800,
    tokenType: 'default-service',
  }
  const match = compileRoutes(engine.routesFor?.(mount) ?? engine.routes)
  const records = createRecords({ store, queues })
  const harness: EngineHarness = {
    store,
    records,
    names,
    namespace,
    mount,
    now: Date.UTC(2026, 0, 2, 3, 4, 5),
    withOptions: (other) => Object.assign(harnessOver(parts, other), { now: harness.now }),
    send: async (verb, path, body, caller) => {
      const lists = verb === 'list' || verb === 'scan'
      const asked = lists && path !== '' && !path.endsWith('/') ? `${path}/` : path
      const data = jsonOf(body)
      try {
        const found = match(asked)
        const handler = found?.route.verbs[verb]
        if (found === undefined) return { status: 404, error: 'unsupported path' }
        if (handler === undefined) return { status: 405, error: 'unsupported operation' }
        const input = readInput(
          found.route,
          found.captures,
          data,
          verb === 'create' ? 'update' : verb,
        )
        const call = new RequestCall({
          request: {
            requestId: 'request',
            operation: verb === 'create' ? 'update' : verb,
            path: `m/${asked}`,
            token: undefined,
            data,
            headers: {},
            wrapTtlSeconds: undefined,
            namespace: '',
            remoteAddress: '127.0.0.1',
            remotePort: 0,
          },
          input,
          verb,
          namespace,
          mount,
          caller,
          now: harness.now,
          records,
          names,
          wrapTtlSeconds: undefined,
        })
        const result = await handler(call)
        const { warnings } = call
        if (result === undefined) return { status: verb === 'read' || lists ? 404 : 204 }
        if (result.kind === 'raw') return { status: result.status }
        if (result.kind === 'list') {
          const list = await collectList(result.pages, undefined)
          return list === undefined && verb === 'list'
            ? { status: 404 }
            : { status: 200, data: list ?? {}, warnings }
        }
        if (result.kind !== 'data') throw new Error(`unexpected result ${result.kind}`)
        const leaseDuration = result.leaseDurationSeconds ?? 0
        return { status: result.status ?? 200, data: result.data, warnings, leaseDuration }
      } catch (error) {
        if (error instanceof Refusal) return { status: error.status, error: error.message }
        throw error
      }
    },
  }
  return harness
}
