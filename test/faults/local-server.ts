import { randomUUID } from 'node:crypto'
import { devConfig } from '../../src/config/dev-config.ts'
import type { Operation } from '../../src/core/request.ts'
import { renderReply } from '../../src/http/render.ts'
import { limits } from '../../src/limits.ts'
import { makeLocalServing } from '../../src/process/local-serving.ts'
import type { Json } from '../../src/std/json.ts'
import type { Store } from '../../src/storage/store.ts'

/** An answer as a client reads it. */
export interface Answer {
  readonly status: number
  // eslint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** A server in this process, without a port, over a store that a test has made. */
export interface LocalServer {
  /** What opens its seal. */
  readonly key: Buffer
  /** What it has logged. */
  readonly lines: readonly string[]
  /** With the root token, `root`, unless told otherwise. */
  ask(
    operation: Operation,
    path: string,
    data?: Readonly<Record<string, Json>>,
    token?: string,
  ): Promise<Answer>
  close(): Promise<void>
}

/** Starts one, unsealed: with the key given, or else as the first on an empty store. Rejects when it does not open. */
export const startLocal = async (store: Store, key?: Buffer): Promise<LocalServer> => {
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  const lines: string[] = []
  const log = (message: string, error?: unknown): void =>
    void lines.push(error === undefined ? message : `${message}: ${(error as Error).message}`)
  const serving = makeLocalServing({ config, store, waitMs: limits.storeWaitMs, log })
  let opens = key
  if (opens === undefined) {
    const made = await serving.lifecycle.initialise({ shares: 1, threshold: 1, rootToken: 'root' })
    if (made === 'already') throw new Error('the store was not empty')
    opens = made.unsealKeys[0]!
  }
  const outcome = await serving.lifecycle.giveShare(opens)
  if (outcome !== 'unsealed') throw new Error(`the key was given: ${outcome}`)
  return {
    key: opens,
    lines,
    ask: async (operation, path, data, token = 'root') => {
      const reply = await serving.handle({
        requestId: randomUUID(),
        operation,
        path,
        token,
        data,
        headers: { 'x-vault-token': token },
        wrapTtlSeconds: undefined,
        namespace: '',
        remoteAddress: '127.0.0.1',
        remotePort: 1,
      })
      const { status, body } = renderReply(reply)
      return { status, body: JSON.parse(String(body ?? '') || '{}') }
    },
    close: () => serving.lifecycle.close(),
  }
}
