import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Store } from '../store.ts'
import { newVersion } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, opened, put, soon, tryCommit, upTo, writesOf } from './kit.ts'

/** The clock as each kind of call tells it. */
const clocks = (store: Store): readonly (() => Promise<number>)[] => [
  async () => (await store.read([bytes('a')], soon())).now,
  async () => (await store.versions([bytes('a')], soon())).now,
  async () => (await store.list({ from: bytes('a'), to: bytes('b'), limit: 1 }, soon())).now,
  async () => {
    const { outcome } = await tryCommit(store, { checks: [], writes: writesOf({ a: 'x' }) })
    assert.ok(outcome.kind === 'committed')
    return outcome.now
  },
  async () => {
    const { outcome } = await tryCommit(store, { checks: [], writes: [] })
    assert.ok(outcome.kind === 'committed')
    return outcome.now
  },
]

const epochTests = (open: OpenStore): void => {
  it('moves the epoch with each commit not marked quiet, whoever makes it', async (t) => {
    const { store, second } = await opened(t, open)
    if (store.epoch() === undefined) return
    for (const round of upTo(12)) {
      const before = [store.epoch(), second.epoch()]
      await put(round % 2 === 0 ? store : second, { a: round === 5 ? undefined : String(round) })
      assert.notEqual(store.epoch(), before[0])
      assert.notEqual(second.epoch(), before[1])
      assert.equal(store.epoch(), store.epoch())
    }
  })

  it('leaves the epoch with quiet commits, checks alone and refusals', async (t) => {
    const { store, second } = await opened(t, open)
    await put(store, { a: '1' })
    const before = store.epoch()
    await tryCommit(second, { checks: [], writes: writesOf({ b: '1', c: undefined }), quiet: true })
    await tryCommit(second, { checks: [{ key: bytes('b'), version: 0 }], writes: [] })
    const refused = await tryCommit(second, {
      checks: [{ key: bytes('a'), version: newVersion() }],
      writes: writesOf({ a: '2' }),
    })
    assert.equal(refused.outcome.kind, 'conflict')
    assert.equal(store.epoch(), before)
  })
}

export const timeConformance = (open: OpenStore): void => {
  describe('time', () => {
    it('is whole milliseconds of now', async (t) => {
      const { store } = await opened(t, open)
      for (const clock of clocks(store)) {
        const now = await clock()
        assert.ok(Number.isSafeInteger(now))
        assert.ok(Math.abs(now - Date.now()) < 86_400_000)
      }
    })

    it('never goes backwards from call to call', async (t) => {
      const { store } = await opened(t, open)
      let last = 0
      for (const round of upTo(40)) {
        const kinds = clocks(store)
        const now = await kinds[round % kinds.length]!()
        assert.ok(now >= last)
        last = now
      }
    })

    epochTests(open)
  })
}
