import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recordKind } from '../engine/records.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { newVersion } from '../storage/store.ts'
import type { Version } from '../storage/store.ts'
import { ownRecords } from './own-records.ts'
import { ConflictQueues, StaleAuthority, stampRef } from './records.ts'

const things = recordKind<{ readonly n: number }>('thing')
const ref = things.at(0)

/** A process that learns of rotations only when it is told to. */
const world = () => {
  const store = createMemoryStore()
  const { key } = stampRef('keyring', 0)
  let known: Version = 0
  let actual: Version = 0
  let learnt = 0
  const rotate = async (): Promise<void> => {
    actual = newVersion()
    const writes = [{ key, value: new Uint8Array(0) }]
    await store.commit({ id: actual, checks: [], writes }, performance.now() + 1_000)
  }
  const recordsOf = (keyringMoved: () => Promise<void>) =>
    ownRecords({
      store,
      queues: new ConflictQueues(),
      keyringCheck: () => ({ key, version: known }),
      keyringMoved: async () => {
        learnt++
        await keyringMoved()
      },
    })
  return { rotate, recordsOf, learn: async () => void (known = actual), learnt: () => learnt }
}

describe('what the server commits by itself', () => {
  it('is committed under the keyring of another process', async () => {
    const { rotate, recordsOf, learn, learnt } = world()
    const records = recordsOf(learn)
    for (let n = 1; n <= 3; n++) {
      await rotate()
      await records.transact(async (tx) => tx.put(ref, { n: ((await tx.get(ref))?.n ?? 0) + 1 }))
    }
    assert.deepEqual(await records.get(ref), { n: 3 })
    assert.equal(learnt(), 3)
  })

  it('is given up when the keyring cannot be learnt, and nothing is changed', async () => {
    const { rotate, recordsOf } = world()
    const records = recordsOf(async () => {})
    await rotate()
    await assert.rejects(
      records.transact(async (tx) => tx.put(ref, { n: 1 })),
      StaleAuthority,
    )
    assert.equal(await records.get(ref), undefined)
  })
})
