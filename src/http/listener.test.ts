import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { renderNoContent, renderSuccess } from './envelope.ts'
import { createListener } from './listener.ts'
import type { Listener, ListenerOptions } from './listener.ts'
import type { HttpAnswer, HttpRequest } from './request.ts'
import { WireClient } from './wire-client.ts'

const open: { readonly listener: Listener; readonly clients: WireClient[] }[] = []
after(async () => {
  for (const { listener, clients } of open) {
    for (const client of clients) client.destroy()
    await listener.stop(100)
  }
})

/** Answers with what it understood, so that a test sees the request as the core would. */
const echo = async (request: HttpRequest): Promise<HttpAnswer> => {
  const { operation, method, path, token, data } = request
  if (path === 'nothing') return renderNoContent()
  if (path === 'fault') throw new Error('a bug')
  return renderSuccess({
    requestId: '',
    data: { operation, method, path, token: token ?? null, data: data ?? null },
  })
}

const serve = async (
  options: Partial<ListenerOptions> = {},
): Promise<{ port: number; listener: Listener; client: () => Promise<WireClient> }> => {
  const listener = createListener({ handle: echo, ...options })
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  const clients: WireClient[] = []
  open.push({ listener, clients })
  const client = async (): Promise<WireClient> => {
    const made = await WireClient.connect(port)
    clients.push(made)
    return made
  }
  return { port, listener, client }
}

const ask = (method: string, path: string, body = '', headers = ''): string =>
  `${method} /v1/${path} HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: root\r\n${headers}` +
  `${body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`

const chunked = (method: string, path: string, ...chunks: readonly string[]): string =>
  `${method} /v1/${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n` +
  `${[...chunks, ''].map((chunk) => `${chunk.length.toString(16)};x=y\r\n${chunk}\r\n`).join('')}`

const understood = (answer: { readonly status: number; readonly body: string }): unknown => {
  if (answer.status !== 200) return [answer.status, answer.body]
  const { data } = JSON.parse(answer.body) as { data: Record<string, unknown> }
  return [data['operation'], data['path'], data['data']]
}

/** Requests in an order that mixes known and unknown verbs, with and without bodies, and what each must come to. */
const MIXED: readonly (readonly [string, unknown])[] = [
  [ask('LIST', 'a/b'), ['list', 'a/b/', null]],
  [ask('GET', 'a'), ['read', 'a', null]],
  [ask('SCAN', 'a/?x=1'), ['scan', 'a/', { x: '1' }]],
  [ask('POST', 'a', '{"k":"LIST /v1/x HTTP/1.1"}'), ['update', 'a', { k: 'LIST /v1/x HTTP/1.1' }]],
  [ask('LIST', 'b', '{"ignored":1}'), ['list', 'b/', null]],
  [ask('LIST', 'c'), ['list', 'c/', null]],
  [ask('FOO', 'a'), [405, '{"errors":[]}\n']],
  [chunked('LIST', 'd', 'G', 'L'), ['list', 'd/', null]],
  [chunked('PUT', 'e', '{"a"', ':1}'), ['update', 'e', { a: 1 }]],
  [ask('SCAN', 'f'), ['scan', 'f/', null]],
  [ask('L', 'a'), [405, '{"errors":[]}\n']],
  [ask('list', 'a'), [405, '{"errors":[]}\n']],
  [ask('PROPFIND', 'a'), [405, '{"errors":[]}\n']],
  [ask('TRACE', 'a'), [405, '{"errors":[]}\n']],
  [ask('M-SEARCH', 'a', 'xyz'), [405, '{"errors":[]}\n']],
  [ask('DELETE', 'a', '{bad'), ['delete', 'a', null]],
  [ask('GET', 'a?list=true&x=1&x=2'), ['list', 'a/', { x: ['1', '2'] }]],
]

describe('verbs that Node does not know', () => {
  for (const [text, wanted] of MIXED.filter(([line]) => /^(LIST|SCAN|FOO|list)/.test(line)))
    it(`first on a connection: ${text.slice(0, 12)}`, async () => {
      const { client } = await serve()
      const wire = await client()
      wire.send(text)
      assert.deepEqual(understood(await wire.answer()), wanted)
    })

  it('after one another on one kept-alive connection', async () => {
    const { client, listener } = await serve()
    const wire = await client()
    for (const [text, wanted] of MIXED) {
      wire.send(text)
      assert.deepEqual(understood(await wire.answer()), wanted, text)
    }
    assert.equal(listener.connections(), 1)
  })

  it('pipelined in one packet', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send(MIXED.map(([text]) => text).join(''))
    for (const [text, wanted] of MIXED)
      assert.deepEqual(understood(await wire.answer()), wanted, text)
  })

  it('byte by byte', async () => {
    const { client } = await serve()
    const wire = await client()
    const sent = wire.trickle(MIXED.map(([text]) => text).join(''))
    for (const [text, wanted] of MIXED)
      assert.deepEqual(understood(await wire.answer()), wanted, text)
    await sent
  })
})

