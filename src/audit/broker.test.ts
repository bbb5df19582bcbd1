import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createAuditBroker } from './broker.ts'
import type { AuditDeviceConfig } from './device-config.ts'
import type { AuditAuth, AuditRequest } from './entry.ts'
import { FakeFiles, systemError } from './fake-files.ts'

const A = '/a.log'
const B = '/b.log'

const config = (
  path: string,
  file: string,
  options: Record<string, string> = {},
): AuditDeviceConfig => ({
  path,
  type: 'file',
  description: '',
  options: { file_path: file, ...options },
  local: false,
  salt: `salt of ${path}`,
})

const hashed = (path: string, text: string): string =>
  `hmac-sha256:${createHmac('sha256', `salt of ${path}`).update(text).digest('hex')}`

const REQUEST: AuditRequest = {
  id: 'id-1',
  operation: 'update',
  path: 'secret/x',
  namespace: { id: 'root', path: '' },
  clientToken: 's.tok',
  data: { password: 'hunter2' },
}
const AUTH: AuditAuth = { clientToken: 's.tok', accessor: 'acc', entityName: 'Ann' }

const setUp = () => {
  const logged: string[] = []
  const fakes = new Map([A, B].map((path) => [path, new FakeFiles()] as const))
  const broker = createAuditBroker({
    log: (message) => logged.push(message),
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    host: { openAppend: (path, mode) => fakes.get(path)!.openAppend(path, mode) },
  })
  return { broker, logged, a: fakes.get(A)!, b: fakes.get(B)! }
}

const full = (): Error => systemError('ENOSPC', -28, 'write')

test('a request leaves two lines with one id, under the salt of the device', async () => {
  const { broker, a } = setUp()
  assert.deepEqual(await broker.setDevices([config('file/', A)]), [])
  const trail = broker.begin(REQUEST)
  await trail.request(AUTH)
  await trail.response(AUTH, { data: { ok: 'yes' } })
  const token = hashed('file/', 's.tok')
  const common =
    `"auth":{"client_token":"${token}","accessor":"${hashed('file/', 'acc')}","entity_name":"Ann",` +
    `"token_type":"default"},"request":{"id":"id-1","operation":"update","client_token":"${token}",` +
    `"namespace":{"id":"root"},"path":"secret/x","data":{"password":"${hashed('file/', 'hunter2')}"}}`
  assert.deepEqual(a.lines(A), [
    `{"time":"2026-01-02T03:04:05Z","type":"request",${common}}`,
    `{"time":"2026-01-02T03:04:05Z","type":"response",${common},"response":{"data":{"ok":"${hashed('file/', 'yes')}"}}}`,
  ])
})

test('a changed auth is written anew; a refused request says its error twice', async () => {
  const { broker, a } = setUp()
  await broker.setDevices([config('file/', A)])
  const trail = broker.begin(REQUEST)
  await trail.request(undefined, 'permission denied')
  await trail.response(AUTH, undefined, 'permission denied')
  const [first, second] = a.lines(A).map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual([first!['error'], second!['error']], ['permission denied', 'permission denied'])
  assert.deepEqual(first!['auth'], { token_type: 'default' })
  assert.equal((second!['auth'] as AuditAuth & { entity_name: string }).entity_name, 'Ann')
  assert.equal(Object.hasOwn(second!, 'response'), false)
})

test('options of the device: raw, accessors in clear, prefix', async () => {
  const { broker, a, b } = setUp()
  await broker.setDevices([
    config('raw/', A, { log_raw: 'true', prefix: '@cee: ' }),
    config('acc/', B, { hmac_accessor: 'false' }),
  ])
  await broker.begin(REQUEST).request(AUTH)
  // The other device may still be at it.
  await broker.close()
  const raw = a.lines(A)[0]!
  assert.ok(raw.startsWith('@cee: {"time"'))
  assert.ok(raw.includes('"hunter2"') && raw.includes('"client_token":"s.tok"'))
  const accessor = b.lines(B)[0]!
  assert.ok(accessor.includes('"accessor":"acc"') && !accessor.includes('s.tok'))
})

