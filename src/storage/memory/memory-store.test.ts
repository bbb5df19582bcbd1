import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeyring } from '../../barrier/keyring.ts'
import { withBarrier } from '../../barrier/barrier-store.ts'
import { storeConformance } from '../conformance.ts'
import { withFaults } from '../faults/fault-store.ts'
import { deadlineIn } from '../store.ts'
import { createMemoryStore } from './memory-store.ts'

storeConformance('the memory store', async () => {
  const store = createMemoryStore()
  return { store, second: store }
})

storeConformance('the memory store under faults that never come', async () => {
  const store = withFaults(createMemoryStore(), () => undefined)
  return { store, second: store }
})

storeConformance('the memory store under the barrier', async () => {
  const store = withBarrier(createMemoryStore(), createKeyring(0))
  return { store, second: store }
})

describe('the memory store', () => {
  it('does not follow a clock that is set back', async () => {
    const times = [5_000, 4_000, 4_500, 5_001.9, 1]
    const store = createMemoryStore({ clock: () => times.shift() ?? 0 })
    const seen: number[] = []
    for (let call = 0; call < 5; call++) seen.push((await store.read([], deadlineIn(1_000))).now)
    assert.deepEqual(seen, [5_000, 5_000, 5_000, 5_001, 5_001])
  })
})
