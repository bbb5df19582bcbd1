import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { socketDevice } from './socket-device.ts'

/** A collector that says when it has got so many lines. */
const collector = async (where: { readonly path?: string; readonly port?: number }) => {
  const sockets = new Set<Socket>()
  let text = ''
  let heard = (): void => undefined
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      heard()
    })
    socket.on('error', () => undefined)
  })
  server.listen(where)
  await once(server, 'listening')
  const lines = async (count: number): Promise<string[]> => {
    while (text.split('\n').length <= count) {
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    }
    return text.split('\n').slice(0, -1)
  }
  const drop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { server, lines, drop }
}

const portOf = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port

test('lines go through one TCP connection, and through a new one once the collector is back', async () => {
  const first = await collector({ port: 0 })
  const port = portOf(first.server)
  const device = socketDevice({ address: `localhost:${port}` })
  await device.open()
  await Promise.all([device.write('a\n'), device.write('b\n')])
  assert.deepEqual(await first.lines(2), ['a', 'b'])
  await first.drop()
  const second = await collector({ port })
  await device.reopen()
  await device.write('c\n')
  assert.deepEqual(await second.lines(1), ['c'])
  await device.close()
  await second.drop()
  await assert.rejects(device.write('d\n'))
})

test('a Unix socket takes lines', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-audit-'))
  const path = join(folder, 's')
  const server = await collector({ path })
  const device = socketDevice({ address: path, socket_type: 'unix' })
  await device.write('a\n')
  assert.deepEqual(await server.lines(1), ['a'])
  await device.close()
  await server.drop()
  rmSync(folder, { recursive: true })
})

test('over UDP each entry is a datagram of its own', async () => {
  const server = createSocket('udp4')
  const got: string[] = []
  const both = Promise.withResolvers<void>()
  server.on('message', (message) => {
    got.push(message.toString())
    if (got.length === 2) both.resolve()
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const device = socketDevice({
    address: `127.0.0.1:${portOf(server)}`,
    socket_type: 'udp',
  })
  await Promise.all([device.write('a\n'), device.write('b\n')])
  await both.promise
  assert.deepEqual(got.toSorted(), ['a\n', 'b\n'])
  await device.close()
  server.close()
})

test('nobody there is told, and bad options are refused', async () => {
  const server = await collector({ port: 0 })
  const address = `127.0.0.1:${portOf(server.server)}`
  await server.drop()
  await assert.rejects(socketDevice({ address }).open(), { code: 'ECONNREFUSED' })
  const refused = (options: Record<string, string>, message: RegExp | string): void => {
    assert.throws(() => socketDevice(options), { name: 'Refusal', message })
  }
  refused({}, 'address is required')
  refused({ address, socket_type: 'sctp' }, 'unknown socket_type "sctp": use tcp, udp or unix')
  refused({ address, write_timeout: 'soon' }, 'time: invalid duration "soon"')
  refused({ address, write_timeout: '-1s' }, 'write_timeout must be at least a millisecond')
  for (const bad of ['host', 'host:', 'host:99999', '::1:80']) {
    refused({ address: bad }, `the address ${JSON.stringify(bad)} is not of the form host:port`)
  }
})
