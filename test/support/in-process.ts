import { randomUUID } from 'node:crypto'
import { devConfig } from '../../src/config/dev-config.ts'
import type { Request } from '../../src/core/request.ts'
import { renderReply } from '../../src/http/render.ts'
import { startDevelopment } from '../../src/process/development.ts'
import { makeLocalServing } from '../../src/process/local-serving.ts'
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts'
import type { Json } from '../../src/std/json.ts'

/** An answer as a client reads it. */
export type Answer = {
  readonly status: number
  readonly auth: Record<string, any>
  readonly data: Record<string, any>
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Codes. */
  readonly hints: readonly string[]
}

/** What a test asks besides the path; the root token unless told. */
export type Ask = {
  readonly token?: string
  readonly body?: Readonly<Record<string, Json>>
  readonly from?: string
}

/** An unsealed development server without a port, over memory, with a clock that tests move. */
export type InProcess = {
  write(path: string, body?: Readonly<Record<string, Json>>, token?: string): Promise<Answer>
  read(path: string, token?: string, from?: string): Promise<Answer>
  remove(path: string, token?: string): Promise<Answer>
  /** What the log said of faults of the server's own: none in a good test. */
  readonly faults: readonly string[]
  /** ms; resolves when the server has heard of it. */
  forward(time: number): Promise<void>
  stop(): Promise<void>
}

/** Starts one; its root token is `root`. */
export const startInProcess = async (): Promise<InProcess> => {
  let ahead = 0
  const faults: string[] = []
  const store = createMemoryStore({ clock: () => Date.now() + ahead })
  const config = devConfig({
    listenAddress: '127.0.0.1:0',
    rootTokenId: 'root',
    dataFolder: undefined,
  })
  const log = (message: string): void => void faults.push(message)
  const serving = makeLocalServing({ config, store, waitMs: 1_000, log })
  await startDevelopment(config.dev!, serving.lifecycle)
  faults.length = 0

  const ask = async (
    operation: Request['operation'],
    path: string,
    { token = 'root', body, from = '127.0.0.1' }: Ask,
  ): Promise<Answer> => {
    const reply = await serving.front.handle({
      requestId: randomUUID(),
      operation,
      path,
      token,
      data: body,
      headers: {},
      wrapTtlSeconds: undefined,
      namespace: '',
      remoteAddress: from,
      remotePort: 1,
    })
    const { status, body: text } = renderReply(reply)
    const json = JSON.parse(String(text ?? '') || '{}') as Record<string, any>
    return {
      status,
      auth: json['auth'] ?? {},
      data: json['data'] ?? {},
      errors: json['errors'] ?? [],
      warnings: json['warnings'] ?? [],
      hints: (json['hints'] ?? []).map(({ code }: { readonly code: string }) => code),
    }
  }

  return {
    write: (path, body = {}, token = 'root') => ask('update', path, { token, body }),
    read: (path, token = 'root', from = '127.0.0.1') => ask('read', path, { token, from }),
    remove: (path, token = 'root') => ask('delete', path, { token }),
    faults,
    forward: async (time) => {
      ahead += time
      // A token that nobody knows, nor was asked for before, is looked for in the store, whose answer tells the time.
      await ask('read', 'auth/token/lookup-self', { token: `unknown-at-${ahead}` })
    },
    stop: async () => {
      await serving.lifecycle.close()
      await store.close()
    },
  }
}