describe('what is not a request', () => {
  const garbage: readonly (readonly [string, string, number])[] = [
    ['a line of text', 'hello\r\n', 400],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['a bare line feed', 'GET /v1/a HTTP/1.1\nHost: x\n\n', 400],
    ['no Host', 'GET /v1/a HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET /v1/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['a blank before the colon', 'GET /v1/a HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n', 400],
    ['a folded header', 'GET /v1/a HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400],
    ['a control character', 'GET /v1/a HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n', 400],
    [
      'length and chunks',
      'POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    [
      'two lengths',
      'POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
      400,
    ],
    ['a signed length', 'POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc', 400],
    [
      'another coding',
      'POST /v1/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      501,
    ],
    [
      'a bad chunk',
      'POST /v1/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      400,
    ],
    [
      'a chunk longer than said',
      'POST /v1/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      400,
    ],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['headers without end', `GET /v1/a HTTP/1.1\r\nX: ${'y'.repeat(70_000)}`, 431],
    ['a body too large', 'POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 33554433\r\n\r\n', 413],
  ]
  for (const [what, bytes, status] of garbage)
    it(`${what}: ${status} and closed`, async () => {
      const { client } = await serve()
      const wire = await client()
      wire.send(bytes)
      const answer = await wire.answer()
      assert.equal(answer.status, status)
      assert.equal(answer.headers['connection'], 'close')
      assert.equal(await wire.rest(), '')
    })

  it('a body too large is refused while it is still sent, with the recorded text', async () => {
    const { client } = await serve({ limits: { bodyBytes: 1_000 } })
    const wire = await client()
    wire.send(`POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n`)
    for (let i = 0; i < 90; i++) wire.send(Buffer.alloc(100_000))
    const answer = await wire.answer()
    assert.equal(answer.status, 413)
    assert.equal(answer.body, '{"errors":["http: request body too large"]}\n')
  })

  it('chunks that grow too large are refused too', async () => {
    const { client } = await serve({ limits: { bodyBytes: 1_000 } })
    const wire = await client()
    wire.send(chunked('POST', 'a', 'x'.repeat(900), 'x'.repeat(900)))
    assert.equal((await wire.answer()).status, 413)
  })
})

describe('a connection', () => {
  it('answers HEAD without a body and goes on', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send(ask('HEAD', 'a') + ask('GET', 'b'))
    const head = await wire.answer(true)
    assert.equal(head.status, 200)
    assert.ok(Number(head.headers['content-length']) > 0)
    assert.deepEqual(understood(await wire.answer()), ['read', 'b', null])
  })

  it('sends no length with a 204', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send(ask('DELETE', 'nothing'))
    const { status, headers, body } = await wire.answer()
    assert.deepEqual(
      [status, headers['content-length'], headers['content-type'], headers['cache-control'], body],
      [204, undefined, 'application/json', 'no-store', ''],
    )
  })

  it('closes when asked to, and after HTTP/1.0', async () => {
    const { client } = await serve()
    for (const text of [
      ask('GET', 'a', '', 'Connection: close\r\n'),
      'GET /v1/a HTTP/1.0\r\n\r\n',
    ]) {
      const wire = await client()
      wire.send(text)
      assert.equal((await wire.answer()).headers['connection'], 'close')
      assert.equal(await wire.rest(), '')
    }
  })

  it('answers a client that has ended its side', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send(ask('LIST', 'a'))
    wire.end()
    assert.deepEqual(understood(await wire.answer()), ['list', 'a/', null])
    assert.equal(await wire.rest(), '')
  })

  it('says 100 Continue to a client that waits for it', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send('POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n')
    assert.equal((await wire.answer()).status, 100)
    wire.send('{"a":1}')
    assert.deepEqual(understood(await wire.answer()), ['update', 'a', { a: 1 }])
  })

  it('gives the pages what is below /ui/ and nothing else', async () => {
    const { client } = await serve({
      pages: async ({ method, path, query, tls, body }) => ({
        status: 200,
        body: JSON.stringify([method, path, query, tls, Buffer.from(body).toString()]),
      }),
    })
    const wire = await client()
    wire.send('POST /ui/x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab')
    assert.deepEqual(JSON.parse((await wire.answer()).body), ['POST', '/ui/x', 'y=1', false, 'ab'])
    wire.send(ask('GET', 'a'))
    assert.deepEqual(understood(await wire.answer()), ['read', 'a', null])
  })

  it('turns a fault into a 500 that says nothing, and logs it', async () => {
    const logged: unknown[] = []
    const { client } = await serve({ log: (_message, error) => logged.push(error) })
    const wire = await client()
    wire.send(ask('GET', 'fault') + ask('GET', 'a'))
    const answer = await wire.answer()
    assert.equal(answer.status, 500)
    assert.equal(answer.body, '{"errors":["1 error occurred:\\n\\t* internal error\\n\\n"]}\n')
    assert.deepEqual(understood(await wire.answer()), ['read', 'a', null])
    assert.equal((logged[0] as Error).message, 'a bug')
  })

  it('refuses to send a header that holds a line end', async () => {
    const { client } = await serve({
      handle: async () => ({ status: 200, headers: { Location: 'a\r\nX: y' }, body: 'x' }),
    })
    const wire = await client()
    wire.send(ask('GET', 'a'))
    const answer = await wire.answer()
    assert.deepEqual([answer.status, answer.headers['x']], [500, undefined])
  })

  it('sends text beyond ASCII with its length in bytes', async () => {
    const { client } = await serve()
    const wire = await client()
    wire.send(Buffer.from(ask('POST', 'a', '{"n":"Zoë ☂"}')))
    assert.deepEqual(understood(await wire.answer()), ['update', 'a', { n: 'Zoë ☂' }])
  })
})

