import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storeConformance } from './conformance.ts'
import { bytes, put, read } from './conformance/kit.ts'
import { createMemoryStore } from './memory/memory-store.ts'
import { SwitchingStore } from './switching-store.ts'

storeConformance('a store that can be switched', async () => {
  const store = new SwitchingStore(createMemoryStore())
  return { store, second: store }
})

describe('a store that was switched', () => {
  it('answers from the other one', async () => {
    const [first, second] = [createMemoryStore(), createMemoryStore()]
    const store = new SwitchingStore(first)
    await put(store, { a: 'x' })
    store.switchTo(second)
    assert.equal((await read(store, bytes('a'))).value, undefined)
    assert.notEqual((await read(first, bytes('a'))).value, undefined)
  })
})
