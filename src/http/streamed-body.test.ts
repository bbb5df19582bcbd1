import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import type { Listener } from './listener.ts'
import { createListener } from './listener.ts'
import type { HttpRequest } from './request.ts'

const open: (Listener | Socket)[] = []
after(async () => {
  for (const one of open) await ('stop' in one ? one.stop(0) : one.destroy())
})

type Take = (body: AsyncIterable<Uint8Array>) => Promise<string>

const length: Take = async (body) => {
  let bytes = 0
  for await (const piece of body) bytes += piece.length
  return String(bytes)
}

/** A listener whose path `stream` takes its body in pieces, and a connection to it. */
const serve = async (take: Take): Promise<Socket> => {
  const handle = async ({ bodyStream, path }: HttpRequest) => {
    try {
      const body = bodyStream === undefined ? `whole ${path}` : await take(bodyStream)
      return { status: 200, body: `${body}\n` }
    } catch (error) {
      return { status: 400, body: `${(error as Error).message}\n` }
    }
  }
  const listener = createListener({
    handle,
    streamedPaths: (path) => path === 'stream',
    limits: { bodyBytes: 1_000, bodyMs: 50, sweepMs: 5 },
  })
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  open.push(listener, socket)
  return socket
}

/** All that comes until it holds the text, or the server closes. */
const until = (socket: Socket, part: string): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const take = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      if (text.includes(part)) done()
    }
    const done = (): void => {
      socket.off('data', take)
      resolve(text)
    }
    socket.on('data', take)
    socket.on('close', done)
  })

const head = (...more: readonly string[]): string =>
  ['PUT /v1/stream HTTP/1.1', 'Host: x', ...more, '', ''].join('\r\n')

describe('a body that is taken piece by piece', () => {
  it('may be longer than others, and the connection goes on behind it', async () => {
    const socket = await serve(length)
    socket.write(head('Content-Length: 3000000') + 'x'.repeat(3_000_000))
    assert.match(await until(socket, '3000000\n'), /^HTTP\/1.1 200 /)
    socket.write('GET /v1/other HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match(await until(socket, 'whole other\n'), /^HTTP\/1.1 200 /)
  })

  it('may come in chunks, with the next request right behind', async () => {
    const socket = await serve(length)
    const chunk = `2000\r\n${'y'.repeat(0x2000)}\r\n`
    const next = 'GET /v1/next HTTP/1.1\r\nHost: x\r\n\r\n'
    socket.write(`${head('Transfer-Encoding: chunked')}${chunk.repeat(3)}0\r\n\r\n${next}`)
    assert.match(await until(socket, 'whole next\n'), /\n24576\n/)
  })

  it('is let come once it is wanted, and a refusal comes before it', async () => {
    const socket = await serve(length)
    socket.write(head('Content-Length: 4', 'Expect: 100-continue'))
    await until(socket, '100 Continue\r\n\r\n')
    socket.write('1234')
    await until(socket, '\n4\n')
    const refusing = await serve(async () => 'no, thanks')
    refusing.write(head('Content-Length: 4', 'Expect: 100-continue'))
    const answer = await until(refusing, 'never')
    assert.match(answer, /^HTTP\/1.1 200 [^]*Connection: close[^]*no, thanks\n$/)
  })

  it('that breaks off or stands still is told to who takes it', async () => {
    const socket = await serve(length)
    socket.write(`${head('Content-Length: 40')}1234`)
    assert.match(await until(socket, '\n\n'), /400 [^]*the body did not go on in time\n/)
    const ending = await serve(length)
    ending.end(`${head('Content-Length: 40')}1234`)
    assert.match(await until(ending, 'never'), /400 [^]*ended before the whole body had come\n/)
    const garbled = await serve(length)
    garbled.write(`${head('Transfer-Encoding: chunked')}zz\r\n`)
    assert.match(await until(garbled, 'never'), /400 [^]*malformed chunk\n/)
  })
})
