import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Deadline, Store } from '../store.ts'
import { deadlineIn, newVersion, Unavailable } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, opened, put, soon, texts, tryCommit, upTo, writesOf } from './kit.ts'

const calls: readonly ((store: Store, deadline: Deadline) => Promise<unknown>)[] = [
  async (store, deadline) => store.read([bytes('a')], deadline),
  async (store, deadline) => store.versions([bytes('a')], deadline),
  async (store, deadline) => store.list({ from: bytes('a'), to: bytes('b'), limit: 1 }, deadline),
  async (store, deadline) =>
    store.commit({ id: newVersion(), checks: [], writes: writesOf({ a: 'late' }) }, deadline),
  async (store, deadline) =>
    store.commit(
      { id: newVersion(), checks: [{ key: bytes('a'), version: 0 }], writes: [] },
      deadline,
    ),
]

export const closingConformance = (open: OpenStore): void => {
  describe('deadlines and closing', () => {
    it('does nothing for a call whose deadline has passed', async (t) => {
      const { store } = await opened(t, open)
      await put(store, { a: 'kept' })
      for (const call of calls) await assert.rejects(call(store, deadlineIn(-1)), Unavailable)
      assert.deepEqual(await texts(store, ['a']), ['kept'])
    })

    it('refuses every call once it is closed, and may be closed again', async (t) => {
      const { store, second } = await open(t)
      await put(store, { a: 'kept' })
      const knowsEpoch = store.epoch() !== undefined
      await store.close()
      for (const call of calls) await assert.rejects(call(store, soon()), Unavailable)
      if (knowsEpoch) assert.throws(() => store.epoch(), Unavailable)
      await store.close()
      await second.close()
    })

    it('ends the commits under way when it closes: what it acknowledged is there', async (t) => {
      const { store, second } = await open(t)
      if (store === second) return t.skip('a store of one client keeps nothing')
      const ends = upTo(20).map(async (index) =>
        tryCommit(store, { checks: [], writes: writesOf({ [`c${index}`]: 'there' }) }).then(
          ({ outcome }) => outcome.kind,
          (error: unknown) => error,
        ),
      )
      await store.close()
      for (const [index, end] of ends.entries()) {
        const outcome = await end
        if (outcome !== 'committed') assert.ok(outcome instanceof Unavailable)
        const found = await texts(second, [`c${index}`])
        assert.deepEqual(found, [outcome === 'committed' ? 'there' : undefined])
      }
      await second.close()
    })

    it('leaves another client of the same data at work', async (t) => {
      const { store, second } = await open(t)
      if (store === second) return t.skip('a store of one client has no other')
      await put(store, { a: '1' })
      await store.close()
      await put(second, { b: '2' })
      assert.deepEqual(await texts(second, ['a', 'b']), ['1', '2'])
      await second.close()
    })
  })
}