test('without devices everything is let through; with one that fails nothing is', async () => {
  const { broker, a, logged } = setUp()
  await broker.begin(REQUEST).request(AUTH)
  await broker.setDevices([config('file/', A)])
  a.room = 0
  const trail = broker.begin(REQUEST)
  await assert.rejects(trail.request(AUTH), {
    name: 'AuditFailed',
    entry: 'request',
    message: 'no audit device succeeded in logging the request',
  })
  assert.equal(broker.failing(), true)
  await assert.rejects(trail.response(AUTH, {}), { name: 'AuditFailed', entry: 'response' })
  assert.deepEqual(logged, [
    'audit device file/ fails: write: no space left on device',
    'no audit device succeeded in logging the request: requests are refused until one does',
  ])
  a.room = Infinity
  await trail.request(AUTH)
  assert.equal(broker.failing(), false)
  assert.equal(logged.at(-1), 'audit device file/ takes entries again')
  a.room = 0
  await assert.rejects(trail.request(AUTH))
  await broker.setDevices([])
  assert.equal(broker.failing(), false)
  await trail.response(AUTH, {})
})

test('one of two devices is enough, and a slow one holds nobody up', async () => {
  const { broker, a, b, logged } = setUp()
  await broker.setDevices([config('a/', A), config('b/', B)])
  a.failures.push(full(), full())
  await broker.begin(REQUEST).request(AUTH)
  assert.equal(b.lines(B).length, 1)
  assert.equal(broker.failing(), false)
  const gate = Promise.withResolvers<void>()
  a.gate = gate.promise
  await broker.begin(REQUEST).request(AUTH)
  assert.equal(b.lines(B).length, 2)
  gate.resolve()
  await broker.close()
  assert.equal(a.lines(A).length, 1)
  assert.equal(logged[0], 'audit device a/ fails: write: no space left on device')
})

test('an entry that cannot be written as JSON fails closed', async () => {
  const { broker, a } = setUp()
  await broker.setDevices([config('file/', A)])
  const data = { broken: 1n } as unknown as Record<string, string>
  await assert.rejects(broker.begin({ ...REQUEST, data }).request(AUTH), { name: 'AuditFailed' })
  assert.equal(a.text(A), '')
})

test('setting devices keeps unchanged ones, closes removed ones, and refuses bad ones changing nothing', async () => {
  const { broker, a, b } = setUp()
  const kept = config('a/', A)
  await broker.setDevices([kept, config('b/', B)])
  await broker.setDevices([{ ...kept, options: { ...kept.options }, description: 'new words' }])
  assert.deepEqual([a.opens, a.open, b.open], [1, 1, 0])
  assert.deepEqual(
    broker.devices().map(({ description }) => description),
    ['new words'],
  )
  await assert.rejects(broker.setDevices([config('c/', B), { ...kept, type: 'nope' }]), {
    name: 'Refusal',
    message: 'unknown backend type: "nope"',
  })
  assert.deepEqual([broker.devices().length, a.open, b.opens], [1, 1, 1])
  await broker.setDevices([{ ...kept, salt: 'other' }])
  assert.deepEqual([a.opens, a.open], [2, 1])
  await broker.close()
  assert.equal(a.open, 0)
})

test('a removed device gets the entries that were begun', async () => {
  const { broker, a } = setUp()
  await broker.setDevices([config('file/', A)])
  const gate = Promise.withResolvers<void>()
  a.gate = gate.promise
  const large = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`k${n}`, `v${n}`]))
  const written = broker.begin({ ...REQUEST, data: large }).request(AUTH)
  const closed = broker.setDevices([])
  gate.resolve()
  await Promise.all([written, closed])
  assert.equal(a.lines(A).length, 1)
  assert.deepEqual([a.opens, a.open], [1, 0])
})

