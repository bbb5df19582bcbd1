import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Key, Version } from '../store.ts'
import { newVersion } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, hexes, opened, put, read, soon, texts, tryCommit, upTo, writesOf } from './kit.ts'

const check = (
  key: string,
  version: Version,
): { readonly key: Key; readonly version: Version } => ({
  key: bytes(key),
  version,
})

const checkTests = (open: OpenStore): void => {
  it('goes from absent to present to absent, each step checked', async (t) => {
    const { store, second } = await opened(t, open)
    for (const round of upTo(3)) {
      const made = await tryCommit(store, {
        checks: [check('a', 0)],
        writes: writesOf({ a: `made ${round}` }),
      })
      assert.equal(made.outcome.kind, 'committed')
      assert.deepEqual(await read(second, bytes('a')), {
        version: made.id,
        value: (await read(store, bytes('a'))).value,
      })
      const again = { checks: [check('a', 0)], writes: writesOf({ a: 'again' }) }
      assert.equal((await tryCommit(second, again)).outcome.kind, 'conflict')
      const wrong = { checks: [check('a', newVersion())], writes: writesOf({ a: undefined }) }
      assert.equal((await tryCommit(second, wrong)).outcome.kind, 'conflict')
      assert.deepEqual(await texts(store, ['a']), [`made ${round}`])
      const gone = { checks: [check('a', made.id)], writes: writesOf({ a: undefined }) }
      assert.equal((await tryCommit(second, gone)).outcome.kind, 'committed')
      assert.deepEqual(await read(store, bytes('a')), { version: 0, value: undefined })
    }
  })

  it('gives everything put the id as its version', async (t) => {
    const { store } = await opened(t, open)
    const first = await put(store, { a: '1', b: '2', c: '3' })
    const then = await put(store, { b: '2', d: '4' })
    const keys = ['a', 'b', 'c', 'd'].map(bytes)
    assert.deepEqual((await store.versions(keys, soon())).items, [first, then, first, then])
  })

  it('takes ids over all of their range', async (t) => {
    const { store } = await opened(t, open)
    for (const id of [1, 2 ** 31, 2 ** 32 + 1, 2 ** 52 - 1]) {
      const commit = { id, checks: [], writes: writesOf({ a: String(id) }) }
      assert.equal((await store.commit(commit, soon())).kind, 'committed')
      assert.equal((await read(store, bytes('a'))).version, id)
      const next = { checks: [check('a', id)], writes: writesOf({ b: String(id) }) }
      assert.equal((await tryCommit(store, next)).outcome.kind, 'committed')
    }
  })

  it('refuses when any one check fails, wherever it stands, and then writes nothing', async (t) => {
    const { store } = await opened(t, open)
    const names = upTo(9).map((index) => `k${index}`)
    const present = await put(store, Object.fromEntries(names.map((name) => [name, 'old'])))
    for (const bad of names) {
      for (const version of [0, newVersion()]) {
        const { outcome } = await tryCommit(store, {
          checks: names.map((name) => check(name, name === bad ? version : present)),
          writes: writesOf({ k0: 'new', k8: undefined, other: 'new' }),
        })
        assert.ok(outcome.kind === 'conflict')
        assert.deepEqual(hexes(outcome.stale), hexes([bytes(bad)]))
      }
    }
    assert.deepEqual(await texts(store, ['k0', 'k8', 'other']), ['old', 'old', undefined])
    const { outcome } = await tryCommit(store, {
      checks: names.map((name) => check(name, present)),
      writes: writesOf({ k0: 'new' }),
    })
    assert.equal(outcome.kind, 'committed')
  })

  it('names every checked key that differs and no other', async (t) => {
    const { store } = await opened(t, open)
    const id = await put(store, { a: '1', b: '2', c: '3' })
    const { outcome } = await tryCommit(store, {
      checks: [
        check('c', 0),
        check('b', id),
        check('x', id),
        check('a', newVersion()),
        check('y', 0),
      ],
      writes: writesOf({ a: 'new' }),
    })
    assert.ok(outcome.kind === 'conflict')
    assert.deepEqual(hexes(outcome.stale).toSorted(), hexes(['a', 'c', 'x'].map(bytes)))
  })

  it('takes a check twice, and refuses two that contradict each other', async (t) => {
    const { store } = await opened(t, open)
    const id = await put(store, { a: '1' })
    const twice = { checks: [check('a', id), check('a', id)], writes: writesOf({ b: '2' }) }
    assert.equal((await tryCommit(store, twice)).outcome.kind, 'committed')
    const torn = { checks: [check('a', id), check('a', 0)], writes: writesOf({ b: '3' }) }
    assert.equal((await tryCommit(store, torn)).outcome.kind, 'conflict')
    assert.deepEqual(await texts(store, ['b']), ['2'])
  })
}

const writeTests = (open: OpenStore): void => {
  it('validates by checks alone and changes nothing', async (t) => {
    const { store, second } = await opened(t, open)
    const id = await put(store, { a: '1' })
    const before = store.epoch()
    const good = await tryCommit(second, { checks: [check('a', id), check('b', 0)], writes: [] })
    assert.equal(good.outcome.kind, 'committed')
    const bad = await tryCommit(second, { checks: [check('a', id), check('b', id)], writes: [] })
    assert.ok(bad.outcome.kind === 'conflict')
    assert.deepEqual(hexes(bad.outcome.stale), hexes([bytes('b')]))
    assert.equal((await tryCommit(store, { checks: [], writes: [] })).outcome.kind, 'committed')
    assert.equal((await read(store, bytes('a'))).version, id)
    assert.equal(store.epoch(), before)
  })

  it('writes blindly over whatever is there', async (t) => {
    const { store, second } = await opened(t, open)
    await put(store, { a: '1' })
    const id = await put(second, { a: '2', b: undefined, c: '3' })
    assert.deepEqual(await texts(store, ['a', 'b', 'c']), ['2', undefined, '3'])
    assert.equal((await read(store, bytes('a'))).version, id)
  })

  it('deletes beside checks of the absent, and what is already gone', async (t) => {
    const { store } = await opened(t, open)
    const id = await put(store, { a: '1' })
    const { outcome } = await tryCommit(store, {
      checks: [check('a', id), check('b', 0), check('c', 0)],
      writes: writesOf({ a: undefined, b: undefined, d: 'kept' }),
    })
    assert.equal(outcome.kind, 'committed')
    assert.deepEqual(await texts(store, ['a', 'b', 'd']), [undefined, undefined, 'kept'])
  })

  it('commits at the bounds: 200 writes, 512 checks', async (t) => {
    const { store } = await opened(t, open)
    const names = upTo(200).map((index) => `w${index}`)
    const id = await put(store, Object.fromEntries(names.map((name) => [name, 'x'])))
    const checks = upTo(512).map((index) => check(`w${index}`, index < 200 ? id : 0))
    const done = await tryCommit(store, { checks, writes: writesOf({ done: 'yes' }) })
    assert.equal(done.outcome.kind, 'committed')
    const stale = [...checks.slice(0, 511), check('w511', id)]
    const refused = await tryCommit(store, { checks: stale, writes: writesOf({ done: 'no' }) })
    assert.equal(refused.outcome.kind, 'conflict')
    assert.deepEqual(await texts(store, ['done']), ['yes'])
  })
}

export const commitConformance = (open: OpenStore): void => {
  describe('committing', () => {
    checkTests(open)
    writeTests(open)
  })
}
