import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CommandIo } from './io.ts'
import { runCommandLine } from './run.ts'

/** A request as the fake server got it. */
export type SeenRequest = {
  readonly method: string
  /** Without `/v1/`, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Parsed; undefined when there was none. */
  readonly body: unknown
}

/** What the fake server answers: a status with a JSON body, or with none. */
export type FakeAnswer = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** How a command ended, and what it said and asked. */
export type Outcome = {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly requests: readonly SeenRequest[]
}

/** What a test changes of the world around a command. */
export type World = {
  readonly answer?: (request: SeenRequest) => FakeAnswer
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** What is typed at a prompt; absent: there is no terminal. */
  readonly typed?: string
  readonly isTTY?: boolean
  readonly home?: string
  readonly checkout?: string
  /** Whether the address of the fake server is in the environment; true unless it says false. */
  readonly addressed?: boolean
  /** Whether the environment calls the server, which speaks plain HTTP, an https one. */
  readonly misaddressed?: boolean
}

/** An answer with data, in the envelope. */
export const data = (value: unknown, more: Record<string, unknown> = {}): FakeAnswer => ({
  status: 200,
  body: {
    request_id: 'r1',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: value,
    wrap_info: null,
    warnings: null,
    auth: null,
    ...more,
  },
})

/** An answer without content. */
export const nothing: FakeAnswer = { status: 204 }

/** A refusal. */
export const refused = (status: number, ...errors: string[]): FakeAnswer => ({
  status,
  body: { errors },
})

/** Runs a command line in this process against a server that answers as `world` says. */
export const runAgainst = async (
  words: readonly string[],
  world: World = {},
): Promise<Outcome & { readonly address: string }> => {
  const requests: SeenRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const seen: SeenRequest = {
        method: incoming.method ?? '',
        path: (incoming.url ?? '').replace('/v1/', ''),
        headers: incoming.headers,
        body: text === '' ? undefined : JSON.parse(text),
      }
      requests.push(seen)
      const answer = world.answer?.(seen) ?? refused(404)
      const raw = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
      outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      outgoing.end(answer.body === undefined ? undefined : raw)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let stdout = ''
  let stderr = ''
  const io: CommandIo = {
    stdout: { isTTY: world.isTTY ?? false, write: (text) => (stdout += text) },
    stderr: { isTTY: world.isTTY ?? false, write: (text) => (stderr += text) },
    env: {
      ...(world.addressed === false
        ? {}
        : {
            VAULT_ADDR: world.misaddressed === true ? address.replace('http:', 'https:') : address,
          }),
      VAULT_TOKEN: 'tok',
      ...world.env,
    },
    home: world.home ?? '/nonexistent',
    checkout: world.checkout ?? '/nonexistent',
    readStdin: async () => world.stdin ?? '',
    promptHidden: async (question) => {
      if (world.typed !== undefined) stderr += question
      return world.typed
    },
  }
  try {
    const code = await runCommandLine(words, io)
    return { code, stdout, stderr, requests, address }
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
