import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openAppend } from '../append-file.ts'
import type { AuditDevice } from '../device.ts'
import { httpDevice } from './http-device.ts'

const posts: { readonly body: string; readonly headers: IncomingHttpHeaders }[] = []
let status = 200
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString()
  })
  request.on('end', () => {
    posts.push({ body, headers: request.headers })
    response.writeHead(status, status === 302 ? { location: '/' } : {}).end('thanks')
  })
})
let uri = ''
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`
})
beforeEach(() => {
  posts.length = 0
  status = 200
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const deviceOf = (
  options: Record<string, string>,
  environment: Record<string, string> = {},
): AuditDevice => httpDevice(options, { openAppend, stdout: process.stdout, environment })

test('each entry is the body of a POST with the headers given; the device waits for its answer', async () => {
  const device = deviceOf({ uri, headers: '{"X-Key":["k"],"X-Many":["1","2"]}' })
  await Promise.all([device.write('{"a":1}\n'), device.write('{"b":2}\n')])
  assert.deepEqual(posts.map(({ body }) => body).toSorted(), ['{"a":1}\n', '{"b":2}\n'])
  const { headers } = posts[0]!
  assert.deepEqual(
    [headers['x-key'], headers['x-many'], headers['content-type']],
    ['k', '1, 2', 'application/json'],
  )
  await device.close()
})

test('an answer of 300 or more is a failure, and a redirect is not followed', async () => {
  const device = deviceOf({ uri })
  for (const answer of [302, 400, 503]) {
    status = answer
    posts.length = 0
    await assert.rejects(device.write('x\n'), { message: `the collector answered ${answer}` })
    assert.equal(posts.length, 1)
  }
  status = 204
  await device.write('y\n')
  assert.equal(posts.at(-1)!.body, 'y\n')
})

test('a collector that is not there is told', async () => {
  const empty = createServer()
  empty.listen(0, '127.0.0.1')
  await once(empty, 'listening')
  const { port } = empty.address() as AddressInfo
  empty.close()
  await assert.rejects(deviceOf({ uri: `http://127.0.0.1:${port}/` }).write('x\n'), {
    message: 'the collector cannot be reached: connect: connection refused',
  })
})

test('the address can stand in the environment or in a file', async () => {
  const device = deviceOf({ uri: 'env://COLLECTOR' }, { COLLECTOR: uri })
  await device.write('from the environment\n')
  assert.equal(posts.at(-1)!.body, 'from the environment\n')
  await assert.rejects(deviceOf({ uri: 'env://COLLECTOR' }).open(), {
    message: 'the environment has no COLLECTOR',
  })
  const folder = mkdtempSync(join(tmpdir(), 'signet-audit-'))
  const file = join(folder, 'uri')
  writeFileSync(file, `${uri}\n`)
  await deviceOf({ uri: pathToFileURL(file).href }).write('from a file\n')
  assert.equal(posts.at(-1)!.body, 'from a file\n')
  rmSync(folder, { recursive: true })
})

test('bad options are refused without repeating what they hold', () => {
  const refused = (options: Record<string, string>, message: string): void => {
    assert.throws(() => deviceOf(options), { name: 'Refusal', message })
  }
  refused({}, 'uri is required')
  refused(
    { uri: 'ftp://x/' },
    'uri must be an http or https address, or env:// or file:// and where it stands',
  )
  refused({ uri: 'http://me:secret@x/' }, 'uri must not hold a user name or password: use headers')
  for (const headers of ['{', '[]', '{"a":"b"}', '{"a":[1]}']) {
    refused(
      { uri, headers },
      'headers must be the JSON text of a map from names to lists of strings',
    )
  }
  refused(
    { uri, headers: '{"a b":["c"]}' },
    'headers holds a name or a value that a header cannot have',
  )
})
