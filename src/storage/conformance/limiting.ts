import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Commit, Store } from '../store.ts'
import { newVersion } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, opened, read, soon, tryCommit, upTo, writesOf } from './kit.ts'

const EMPTY = new Uint8Array(0)
const LONG = new Uint8Array(513).fill(97)
const VALUE = bytes('x')

const writes = (count: number): Commit['writes'] =>
  upTo(count).map((index) => ({ key: bytes(`w${index}`), value: VALUE }))

/** Calls outside the bounds of storage/limits.ts, each the caller's bug. */
const OUTSIDE: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['a read of an empty key', async (store) => store.read([bytes('a'), EMPTY], soon())],
  ['a read of a key of 513 bytes', async (store) => store.read([LONG], soon())],
  ['versions of an empty key', async (store) => store.versions([EMPTY], soon())],
  ['versions of a key of 513 bytes', async (store) => store.versions([LONG], soon())],
  [
    'a list with a bound of 514 bytes',
    async (store) => store.list({ from: EMPTY, to: new Uint8Array(514), limit: 1 }, soon()),
  ],
  [
    'a list with a limit of 0',
    async (store) => store.list({ from: EMPTY, to: LONG, limit: 0 }, soon()),
  ],
  [
    'a list with a limit of 1.5',
    async (store) => store.list({ from: EMPTY, to: LONG, limit: 1.5 }, soon()),
  ],
  [
    'a commit with the id 0',
    async (store) => store.commit({ id: 0, checks: [], writes: writes(1) }, soon()),
  ],
  [
    'a commit with an id that is no whole number',
    async (store) => store.commit({ id: 0.5, checks: [], writes: writes(1) }, soon()),
  ],
  [
    'a put of an empty key',
    async (store) => tryCommit(store, { checks: [], writes: [{ key: EMPTY, value: VALUE }] }),
  ],
  [
    'a put of a key of 513 bytes',
    async (store) => tryCommit(store, { checks: [], writes: [{ key: LONG, value: VALUE }] }),
  ],
  [
    'a delete of a key of 513 bytes',
    async (store) => tryCommit(store, { checks: [], writes: [{ key: LONG, value: undefined }] }),
  ],
  [
    'a check of an empty key',
    async (store) => tryCommit(store, { checks: [{ key: EMPTY, version: 0 }], writes: writes(1) }),
  ],
  [
    'a check of a negative version',
    async (store) =>
      tryCommit(store, { checks: [{ key: bytes('w0'), version: -1 }], writes: writes(1) }),
  ],
  [
    'a key written twice',
    async (store) => tryCommit(store, { checks: [], writes: [...writes(2), ...writes(1)] }),
  ],
  ['201 writes', async (store) => tryCommit(store, { checks: [], writes: writes(201) })],
  [
    '513 checks',
    async (store) =>
      tryCommit(store, {
        checks: upTo(513).map((index) => ({ key: bytes(`c${index}`), version: 0 })),
        writes: writes(1),
      }),
  ],
  [
    'more than 1 MiB',
    async (store) =>
      tryCommit(store, {
        checks: [],
        writes: [...writes(1), { key: bytes('big'), value: new Uint8Array(1_048_576) }],
      }),
  ],
]

export const limitConformance = (open: OpenStore): void => {
  describe('limits', () => {
    for (const [name, call] of OUTSIDE) {
      it(`refuses ${name} and writes nothing`, async (t) => {
        const { store } = await opened(t, open)
        await assert.rejects(call(store), RangeError)
        const { items } = await store.list({ from: EMPTY, to: LONG, limit: 9 }, soon())
        assert.deepEqual(items, [])
      })
    }

    it('takes keys of 1 and of 512 bytes', async (t) => {
      const { store } = await opened(t, open)
      for (const length of [1, 511, 512]) {
        const key = new Uint8Array(length).fill(length % 256)
        const { id, outcome } = await tryCommit(store, {
          checks: [{ key, version: 0 }],
          writes: [{ key, value: VALUE }],
        })
        assert.equal(outcome.kind, 'committed')
        assert.equal((await read(store, key)).version, id)
        assert.deepEqual((await store.versions([key], soon())).items, [id])
      }
    })

    it('takes nearly 1 MiB at once', async (t) => {
      const { store } = await opened(t, open)
      const value = new Uint8Array(1_040_000).fill(5)
      const big = { checks: [], writes: [{ key: bytes('big'), value }] }
      assert.equal((await tryCommit(store, big)).outcome.kind, 'committed')
      assert.equal(Buffer.compare((await read(store, bytes('big'))).value!, value), 0)
    })

    it('goes on after a refusal', async (t) => {
      const { store } = await opened(t, open)
      await Promise.allSettled(OUTSIDE.map(async ([, call]) => call(store)))
      const id = newVersion()
      const commit = { id, checks: [], writes: writesOf({ a: '1' }) }
      assert.equal((await store.commit(commit, soon())).kind, 'committed')
    })
  })
}
