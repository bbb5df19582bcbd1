import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Verb } from '../../engine/route.ts'
import { stringifyJson } from '../../std/json.ts'
import { callerWith, engineHarness } from '../kv/testing.ts'
import { cubbyhole, cubbyholePort } from './index.ts'

const t = callerWith(new Uint8Array(16).fill(1))
const u = callerWith(new Uint8Array(16).fill(2))

const as =
  (harness: ReturnType<typeof engineHarness>, caller: typeof t | undefined) =>
  (verb: Verb, path: string, body?: unknown) =>
    harness.send(verb, path, body, caller)

describe('the cubbyhole', () => {
  it('keeps for each token what nobody else sees', async () => {
    const harness = engineHarness(cubbyhole())
    const mine = as(harness, t)
    const theirs = as(harness, u)
    assert.equal((await mine('update', 'a', { v: 't', n: [1] })).status, 204)
    assert.equal((await mine('update', 'b/c', { v: 2 })).status, 204)
    assert.deepEqual((await mine('read', 'a')).data, { v: 't', n: [1] })
    assert.equal((await theirs('read', 'a')).status, 404)
    assert.equal((await theirs('list', '')).status, 404)
    assert.deepEqual((await mine('list', '')).data.keys, ['a', 'b/'])
    assert.deepEqual((await mine('list', 'b')).data.keys, ['c'])
    await theirs('update', 'a', { v: 'u' })
    await theirs('delete', 'a')
    assert.deepEqual((await mine('read', 'a')).data, { v: 't', n: [1] })
    await mine('delete', 'b/c')
    assert.deepEqual((await mine('list', '')).data.keys, ['a'])
    assert.equal((await mine('delete', 'none')).status, 204)
  })

  it('advises no lease and gives numbers back as they were written', async () => {
    const mine = as(engineHarness(cubbyhole()), t)
    const body = '{"n":12345678901234567890,"price":1.50,"thousand":1e3,"ttl":"5m"}'
    await mine('update', 'a', body)
    const read = await mine('read', 'a')
    assert.equal(stringifyJson(read.data), body)
    assert.equal(read.leaseDuration, 0)
  })

  // Recorded: host/kv/cubbyhole 14, 20-23, host/http/lists 44, host/token/batch 11-12.
  it('refuses as recorded', async () => {
    const harness = engineHarness(cubbyhole())
    const mine = as(harness, t)
    const missing = { status: 500, error: 'missing path' }
    assert.deepEqual(await mine('update', 'a', {}), { status: 500, error: 'missing data fields' })
    assert.deepEqual(await mine('update', '', { a: 1 }), missing)
    assert.deepEqual(await mine('read', ''), missing)
    assert.equal((await mine('patch', 'a', { a: 1 })).status, 405)
    assert.equal((await mine('scan', '')).status, 405)
    const batch = as(harness, callerWith(new Uint8Array()))
    const refused = {
      status: 400,
      error: "cubbyhole operations are only supported by 'service' type tokens",
    }
    assert.deepEqual(await batch('update', 'x', { a: 1 }), refused)
    assert.deepEqual(await batch('read', 'x'), refused)
    assert.deepEqual(await batch('list', ''), refused)
  })

  it('takes names of 10 kB and refuses what is too large', async () => {
    const mine = as(engineHarness(cubbyhole()), t)
    const name = 'n'.repeat(10_000)
    assert.equal((await mine('update', `${name}/${name}`, { v: 1 })).status, 204)
    assert.deepEqual((await mine('list', name)).data.keys, [name])
    assert.equal((await mine('update', 'a', { v: 'x'.repeat(800_000) })).status, 413)
    assert.match((await mine('update', 'x/'.repeat(100) + 'x', { v: 1 })).error!, /101 segments/)
  })

  it('warns who reads a wrapped answer with its wrapping token', async () => {
    const harness = engineHarness(cubbyhole())
    const { records, namespace, names } = harness
    const wrapping = callerWith(new Uint8Array(16).fill(3), ['response-wrapping'])
    const scope = { namespace, names, tokenKey: wrapping.tokenKey }
    await records.transact((tx) => cubbyholePort.put(tx, scope, 'response', { response: '{}' }))
    const read = await as(harness, wrapping)('read', 'response')
    assert.deepEqual(read.data, { response: '{}' })
    assert.match(read.warnings![0]!, /^Reading from 'cubbyhole\/response' is deprecated/)
    const mine = as(harness, t)
    await mine('update', 'response', { v: 1 })
    assert.deepEqual((await mine('read', 'response')).warnings, [])
    assert.deepEqual(await cubbyholePort.get(records, scope, 'response'), { response: '{}' })
    assert.equal(await cubbyholePort.get(records, scope, 'wrapinfo'), undefined)
  })

  it('drops all that a dead token kept and nothing of others', async () => {
    const harness = engineHarness(cubbyhole())
    const { records, namespace, names } = harness
    for (let n = 0; n < 210; n++) await as(harness, t)('update', `f/${n}`, { n })
    await as(harness, u)('update', 'f/0', { v: 1 })
    await cubbyholePort.drop(records, { namespace, names, tokenKey: t.tokenKey })
    assert.equal((await as(harness, t)('list', '')).status, 404)
    assert.equal((await as(harness, t)('read', 'f/7')).status, 404)
    assert.deepEqual((await as(harness, u)('list', 'f')).data.keys, ['0'])
  })
})
