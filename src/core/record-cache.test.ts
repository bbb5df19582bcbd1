import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Tx } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import { withFaults } from '../storage/faults/fault-store.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { deadlineIn } from '../storage/store.ts'
import { RecordCache } from './record-cache.ts'
import { ConflictQueues, createRecords, TrackedReader } from './records.ts'

interface Item {
  readonly list: readonly number[]
}
const items = recordKind<Item>('ti')
const item = (number: number) => items.at(0, Uint8Array.of(number))

/** A store that counts its calls, records that share a cache, and records of another process. */
const setUp = () => {
  const calls = { read: 0, versions: 0, commit: 0 }
  const bare = createMemoryStore()
  const store = withFaults(bare, ({ operation }) => {
    if (operation !== 'list') calls[operation]++
    return undefined
  })
  const cache = new RecordCache()
  const queues = new ConflictQueues()
  const records = createRecords({ store, cache, queues })
  const others = createRecords({ store: bare, queues })
  const change = (number: number, list: readonly number[]) =>
    others.transact(async (tx) => tx.put(item(number), { list }))
  return { calls, store, cache, records, change, queues }
}

describe('a record that was read', () => {
  it('is not read again while nothing is committed, absent ones neither', async () => {
    const { calls, records, change } = setUp()
    await change(1, [1])
    assert.deepEqual(await records.getMany([item(1), item(2)]), [{ list: [1] }, undefined])
    assert.deepEqual(await records.getMany([item(1), item(2)]), [{ list: [1] }, undefined])
    assert.deepEqual(calls, { read: 1, versions: 0, commit: 0 })
  })

  it('is confirmed, not read, when something else was committed', async () => {
    const { calls, records, change } = setUp()
    await change(1, [1])
    await records.get(item(1))
    await change(3, [3])
    assert.deepEqual(await records.get(item(1)), { list: [1] })
    assert.deepEqual(await records.get(item(1)), { list: [1] })
    assert.deepEqual(calls, { read: 1, versions: 1, commit: 0 })
  })

  it('for a list is taken from the cache, which a list does not fill', async () => {
    const { cache, calls, records, change } = setUp()
    await change(1, [1])
    await change(2, [2])
    await records.get(item(1))
    const listed = await records.undamaged.getMany([item(1), item(2)])
    assert.deepEqual(listed, [{ list: [1] }, { list: [2] }])
    assert.deepEqual(calls, { read: 2, versions: 0, commit: 0 })
    assert.ok(cache.get(item(1)))
    assert.equal(cache.get(item(2)), undefined)
  })

  it('is read anew when another process changed, made or deleted it', async () => {
    const { records, change } = setUp()
    await change(1, [1])
    await records.getMany([item(1), item(2)])
    await change(1, [2])
    await change(2, [3])
    assert.deepEqual(await records.getMany([item(1), item(2)]), [{ list: [2] }, { list: [3] }])
  })

  it('is read anew after a change of our own, also within a transaction', async () => {
    const { records } = setUp()
    for (let round = 0; round < 3; round++) {
      await records.transact(async (tx) => {
        const present = await tx.get(item(1))
        assert.equal(present?.list.length ?? 0, round)
        tx.put(item(1), { list: [...(present?.list ?? []), round] })
        assert.equal((await tx.get(item(1)))?.list.length, round + 1)
      })
    }
    assert.deepEqual(await records.get(item(1)), { list: [0, 1, 2] })
  })

  it('is shared, so nobody can change it', async () => {
    const { records, change } = setUp()
    await change(1, [1])
    const found = await records.get(item(1))
    assert.throws(() => (found!.list as number[]).push(2), TypeError)
    assert.deepEqual(await records.get(item(1)), { list: [1] })
  })
})

describe('a reader', () => {
  it('knows when what the cache gave and what it read itself are of different moments', async () => {
    const { store, cache, records, change } = setUp()
    await change(1, [1])
    await change(2, [1])
    await records.get(item(1))
    const reader = new TrackedReader(store, cache)
    assert.deepEqual(await reader.get(item(1)), { list: [1] })
    await change(1, [2])
    await change(2, [2])
    assert.deepEqual(await reader.get(item(2)), { list: [2] })
    assert.equal(reader.isOneSnapshot, false)
    assert.equal(await reader.stillHolds(), false)
  })

  it('takes what the cache gave and what it read itself for one moment when nothing was committed', async () => {
    const { store, cache, records, change } = setUp()
    await change(1, [1])
    await records.get(item(1))
    const reader = new TrackedReader(store, cache)
    await reader.getMany([item(1), item(2)])
    assert.equal(reader.isOneSnapshot, true)
  })
})

