import assert from 'node:assert/strict'
import { it } from 'node:test'
import { put } from '../conformance/kit.ts'
import { deadlineIn, newVersion, Unavailable } from '../store.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const KEY = Buffer.from('a')

it('holds commits back until it is released, and reads not at all', async (t) => {
  const store = openLmdbStore({ path: scratchFolder(t) })
  t.after(() => store.close())
  await put(store, { a: 'before' })
  const under = put(store, { a: 'under way' })
  await store.hold()
  // What was under way has ended.
  let ended = false
  void under.then(() => (ended = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(ended, true)
  let written = false
  const waiting = put(store, { a: 'after' }).then(() => (written = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(written, false)
  assert.ok((await store.read([KEY], deadlineIn(1_000))).items[0]?.value)
  store.release()
  await waiting
  assert.equal(written, true)
})

it('refuses what had to wait for too long, and what was still waiting when it was closed', async (t) => {
  const store = openLmdbStore({ path: scratchFolder(t) })
  t.after(() => store.close())
  await store.hold()
  const commit = (within: number) =>
    store.commit(
      { id: newVersion(), checks: [], writes: [{ key: KEY, value: KEY }] },
      deadlineIn(within),
    )
  await assert.rejects(commit(10), Unavailable)
  const waiting = assert.rejects(commit(10_000), Unavailable)
  await store.close()
  await waiting
})
