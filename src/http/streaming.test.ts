import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import type { Listener } from './listener.ts'
import { createListener } from './listener.ts'
import type { HttpAnswer } from './request.ts'

const open: (Listener | Socket)[] = []
after(async () => {
  for (const one of open) await ('stop' in one ? one.stop(0) : one.destroy())
})

const REQUEST = 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n'

const serve = async (
  stream: () => AsyncIterable<Uint8Array>,
  log: (message: string, error: unknown) => void = () => {},
): Promise<Socket> => {
  const handle = async (): Promise<HttpAnswer> => ({
    status: 200,
    contentType: 'text/plain',
    body: undefined,
    stream: stream(),
  })
  const listener = createListener({ handle, log })
  const { port } = await listener.listen({ address: '127.0.0.1', port: 0 })
  const socket = connect({ port, host: '127.0.0.1' })
  open.push(listener, socket)
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** All that comes until the text ends so, or the server closes. */
const until = (socket: Socket, end: string): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const done = (): void => {
      socket.off('data', take)
      resolve(text)
    }
    const take = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      if (end !== '' && text.endsWith(end)) done()
    }
    socket.on('data', take)
    socket.on('close', done)
    socket.on('error', done)
  })

const pieces = async function* (...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

describe('answers that are sent while they are made', () => {
  it('go out in chunks, and the connection goes on', async () => {
    const socket = await serve(() => pieces('one', '', 'seventeen letters'))
    for (let round = 0; round < 2; round++) {
      socket.write(REQUEST)
      const text = await until(socket, '\r\n0\r\n\r\n')
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(text, /\r\nTransfer-Encoding: chunked\r\n/)
      assert.ok(text.endsWith('\r\n\r\n3\r\none\r\n11\r\nseventeen letters\r\n0\r\n\r\n'))
      assert.ok(!text.includes('Content-Length'))
    }
  })

  it('end with the connection for a client that knows no chunks', async () => {
    const socket = await serve(() => pieces('one', 'two'))
    socket.write('GET /v1/x HTTP/1.0\r\n\r\n')
    const text = await until(socket, '')
    assert.ok(text.endsWith('\r\n\r\nonetwo'))
    assert.ok(!text.includes('Transfer-Encoding'))
  })

  it('break off where they fail, so that nobody takes a part for the whole', async () => {
    const seen: unknown[] = []
    const failing = async function* (): AsyncIterable<Uint8Array> {
      yield Buffer.from('part')
      throw new Error('the store is gone')
    }
    const socket = await serve(failing, (_message, error) => seen.push(error))
    socket.write(REQUEST)
    const text = await until(socket, '')
    assert.ok(!text.endsWith('0\r\n\r\n'))
    assert.deepEqual(seen, [new Error('the store is gone')])
  })

  it('are made no faster than the client takes them, and not to the end when it goes', async () => {
    let made = 0
    let ended!: () => void
    const over = new Promise<void>((resolve) => (ended = resolve))
    let slow!: () => void
    const waiting = new Promise<void>((resolve) => (slow = resolve))
    const endless = async function* (): AsyncIterable<Uint8Array> {
      try {
        for (;;) {
          made++
          // Far more than the buffers of both sides hold.
          if (made === 100_000) throw new Error('nobody takes this')
          yield Buffer.alloc(65_536)
          if (made === 8) slow()
        }
      } finally {
        ended()
      }
    }
    const socket = await serve(endless)
    socket.pause()
    socket.write(REQUEST)
    await waiting
    let before = -1
    while (before !== made) {
      before = made
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    }
    assert.ok(made < 1_000, `${made} pieces`)
    socket.destroy()
    await over
    assert.ok(made < 1_000)
  })
})
