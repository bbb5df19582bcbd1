import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { httpLimits } from './limits.ts'
import { BadMessage } from './message-head.ts'
import { MessageReader } from './message-reader.ts'

interface Read {
  readonly method: string
  readonly target: string
  readonly token: string | undefined
  readonly body: string
}

/** What our reader makes of bytes that come in these pieces; what it refuses ends the list. */
const ours = (pieces: readonly Buffer[]): { reads: Read[]; refused: boolean } => {
  const reader = new MessageReader(httpLimits)
  const reads: Read[] = []
  try {
    for (const piece of pieces) {
      reader.push(piece)
      for (let message = reader.next(); message; message = reader.next()) {
        const { method, target, headers } = message.head
        const token = headers['x-vault-token']
        reads.push({
          method,
          target,
          token: token?.toString(),
          body: message.body.toString('latin1'),
        })
        // The connection serves nothing after this one.
        if (!message.head.keepAlive) return { reads, refused: false }
      }
    }
  } catch (error) {
    assert.ok(error instanceof BadMessage, String(error))
    return { reads, refused: true }
  }
  return { reads, refused: false }
}

/** Every split of the bytes at these places. */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  )
  return at
    .slice(1)
    .map((end, i) => bytes.subarray(at[i], end))
    .filter((piece) => piece.length > 0)
}

const requests = fc.array(
  fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    target: fc.constantFrom('/v1/a', '/v1/b?list=true', '/v1/%2e%2e/x'),
    token: fc.option(fc.constantFrom('root', 's.abc', ''), { nil: undefined }),
    body: fc.string({ unit: 'grapheme-ascii', maxLength: 30 }),
    chunks: fc.boolean(),
    blank: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
)

const textOf = (list: typeof requests extends fc.Arbitrary<infer T> ? T : never): Buffer =>
  Buffer.from(
    list
      .map(({ method, target, token, body, chunks, blank }) => {
        const head =
          `${blank ? '\r\n' : ''}${method} ${target} HTTP/1.1\r\nHost: x\r\n` +
          (token === undefined ? '' : `X-Vault-Token:  ${token} \r\n`)
        if (!chunks) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`
        const halves = [body.slice(0, body.length / 2), body.slice(body.length / 2)]
        const parts = halves
          .filter((half) => half !== '')
          .map((half) => `${half.length.toString(16)}\r\n${half}\r\n`)
        return `${head}Transfer-Encoding: chunked\r\n\r\n${parts.join('')}0\r\nX-Trailer: 1\r\n\r\n`
      })
      .join(''),
    'latin1',
  )

const places = fc.array(fc.nat(), { maxLength: 8 })

describe('a message reader', () => {
  it('reads the same requests however they are split', () => {
    fc.assert(
      fc.property(requests, places, (list, at) => {
        const bytes = textOf(list)
        const whole = ours([bytes])
        assert.equal(whole.refused, false)
        assert.deepEqual(
          whole.reads,
          list.map(({ method, target, token, body }) => ({ method, target, token, body })),
        )
        assert.deepEqual(ours(cut(bytes, at)), whole)
        assert.deepEqual(ours(Array.from(bytes, (byte) => Buffer.of(byte))), whole)
      }),
    )
  })

  it('holds no more than is bounded of what never ends', () => {
    const reader = new MessageReader({ ...httpLimits, headerBytes: 1_000, trailerBytes: 1_000 })
    const flood = (start: string, piece: string): void => {
      reader.push(Buffer.from(start))
      for (let i = 0; i < 200; i++) {
        reader.push(Buffer.from(piece))
        assert.equal(reader.next(), undefined)
      }
    }
    assert.throws(() => flood('GET / HTTP/1.1\r\n', 'X: yyyyyyyy\r\n'), { status: 431 })
    const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const piece of [
      '1;extension-extension\r\nx\r\n',
      '0\r\nX: trailer-trailer\r\n',
      '1;eeeeeeeeeee',
    ]) {
      const fresh = new MessageReader({ ...httpLimits, trailerBytes: 1_000 })
      fresh.push(Buffer.from(chunked))
      assert.throws(
        () => {
          for (let i = 0; i < 2_000; i++) {
            fresh.push(Buffer.from(piece))
            fresh.next()
          }
        },
        { status: 400 },
      )
    }
  })
})

describe('beside the parser of Node', () => {
  let port = 0
  const seen = new Map<number, Read[]>()
  const server = createServer((request, response) => {
    const { method = '', url: target = '' } = request
    const token = request.headers['x-vault-token']?.toString()
    // Kept from the start: bytes that are no request end the connection before the body is seen to end.
    const read = { method, target, token, body: '' }
    seen.get(request.socket.remotePort ?? 0)?.push(read)
    request.on('data', (bytes: Buffer) => {
      read.body += bytes.toString('latin1')
    })
    request.on('end', () => response.end())
  })
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  /** What Node makes of the bytes. */
  const nodes = async (bytes: Buffer): Promise<Read[]> => {
    const socket = connect(port, '127.0.0.1')
    await new Promise((resolve) => socket.once('connect', resolve))
    const list: Read[] = []
    const key = socket.localPort ?? 0
    seen.set(key, list)
    socket.resume()
    socket.on('error', () => {})
    socket.end(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
    seen.delete(key)
    return list
  }

  const mutation = fc.record({
    at: fc.nat(),
    remove: fc.nat(3),
    insert: fc.constantFrom(
      '',
      '\r',
      '\n',
      '\r\n',
      ' ',
      '\t',
      ':',
      '\0',
      '0',
      'chunked',
      ',',
      ';',
      '\x0b',
      'é',
      'Content-Length: 1\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Transfer-Encoding: x\r\n',
    ),
  })

  it('never accepts a request that Node refuses or frames in another way', async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async (list, mutations) => {
          let bytes = textOf(list)
          for (const { at, remove, insert } of mutations) {
            const place = at % bytes.length
            bytes = Buffer.concat([
              bytes.subarray(0, place),
              Buffer.from(insert, 'latin1'),
              bytes.subarray(place + remove),
            ])
          }
          // Where the two part on purpose: other methods, and raw bytes beyond ASCII in paths, which Go takes.
          const mine = ours([bytes]).reads
          const parted = mine.findIndex(
            ({ method, target }) =>
              !/^(GET|POST|PUT|DELETE|PATCH)$/.test(method) || /[^\x21-\x7e]/.test(target),
          )
          const comparable = parted === -1 ? mine : mine.slice(0, parted)
          const theirs = await nodes(bytes)
          for (const [i, read] of comparable.entries()) {
            const their = theirs[i]
            assert.deepEqual({ ...read, body: '' }, { ...their, body: '' })
            if (i + 1 < theirs.length) assert.equal(read.body, their?.body)
            else assert.ok(read.body.startsWith(their?.body ?? ''))
          }
        },
      ),
      { numRuns: Number(process.env['SIGNET_FUZZ_RUNS'] ?? 1_000) },
    )
  })
})
