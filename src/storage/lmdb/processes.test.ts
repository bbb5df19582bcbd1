import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { bytes, numberAt, put, read, soon, texts, upTo } from '../conformance/kit.ts'
import { deadlineIn, newVersion, Unknown } from '../store.ts'
import { countTo } from './lmdb-child.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const CHILD = fileURLToPath(new URL('lmdb-child.ts', import.meta.url))

/** The next answer of a child. */
const answerOf = async (child: ChildProcess): Promise<unknown> => {
  const [message] = (await once(child, 'message')) as [{ readonly answer: unknown }]
  return message.answer
}

const ask = async (child: ChildProcess, order: object): Promise<unknown> => {
  child.send(order)
  return answerOf(child)
}

const kill = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = once(child, 'exit')
  child.kill('SIGKILL')
  await end
}

/** Another process with the store open. */
const startChild = async (
  test: TestContext,
  folder: string,
  task: 'serve' | 'lock' = 'serve',
): Promise<ChildProcess> => {
  const child = fork(CHILD, [task, folder], { execArgv: [] })
  test.after(async () => kill(child))
  assert.equal(await answerOf(child), task === 'serve' ? 'ready' : 'locked')
  return child
}

const openStore = (test: TestContext, path: string) => {
  const store = openLmdbStore({ path })
  test.after(async () => store.close())
  return store
}

describe('two processes on one LMDB folder', () => {
  it('see what the other acknowledged with their next read, 500 times', async (t) => {
    const path = scratchFolder(t)
    const store = openStore(t, path)
    const child = await startChild(t, path)
    let epoch = store.epoch()
    for (const round of upTo(500)) {
      const answer = ask(child, { do: 'put', key: 'a', value: String(round) })
      // A read just before the other's commit leaves lmdb-js a snapshot that it would go on using for a while.
      await read(store, bytes('a'))
      const version = await answer
      // Each in turn comes first, and finds the old snapshot.
      if (round % 2 === 0) assert.notEqual(store.epoch(), epoch)
      assert.equal((await read(store, bytes('a'))).version, version)
      epoch = store.epoch()
      if (round % 5 > 0) continue
      const own = await put(store, { b: String(round) })
      assert.equal(await ask(child, { do: 'read', key: 'b' }), own)
      epoch = store.epoch()
    }
    assert.deepEqual(await texts(store, ['a', 'b']), ['499', '495'])
  })

  it('count together exactly what both acknowledged', async (t) => {
    const path = scratchFolder(t)
    const store = openStore(t, path)
    const child = await startChild(t, path)
    const keys = ['c/0', 'c/1', 'c/2', 'c/3', 'c/4']
    const [theirs, own] = await Promise.all([
      ask(child, { do: 'count', keys, rounds: 60 }),
      countTo(store, keys, 60),
    ])
    const sums = own.map((count, at) => count + (theirs as number[])[at]!)
    assert.deepEqual(await Promise.all(keys.map((key) => numberAt(store, bytes(key)))), sums)
    assert.ok((theirs as number[]).every((count) => count > 0))
  })

  it('cannot say what became of a commit that waits for a stuck one; reads go on', async (t) => {
    const path = scratchFolder(t)
    const store = openStore(t, path)
    await put(store, { a: 'old' })
    const child = await startChild(t, path, 'lock')
    const { version } = await read(store, bytes('a'))
    const commit = {
      id: newVersion(),
      checks: [{ key: bytes('a'), version }],
      writes: [{ key: bytes('a'), value: bytes('new') }],
    }
    await assert.rejects(store.commit(commit, deadlineIn(20)), Unknown)
    assert.deepEqual(await texts(store, ['a']), ['old'])
    const only = { id: newVersion(), checks: commit.checks, writes: [] }
    assert.equal((await store.commit(only, soon())).kind, 'committed')
    // The lock of the dead is free at once, and what waited for it is done.
    await kill(child)
    await put(store, { b: 'after' })
    assert.deepEqual(await texts(store, ['a', 'b']), ['new', 'after'])
  })

  it('free the reader slots of those that were killed', async (t) => {
    const path = scratchFolder(t)
    const store = openStore(t, path)
    await put(store, { a: '1' })
    // All at once: opening the store frees slots too.
    const children = await Promise.all(upTo(3).map(async () => startChild(t, path)))
    for (const child of children) await ask(child, { do: 'read', key: 'a' })
    assert.equal(store.checkReaders(), 0)
    await Promise.all(children.map(kill))
    assert.equal(store.checkReaders(), 3)
    assert.equal(store.checkReaders(), 0)
    assert.deepEqual(await texts(store, ['a']), ['1'])
    assert.equal((await store.versions([bytes('b')], soon())).items[0], 0)
  })
})
