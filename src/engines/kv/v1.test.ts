import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stringifyJson } from '../../std/json.ts'
import { kv } from './index.ts'
import { leaseDuration } from './lease-duration.ts'
import { engineHarness } from './testing.ts'

const v1 = () => engineHarness(kv())

describe('kv version 1', () => {
  it('keeps the body as it came, members named like the route included, and replaces it whole', async () => {
    const { send } = v1()
    assert.equal((await send('read', 'a')).status, 404)
    assert.equal((await send('update', 'a', { x: 1, z: { n: [1, null, true] } })).status, 204)
    assert.deepEqual((await send('read', 'a')).data, { x: 1, z: { n: [1, null, true] } })
    await send('update', 'a', { only: 'this', data: 'y', version: 1 })
    const read = await send('read', 'a')
    assert.deepEqual(read.data, { only: 'this', data: 'y', version: 1 })
    assert.equal(read.leaseDuration, 2_764_800)
  })

  it('gives numbers back as they were written', async () => {
    const { send } = v1()
    const body =
      '{"big":12345678901234567890,"exp":1e3,"far":1e999,"money":1.50,"nested":[{"n":-0}]}'
    await send('update', 'numbers', body)
    assert.equal(stringifyJson((await send('read', 'numbers')).data), body)
  })

  it('keeps members that name parts of a prototype', async () => {
    const { send } = v1()
    const body = '{"__proto__":{"polluted":true},"constructor":1,"toString":"x"}'
    await send('update', 'a', body)
    const read = await send('read', 'a')
    assert.equal(stringifyJson(read.data), body)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })

  // Recorded: host/kv/v1 7-8, 35.
  it('refuses nothing to write and nowhere to write', async () => {
    const { send } = v1()
    assert.deepEqual(await send('update', 'a', {}), { status: 400, error: 'missing data fields' })
    assert.deepEqual(await send('update', 'a'), { status: 400, error: 'missing data fields' })
    assert.deepEqual(await send('update', '', { a: 1 }), { status: 400, error: 'missing path' })
    assert.equal((await send('read', '')).status, 404)
    assert.equal((await send('patch', 'a', { a: 1 })).status, 405)
  })

  it('lists folders beside secrets of their name and forgets emptied ones', async () => {
    const { send } = v1()
    for (const path of ['t', 'a', 'a/b/c']) await send('update', path, { v: 1 })
    assert.deepEqual((await send('list', '')).data.keys, ['a', 'a/', 't'])
    assert.deepEqual((await send('list', 'a')).data.keys, ['b/'])
    assert.deepEqual((await send('scan', '')).data.keys, ['a', 't', 'a/b/c'])
    assert.equal((await send('list', 'none')).status, 404)
    assert.equal((await send('delete', 'a/b/c')).status, 204)
    assert.deepEqual((await send('list', '')).data.keys, ['a', 't'])
    assert.equal((await send('list', 'a')).status, 404)
    assert.equal((await send('delete', 'never/there')).status, 204)
  })

  it('takes names of 10 kB and refuses paths beyond its bounds', async () => {
    const { send } = v1()
    const name = 'ü'.repeat(5_000)
    const path = `${name}/${'x'.repeat(10_000)}`
    assert.equal((await send('update', path, { v: 1 })).status, 204)
    assert.deepEqual((await send('read', path)).data, { v: 1 })
    assert.deepEqual((await send('list', '')).data.keys, [`${name}/`])
    assert.equal((await send('delete', path)).status, 204)
    assert.equal((await send('list', '')).status, 404)

    const deep = Array.from({ length: 100 }, (_, index) => `f${index}`).join('/')
    assert.equal((await send('update', deep, { v: 1 })).status, 204)
    assert.deepEqual((await send('scan', '')).data.keys, [deep])
    assert.equal((await send('delete', deep)).status, 204)
    assert.equal((await send('list', '')).status, 404)
    const deeper = await send('update', `${deep}/x`, { v: 1 })
    assert.match(deeper.error!, /has 101 segments; at most 100/)
    assert.equal((await send('read', `${deep}/x`)).status, 404)
    assert.equal((await send('delete', `${deep}/x`)).status, 204)
  })

  it('refuses what one commit cannot hold and keeps what was there', async () => {
    const { send } = v1()
    await send('update', 'a', { v: 1 })
    const large = await send('update', 'a', { v: 'x'.repeat(800_000) })
    assert.equal(large.status, 413)
    assert.match(large.error!, /800008 bytes as JSON; at most 786432/)
    assert.deepEqual((await send('read', 'a')).data, { v: 1 })
  })

  it('drops all that a mount stored', async () => {
    const { send, records, namespace, mount, store } = v1()
    for (let n = 0; n < 260; n++) await send('update', `f${n % 7}/${n}`, { n })
    await kv().drop!(records, namespace, mount)
    const everything = { from: new Uint8Array(), to: new Uint8Array(512).fill(0xff), limit: 1 }
    const left = await store.list(everything, performance.now() + 1000)
    assert.deepEqual(left.items, [])
  })

  it('refuses options that it cannot keep', () => {
    const engine = kv()
    const check = (options: Record<string, string>) => engine.checkOptions!(options)
    check({ version: '1' })
    check({ version: '2', other: 'x' })
    assert.throws(() => check({ version: '9' }), /nil backend of type "kv" returned from factory/)
    assert.throws(() => check({ leased_passthrough: 'true' }), /not supported/)
  })
})

describe('the advised lease duration', () => {
  // Recorded: host/kv/v1 10-23, v1-tuned.
  const cases: readonly [object, number][] = [
    [{ v: 1 }, 600],
    [{ ttl: '1h' }, 3600],
    [{ ttl: 3600 }, 3600],
    [{ ttl: '30' }, 30],
    [{ ttl: 'x' }, 600],
    [{ ttl: '99999h' }, 359_996_400],
    [{ lease: '5m' }, 300],
    [{ ttl: '1m', lease: '5m' }, 60],
    [{ ttl: null }, 0],
    [{ ttl: '' }, 0],
    [{ ttl: true }, 600],
    [{ ttl: [60] }, 600],
    [{ ttl: 1.5 }, 600],
  ]
  for (const [data, seconds] of cases) {
    it(`is ${seconds} s for ${JSON.stringify(data)}`, () => {
      assert.equal(leaseDuration(data as never, 600), seconds)
    })
  }
})
