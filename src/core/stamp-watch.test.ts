import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { newVersion } from '../storage/store.ts'
import { stampRef } from './records.ts'
import { StampWatch } from './stamp-watch.ts'

it('what a stamp stands for is reloaded for a change that came while an older one was taken in', async () => {
  const store = createMemoryStore()
  const stamp = stampRef('audit', 0)
  let actual = 0
  let known = 0
  const change = async (): Promise<void> => {
    actual++
    const writes = [{ key: stamp.key, value: new Uint8Array(0) }]
    await store.commit({ id: newVersion(), checks: [], writes }, performance.now() + 1_000)
  }
  const ends: (() => void)[] = []
  const watch = new StampWatch(store, {
    stamp,
    reload: async () => {
      const seen = actual
      await new Promise<void>((resolve) => ends.push(resolve))
      known = seen
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  await change()
  const first = watch.confirm()
  await turn()
  await change()
  const second = watch.confirm()
  await turn()
  ends.shift()!()
  await first
  await turn()
  ends.shift()?.()
  await second
  assert.equal(known, 2)
})
