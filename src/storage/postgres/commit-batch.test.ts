import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { upTo } from '../conformance/kit.ts'
import type { Commit } from '../store.ts'
import { batchLength, encodeCommits, firstIdAt, outcomesOf, transactionId } from './commit-batch.ts'

const keyOf = (name: number): Uint8Array => Buffer.from(`k${name}`)

const commitOf = (checks: readonly number[], writes: readonly number[], bytes = 1): Commit => ({
  id: 7,
  checks: checks.map((name) => ({ key: keyOf(name), version: 1 })),
  writes: writes.map((name) => ({ key: keyOf(name), value: new Uint8Array(bytes) })),
})

describe('a batch of commits', () => {
  it('has at most 64 commits, 512 distinct keys and 4 MiB, and at least one commit', () => {
    assert.equal(batchLength([]), 0)
    assert.equal(batchLength(upTo(100).map(() => commitOf([1, 2], [3]))), 64)
    const wide = upTo(10).map((at) =>
      commitOf(
        upTo(100).map((index) => at * 100 + index),
        [1],
      ),
    )
    assert.equal(batchLength(wide), 5)
    const heavy = upTo(10).map((at) => commitOf([], [at], 1_000_000))
    assert.equal(batchLength(heavy), 4)
    assert.equal(batchLength([commitOf(upTo(600), upTo(200))]), 1)
  })

  it('takes each lock once, the strongest way, in ascending order', () => {
    const [, , locks] = encodeCommits('id', 50, [commitOf([1, 2, 3], [2]), commitOf([2], [3, 4])])
    const numbers = upTo(4).map((at) => (locks as Buffer).readInt32BE(20 + at * 8 + 4))
    assert.equal((locks as Buffer).readInt32BE(12), 4)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    // Only the key that nobody writes is shared.
    assert.equal(numbers.filter((lock) => lock % 2 === 0).length, 1)
  })

  it('gives each commit its own failed checks', () => {
    const commits = [commitOf([1, 2], [1]), commitOf([], [9]), commitOf([3, 4, 5], [3])]
    assert.deepEqual(outcomesOf(commits, [], 5), [
      { kind: 'committed', now: 5 },
      { kind: 'committed', now: 5 },
      { kind: 'committed', now: 5 },
    ])
    assert.deepEqual(outcomesOf(commits, [2, 3, 5], 5), [
      { kind: 'conflict', stale: [keyOf(2)] },
      { kind: 'committed', now: 5 },
      { kind: 'conflict', stale: [keyOf(3), keyOf(5)] },
    ])
  })
})

describe('the id of a transaction', () => {
  it('is one of its own, 128 bits, and sorts by time', () => {
    const ids = upTo(1_000).map(() => transactionId(1_700_000_000_000))
    assert.equal(new Set(ids).size, 1_000)
    assert.ok(ids.every((id) => /^[0-9a-f]{32}$/.test(id)))
    assert.ok(ids.every((id) => id >= firstIdAt(1_700_000_000_000)))
    assert.ok(ids.every((id) => id < firstIdAt(1_700_000_000_001)))
    assert.equal(firstIdAt(255), '0000000000ff00000000000000000000')
  })
})
