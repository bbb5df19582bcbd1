import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Namespace } from '../engine/call.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { KeyUse } from './key-use.ts'
import { ConflictQueues, createRecords } from './records.ts'

const ROOT: Namespace = { id: 'root', number: 0, path: '' }

const makeRecords = () =>
  createRecords({ store: createMemoryStore(), queues: new ConflictQueues() })

describe('the count of what a key has sealed', () => {
  it('is what all processes told, and what this one has not told yet', async () => {
    const records = makeRecords()
    const [one, two] = [new KeyUse(), new KeyUse()]
    one.add(9_999, 1)
    await one.tell(records, ROOT, 1)
    assert.equal(await two.total(records, ROOT, 1), 0)
    one.add(1, 1)
    await one.tell(records, ROOT, 1)
    two.add(5, 1)
    assert.equal(await one.total(records, ROOT, 1), 10_000)
    assert.equal(await two.total(records, ROOT, 1), 10_005)
  })

  it('begins anew with a new key', async () => {
    const records = makeRecords()
    const use = new KeyUse()
    use.add(10_003, 1)
    await use.tell(records, ROOT, 1)
    use.add(70, 1)
    assert.equal(await use.total(records, ROOT, 2), 0)
    use.add(2, 2)
    assert.equal(await use.total(records, ROOT, 2), 2)
    use.add(10_000, 2)
    await use.tell(records, ROOT, 2)
    assert.equal(await new KeyUse().total(records, ROOT, 2), 10_002)
  })
})