describe('clients that are slow', () => {
  const fast = { headerMs: 30, bodyMs: 30, idleMs: 30, lingerMs: 30, sweepMs: 5 }

  it('with headers: 408 and closed', async () => {
    const { client } = await serve({ limits: fast })
    const wire = await client()
    wire.send('GET /v1/a HTT')
    assert.equal((await wire.answer()).status, 408)
    assert.equal(await wire.rest(), '')
  })

  it('with a body: 408 and closed', async () => {
    const { client } = await serve({ limits: fast })
    const wire = await client()
    wire.send('POST /v1/a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{')
    assert.equal((await wire.answer()).status, 408)
    assert.equal(await wire.rest(), '')
  })

  it('that ask nothing are closed without a word', async () => {
    const { client, listener } = await serve({ limits: fast })
    const wire = await client()
    assert.equal(await wire.rest(), '')
    while (listener.connections() > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('that take no answers are not read from, and closed in the end', async () => {
    let handled = 0
    const { client, listener } = await serve({
      limits: { writeMs: 50, sweepMs: 5 },
      handle: async () => {
        handled++
        return { status: 200, body: 'x'.repeat(1_000_000) }
      },
    })
    const wire = await client()
    wire.stopReading()
    wire.send(ask('GET', 'a').repeat(100))
    while (listener.connections() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(handled < 50, `${handled} answers were made for nobody`)
  })
})

describe('stop', () => {
  it('finishes what has begun, closes what is idle, takes nothing new', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { client, listener, port } = await serve({
      handle: async (request) => {
        if (request.path === 'slow') await held
        return echo(request)
      },
    })
    const [idle, busy, partial] = [await client(), await client(), await client()]
    idle.send(ask('GET', 'a'))
    await idle.answer()
    busy.send(ask('GET', 'slow'))
    partial.send(ask('POST', 'p', '{"a":1}').slice(0, -3))
    while (listener.connections() < 3) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const stopped = listener.stop(5_000)
    assert.equal(await idle.rest(), '')
    await assert.rejects(WireClient.connect(port))
    partial.send(':1}')
    release()
    assert.deepEqual(understood(await busy.answer()), ['read', 'slow', null])
    assert.deepEqual(understood(await partial.answer()), ['update', 'p', { a: 1 }])
    await Promise.all([busy.rest(), partial.rest(), stopped])
    assert.equal(listener.connections(), 0)
  })

  it('closes by force when the grace is over', async () => {
    const { client, listener } = await serve({ handle: () => new Promise(() => {}) })
    const wire = await client()
    wire.send(ask('GET', 'never'))
    while (listener.connections() < 1) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await listener.stop(20)
    assert.equal(await wire.rest(), '')
  })
})
