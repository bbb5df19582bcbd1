import { request } from 'node:http'

/** A request to a server. */
export type Question = {
  readonly method?: string
  /** Behind `/v1/`. */
  readonly path: string
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What came; `body` is undefined when it was empty, and a text when it was no JSON. */
export type Told = {
  readonly status: number
  // eslint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/**
 * Asks over a connection of its own, so that with several workers any may answer. Rejects when the connection breaks.
 * `method` is POST with a body and GET without, unless given.
 */
export const ask = (
  base: string,
  { path, token, body, method = body === undefined ? 'GET' : 'POST', headers }: Question,
): Promise<Told> =>
  new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const sent = request(
      `${base}/v1/${path}`,
      {
        agent: false,
        method,
        timeout: 30_000,
        headers: {
          ...(token === undefined ? {} : { 'X-Vault-Token': token }),
          ...(payload === undefined ? {} : { 'Content-Length': Buffer.byteLength(payload) }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: bodyOf(Buffer.concat(chunks).toString()),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('no answer in 30 s')))
    sent.end(payload)
  })

const bodyOf = (text: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
