import { randomUUID } from 'node:crypto'
import { devConfig } from '../../src/config/dev-config.ts'
import type { Reply } from '../../src/core/reply.ts'
import type { Operation, Request } from '../../src/core/request.ts'
import { limits } from '../../src/limits.ts'
import { makeLocalServing } from '../../src/process/local-serving.ts'
import type { Serving } from '../../src/process/serving.ts'
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts'
import type { Store } from '../../src/storage/store.ts'
import type { Json } from '../../src/std/json.ts'

/** One request to a node, without HTTP. */
export interface NodeRequest {
  readonly operation?: Operation
  readonly path: string
  readonly data?: Readonly<Record<string, Json>>
  readonly token?: string
  /** X-Vault-MFA, as parsed. */
  readonly mfaHeaders?: Request['mfaHeaders']
  /** A login that comes along, in place of a token. */
  readonly inlineAuth?: Request['inlineAuth']
  readonly wrapTtlSeconds?: number
  readonly remoteAddress?: string
}

/** What a node answered, in the words of HTTP. */
export interface NodeAnswer {
  readonly status: number
  readonly data: Record<string, Json>
  readonly auth: {
    readonly token: string
    readonly accessor: string
    readonly entityId: string
    readonly policies: readonly string[]
    readonly identityPolicies: readonly string[]
  }
  /** What a login that waits for its second factor asks for. */
  readonly requirement: Json | undefined
  /** The wrapping token of a wrapped answer. */
  readonly wrapToken?: string | undefined
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
  /** Those of this answer alone. */
  readonly headers: Readonly<Record<string, string>>
}

/** A server process as tests see it: its own caches, a store shared with the others. */
export interface Node {
  ask(request: NodeRequest): Promise<NodeAnswer>
  write(path: string, data?: Readonly<Record<string, Json>>, token?: string): Promise<NodeAnswer>
  read(path: string, token?: string): Promise<NodeAnswer>
  delete(path: string, token?: string): Promise<NodeAnswer>
  close(): Promise<void>
}

const answerOf = (reply: Reply): NodeAnswer => {
  const auth = reply.kind === 'success' ? reply.auth : undefined
  return {
    status:
      reply.kind === 'none'
        ? 204
        : reply.kind === 'stream'
          ? 200
          : reply.kind === 'success'
            ? (reply.status ?? 200)
            : reply.status,
    data: (reply.kind === 'success' ? (reply.data ?? {}) : {}) as Record<string, Json>,
    auth: {
      token: auth?.clientToken ?? '',
      accessor: auth?.accessor ?? '',
      entityId: auth?.entityId ?? '',
      policies: auth?.tokenPolicies ?? [],
      identityPolicies: auth?.identityPolicies ?? [],
    },
    requirement: auth?.mfaRequirement,
    wrapToken: reply.kind === 'success' ? reply.wrapInfo?.token : undefined,
    warnings: reply.kind === 'success' ? reply.warnings : [],
    errors: reply.kind === 'error' ? reply.errors : [],
    headers: reply.kind === 'none' ? {} : (reply.headers ?? {}),
  }
}

const nodeOf = (serving: Serving): Node => {
  const ask = async (request: NodeRequest): Promise<NodeAnswer> =>
    answerOf(
      await serving.front.handle({
        requestId: randomUUID(),
        operation: request.operation ?? 'read',
        path: request.path,
        token: request.token ?? 'root',
        data: request.data,
        headers: {},
        ...(request.mfaHeaders === undefined ? {} : { mfaHeaders: request.mfaHeaders }),
        ...(request.inlineAuth === undefined ? {} : { inlineAuth: request.inlineAuth }),
        wrapTtlSeconds: request.wrapTtlSeconds,
        namespace: '',
        remoteAddress: request.remoteAddress ?? '127.0.0.1',
        remotePort: 1,
      }),
    )
  return {
    ask,
    write: (path, data = {}, token = 'root') => ask({ operation: 'update', path, data, token }),
    read: (path, token = 'root') => ask({ path, token }),
    delete: (path, token = 'root') => ask({ operation: 'delete', path, token }),
    close: () => serving.lifecycle.close(),
  }
}

/** `count` unsealed nodes over one store, root token `root`; the first initialises it. `storeOf` may put something between. */
export const startNodes = async (
  count: number,
  options: {
    readonly store?: Store
    readonly storeOf?: (node: number, store: Store) => Store
  } = {},
): Promise<readonly Node[]> => {
  const shared = options.store ?? createMemoryStore()
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  const servings = Array.from({ length: count }, (_, index): Serving => {
    const store = options.storeOf?.(index, shared) ?? shared
    const serving = makeLocalServing({
      config,
      store,
      waitMs: limits.storeWaitMs,
      log: (message, error) => {
        if (error !== undefined) console.error(message, error)
      },
    })
    return serving
  })
  const made = await servings[0]!.lifecycle.initialise({
    shares: 1,
    threshold: 1,
    rootToken: 'root',
  })
  if (made === 'already') throw new Error('the store was not empty')
  for (const { lifecycle } of servings) await lifecycle.giveShare(made.unsealKeys[0]!)
  return servings.map(nodeOf)
}
