import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Outside } from './outside.ts'

/** A request as a provider's server sees it. */
export interface SeenRequest {
  readonly verb: string
  readonly host: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server of this machine that stands for a provider, for tests. */
export interface FakeProvider {
  readonly outside: Outside
  readonly seen: readonly SeenRequest[]
  close(): Promise<void>
}

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Starts one; whatever https address is asked for arrives there. `pause` moves the clock on and does not wait. */
export const startFakeProvider = async (
  answer: (
    request: SeenRequest,
    origin: string,
  ) => { readonly status?: number; readonly body: string },
): Promise<FakeProvider> => {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const host = String(request.headers['x-asked-host'])
      const url = new URL(request.url ?? '/', `https://${host}`)
      const one: SeenRequest = {
        verb: request.method ?? '',
        host,
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: await read(request),
      }
      seen.push(one)
      const { status = 200, body } = answer(one, url.origin)
      response.writeHead(status).end(body)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let now = Date.UTC(2026, 0, 2, 3, 4, 5)
  return {
    seen,
    outside: {
      fetch: (asked, init) => {
        const url = new URL(asked)
        if (url.protocol !== 'https:') throw new Error(`not https: ${asked}`)
        const headers = { ...(init.headers as Record<string, string>), 'x-asked-host': url.host }
        const target = `http://127.0.0.1:${port}${url.pathname}${url.search}`
        return fetch(target, { ...init, headers })
      },
      pause: (ms) => {
        now += ms
        return Promise.resolve()
      },
      clock: () => now,
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
