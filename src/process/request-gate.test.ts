import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RequestGate } from './request-gate.ts'

const PATIENT = { endMs: 60_000, waitMs: 60_000 }

/** Something that ends when it is told to. */
const held = () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  return { run: () => promise, end: () => resolve('done') }
}

describe('the gate before the requests', () => {
  it('lets what is inside end, and what comes wait until it opens', async () => {
    const gate = new RequestGate(PATIENT)
    const one = held()
    const inside = gate.pass(one.run)
    let closed = false
    const closing = gate.close().then(() => (closed = true))
    const came = gate.pass(async () => (closed ? 'after' : 'before'))
    await new Promise(setImmediate)
    assert.equal(closed, false)
    one.end()
    assert.deepEqual(await inside, { kind: 'through', value: 'done' })
    await closing
    gate.open()
    assert.deepEqual(await came, { kind: 'through', value: 'after' })
  })

  it('does not tell what was done by those that did not end in time', async () => {
    const gate = new RequestGate({ ...PATIENT, endMs: 1 })
    const late = held()
    const passed = gate.pass(late.run)
    await gate.close()
    gate.open()
    late.end()
    assert.deepEqual(await passed, { kind: 'refused' })
    assert.deepEqual(await gate.pass(async () => 1), { kind: 'through', value: 1 })
  })

  it('refuses those who have waited long enough', async () => {
    const gate = new RequestGate({ ...PATIENT, waitMs: 1 })
    await gate.close()
    assert.deepEqual(await gate.pass(async () => 1), { kind: 'refused' })
  })
})
