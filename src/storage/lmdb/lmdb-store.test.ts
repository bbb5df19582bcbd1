import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { createKeyring, parseKeyring } from '../../barrier/keyring.ts'
import { withBarrier } from '../../barrier/barrier-store.ts'
import { storeConformance } from '../conformance.ts'
import { bytes, put, read, soon, texts, tryCommit, upTo } from '../conformance/kit.ts'
import { withFaults } from '../faults/fault-store.ts'
import type { Store } from '../store.ts'
import { Unavailable } from '../store.ts'
import { openLmdbStore } from './lmdb-store.ts'
import { scratchFolder } from './scratch-folder.ts'

const openTwice = (test: TestContext) => {
  const path = scratchFolder(test)
  return { store: openLmdbStore({ path }), second: openLmdbStore({ path }) }
}

storeConformance('the LMDB store', async (test) => openTwice(test))

storeConformance('the LMDB store under faults that never come', async (test) => {
  const { store, second } = openTwice(test)
  return {
    store: withFaults(store, () => undefined),
    second: withFaults(second, () => undefined),
  }
})

storeConformance('the LMDB store under the barrier', async (test) => {
  const { store, second } = openTwice(test)
  const keyring = createKeyring(0)
  return {
    store: withBarrier(store, keyring),
    second: withBarrier(second, parseKeyring(keyring.serialise())),
  }
})

describe('the LMDB store', () => {
  const nowOf = async (store: Store): Promise<number> => (await store.read([], soon())).now

  it('keeps everything when it is closed and opened again', async (t) => {
    const path = join(scratchFolder(t), 'data')
    const first = openLmdbStore({ path })
    const id = await put(first, { a: '1', b: '2' })
    const epoch = first.epoch()
    await first.close()
    const again = openLmdbStore({ path })
    t.after(async () => again.close())
    assert.deepEqual(await texts(again, ['a', 'b']), ['1', '2'])
    assert.equal((await read(again, bytes('a'))).version, id)
    assert.equal(again.epoch(), epoch)
  })

  it('makes its folder for the owner alone', async (t) => {
    const path = join(scratchFolder(t), 'new', 'data')
    await openLmdbStore({ path }).close()
    assert.equal(statSync(path).mode & 0o777, 0o700)
  })

  it('is not set back by a clock that is, not even by a restart', async (t) => {
    const path = scratchFolder(t)
    let time = 1_000_000
    const clock = () => time
    const first = openLmdbStore({ path, clock })
    await put(first, { a: '1' })
    time = 5_000
    assert.equal(await nowOf(first), 1_000_000)
    time = 1_009_999
    await put(first, { a: '2' })
    time = 1_010_000
    await put(first, { a: '3' })
    await first.close()
    time = 7
    const again = openLmdbStore({ path, clock })
    t.after(async () => again.close())
    assert.equal(await nowOf(again), 1_010_000)
    time = 1_010_001
    assert.equal(await nowOf(again), 1_010_001)
  })

  it('saves no time behind that of another process', async (t) => {
    const path = scratchFolder(t)
    const late = openLmdbStore({ path, clock: () => 9_000_000 })
    const early = openLmdbStore({ path, clock: () => 1_000_000 })
    await put(late, { a: '1' })
    await put(early, { a: '2' })
    assert.equal(await nowOf(early), 9_000_000)
    await late.close()
    await early.close()
    const again = openLmdbStore({ path, clock: () => 0 })
    t.after(async () => again.close())
    assert.equal(await nowOf(again), 9_000_000)
  })

  it('does not mistake its own records for the ones it is given', async (t) => {
    const store = openLmdbStore({ path: scratchFolder(t) })
    t.after(async () => store.close())
    await put(store, { epoch: 'mine', clock: 'mine', records: 'mine', own: 'mine' })
    await put(store, { a: '1' })
    const all = { from: bytes('a'), to: bytes('z'), limit: 99 }
    assert.equal((await store.list(all, soon())).items.length, 5)
    assert.deepEqual(await texts(store, ['epoch', 'clock']), ['mine', 'mine'])
  })

  it('refuses commits of its last turn as Unavailable, or says how they ended', async (t) => {
    const store = openLmdbStore({ path: scratchFolder(t) })
    await put(store, { a: '1' })
    const ends = upTo(6).map(async () =>
      tryCommit(store, { checks: [{ key: bytes('a'), version: 7 }], writes: [] }).then(
        ({ outcome }) => outcome.kind,
        (error: unknown) => error,
      ),
    )
    const refused = upTo(6).map(async (index) =>
      tryCommit(store, {
        checks: [{ key: bytes('a'), version: 7 }],
        writes: [{ key: bytes(`${index}`), value: bytes('x') }],
      }).then(
        ({ outcome }) => outcome.kind,
        (error: unknown) => error,
      ),
    )
    await store.close()
    for (const end of await Promise.all([...ends, ...refused])) {
      assert.ok(end === 'conflict' || end instanceof Unavailable, String(end))
    }
  })
})