it('nothing is committed when what must come before fails', async () => {
  const { store, cache, records, queues } = setUp()
  const failing = createRecords({
    store,
    cache,
    queues,
    before: () => Promise.reject(new Error('not logged')),
  })
  await assert.rejects(
    failing.transact(async (tx) => tx.put(item(1), { list: [] })),
    /not logged/,
  )
  assert.equal(await records.get(item(1)), undefined)
})

describe('a transaction takes on trust what was read before', () => {
  /** Records 1 and 2 are known, and something else was committed since. */
  const known = async () => {
    const made = setUp()
    await made.change(1, [1])
    await made.change(2, [2])
    await made.records.getMany([item(1), item(2)])
    await made.change(9, [9])
    Object.assign(made.calls, { read: 0, versions: 0, commit: 0 })
    return made
  }
  const joined = async (tx: Pick<Tx, 'get'>): Promise<readonly number[]> => [
    ...((await tx.get(item(1)))?.list ?? []),
    ...((await tx.get(item(2)))?.list ?? []),
  ]

  it('and its commit confirms it, without a call of the store before', async () => {
    const { calls, records } = await known()
    await records.transact(async (tx) => tx.put(item(3), { list: await joined(tx) }))
    assert.deepEqual(calls, { read: 0, versions: 0, commit: 1 })
    assert.deepEqual(await records.get(item(3)), { list: [1, 2] })
  })

  it('and runs again when the commit finds it changed', async () => {
    const { calls, records, change } = await known()
    await change(2, [3])
    await records.transact(async (tx) => tx.put(item(3), { list: await joined(tx) }))
    assert.equal(calls.commit, 2)
    assert.deepEqual(await records.get(item(3)), { list: [1, 3] })
  })

  it('but answers nothing that one call at its end does not confirm', async () => {
    const { calls, records, change } = await known()
    assert.deepEqual(await records.transact(joined), [1, 2])
    assert.deepEqual(calls, { read: 0, versions: 1, commit: 0 })
    // Confirmed, and nothing was committed since.
    assert.deepEqual(await records.transact(joined), [1, 2])
    assert.deepEqual(calls, { read: 0, versions: 1, commit: 0 })
    await change(1, [5])
    assert.deepEqual(await records.transact(joined), [5, 2])
  })

  it('nor refuses anything', async () => {
    const { records, change } = await known()
    await change(1, [])
    const decided = await records.transact(async (tx) => {
      if ((await tx.get(item(1)))!.list.length > 0) throw new Error('old')
      return 'new'
    })
    assert.equal(decided, 'new')
  })

  it('and does not take the authority for old because what it trusted is', async () => {
    const { change, cache, queues, records, store } = await known()
    await change(1, [5])
    const version = (await store.versions([item(1).key], deadlineIn(1_000))).items[0]!
    const judged = createRecords({
      store,
      cache,
      queues,
      authority: () => [{ key: item(1).key, version }],
    })
    await judged.transact(async (tx) => tx.put(item(3), { list: await joined(tx) }))
    assert.deepEqual(await records.get(item(3)), { list: [5, 2] })
  })

  it('unless others change it again and again', async () => {
    const { calls, records, change } = await known()
    const put = () =>
      records.transact(async (tx) => tx.put(item(3), { list: (await tx.get(item(1)))!.list }))
    await change(1, [5])
    await put()
    assert.equal(calls.commit, 2)
    await change(1, [6])
    await put()
    assert.equal(calls.commit, 3)
    assert.deepEqual(await records.get(item(3)), { list: [6] })
  })

  it('but not where a read informs nothing that is checked', async () => {
    const { records, change } = await known()
    await change(1, [5])
    assert.deepEqual(await records.transact((tx) => tx.peek(item(1))), { list: [5] })
  })
})