test('a device that cannot be opened is on nevertheless: named, failing closed, and tried again', async () => {
  const { broker, a } = setUp()
  a.refusal = systemError('EACCES', -13, 'open', A)
  const text = `sanity check failed; unable to open "${A}" for writing: open ${A}: permission denied`
  assert.deepEqual(await broker.setDevices([config('file/', A)]), [{ path: 'file/', text }])
  await assert.rejects(broker.begin(REQUEST).request(AUTH), { name: 'AuditFailed' })
  assert.deepEqual(await broker.reopen(), [{ path: 'file/', text }])
  a.refusal = undefined
  assert.deepEqual(await broker.reopen(), [])
  await broker.begin(REQUEST).request(AUTH)
  assert.equal(a.lines(A).length, 1)
})

test('testing a device writes one entry and lets it go, or says why it could not', async () => {
  const { broker, a } = setUp()
  await broker.test(config('file/', A))
  const { auth, request, type } = JSON.parse(a.lines(A)[0]!) as Record<string, object>
  assert.equal(type, 'request')
  assert.deepEqual(auth, { token_type: 'default' })
  assert.match((request as { id: string }).id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    { ...request, id: '' },
    { id: '', operation: 'update', namespace: { id: 'root' }, path: 'sys/audit/test' },
  )
  assert.deepEqual([broker.devices().length, a.open], [0, 0])
  await broker.test(config('file/', A, { skip_test: 'true' }))
  assert.equal(a.lines(A).length, 1)
  a.failures.push(full(), full())
  await assert.rejects(broker.test(config('file/', A)), {
    name: 'Refusal',
    kind: 'invalid',
    message: 'audit backend failed test message: write: no space left on device',
  })
  a.refusal = systemError('EROFS', -30, 'open', A)
  await assert.rejects(broker.test(config('file/', A)), {
    name: 'Refusal',
    message: `sanity check failed; unable to open "${A}" for writing: open ${A}: read-only file system`,
  })
  assert.equal(a.open, 0)
})

test('hash says what a text is in the entries of a device', async () => {
  const { broker } = setUp()
  await broker.setDevices([config('file/', A)])
  assert.equal(broker.hash('file', 'x'), hashed('file/', 'x'))
  assert.equal(broker.hash('file/', 'x'), hashed('file/', 'x'))
  const refused = (path: string, text: string, message: string): void => {
    assert.throws(() => broker.hash(path, text), { name: 'Refusal', kind: 'invalid', message })
  }
  refused('f', 'x', 'unknown audit backend "f/"')
  refused('f', '', 'the "input" parameter is empty')
})

test('concurrent requests share writes', async () => {
  const { broker, a } = setUp()
  await broker.setDevices([config('file/', A)])
  const trails = Array.from({ length: 200 }, () => broker.begin(REQUEST))
  await Promise.all(trails.map((trail) => trail.request(AUTH)))
  await Promise.all(trails.map((trail) => trail.response(AUTH, { data: { a: 'b' } })))
  assert.equal(a.lines(A).length, 400)
  assert.ok(a.writes <= 4, `${a.writes} writes`)
})

test('an entry with many leaves lets others run, and is the same as if it had not', async () => {
  const { broker, a } = setUp()
  await broker.setDevices([config('file/', A)])
  const keys = Array.from({ length: 3000 }, (_, n) => `key ${n}`)
  let turns = 0
  let running = true
  const count = (): void => {
    turns++
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await broker.begin({ ...REQUEST, operation: 'list' }).response(AUTH, { list: { keys } })
  running = false
  assert.ok(turns >= 3000 / 256 - 1, `${turns} turns`)
  const { response } = JSON.parse(a.lines(A)[0]!) as { response: { data: { keys: string[] } } }
  assert.deepEqual(
    response.data.keys,
    keys.map((key) => hashed('file/', key)),
  )
})
