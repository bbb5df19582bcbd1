import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Entry, Store } from '../store.ts'
import { Unavailable } from '../store.ts'
import type { OpenStore } from './kit.ts'
import {
  bytes,
  hexes,
  numberAt,
  opened,
  put,
  tryCommit,
  turn,
  tryIncrement,
  upTo,
  writesOf,
} from './kit.ts'

const taken = async (store: Store): Promise<Entry[]> => {
  const entries: Entry[] = []
  for await (const entry of store.snapshot(new AbortController().signal)) entries.push(entry)
  return entries
}

const textOf = (entries: readonly Entry[], key: string): string | undefined => {
  const found = entries.find((entry) => Buffer.from(entry.key).toString() === key)
  return found === undefined ? undefined : Buffer.from(found.value).toString()
}

export const snapshotConformance = (open: OpenStore): void => {
  describe('snapshots', () => {
    it('have every entry once, in key order, with its version and value', async (t) => {
      const { store } = await opened(t, open)
      assert.deepEqual(await taken(store), [])
      const keys = [[0], [0, 0], [97], [97, 255], [255], Array.from({ length: 512 }, () => 255)]
      for (const key of keys.toReversed()) {
        const write = { key: Uint8Array.from(key), value: bytes(`v${key.length}`) }
        await tryCommit(store, { checks: [], writes: [write] })
      }
      const version = await put(store, { b: 'b' })
      await put(store, { gone: 'x', empty: '' })
      await put(store, { gone: undefined })
      const entries = await taken(store)
      const wanted = [...keys.map((key) => Uint8Array.from(key)), bytes('b'), bytes('empty')]
      assert.deepEqual(hexes(entries.map(({ key }) => key)), hexes(wanted).toSorted())
      assert.equal(textOf(entries, 'b'), 'b')
      assert.equal(textOf(entries, 'empty'), '')
      assert.equal(entries.find(({ key }) => Buffer.from(key).toString() === 'b')!.version, version)
    })

    it('are of one instant while others write, and have what was acknowledged before', async (t) => {
      const { store, second } = await opened(t, open)
      const filler = upTo(150).map((index) => [`m${String(index).padStart(4, '0')}`, 'x'] as const)
      await put(store, Object.fromEntries(filler))
      const [first, last] = [bytes('a'), bytes('z')]
      let over = false
      // Both numbers are put together, one at each end of the range.
      const writing = upTo(4).map(async (index) => {
        while (!over) {
          await turn()
          const value = String((await numberAt(second, first)) + 1)
          await tryCommit(second, {
            checks: [
              { key: first, version: (await second.read([first], Infinity)).items[0]!.version },
            ],
            writes: writesOf({ a: value, z: value, [`n${index}`]: value }),
          })
        }
      })
      for (let round = 0; round < 5; round++) {
        while ((await numberAt(store, last)) <= round) await turn()
        const before = await numberAt(second, first)
        const entries = await taken(store)
        const keys = hexes(entries.map(({ key }) => key))
        assert.deepEqual(keys, [...new Set(keys)].toSorted())
        assert.equal(textOf(entries, 'a'), textOf(entries, 'z'))
        assert.ok(Number(textOf(entries, 'a')) >= before)
      }
      over = true
      await Promise.all(writing)
    })

    it('keep what they show from writes that come while they are read', async (t) => {
      const { store, second } = await opened(t, open)
      await put(store, Object.fromEntries(upTo(100).map((index) => [`k${100 + index}`, 'old'])))
      const entries = store.snapshot(new AbortController().signal)[Symbol.asyncIterator]()
      const shown = [await entries.next()]
      await put(
        second,
        Object.fromEntries(upTo(100).map((index) => [`k${100 + index}`, undefined])),
      )
      await put(second, { k150: 'new', z: 'new' })
      for (;;) {
        const step = await entries.next()
        if (step.done === true) break
        shown.push(step)
      }
      assert.deepEqual(
        shown.map(({ value }) => Buffer.from((value as Entry).value).toString()),
        upTo(100).map(() => 'old'),
      )
    })

    it('end early, and the store goes on', async (t) => {
      const { store } = await opened(t, open)
      await put(store, { a: '1', b: '2', c: '3' })
      for await (const { key } of store.snapshot(new AbortController().signal)) {
        assert.deepEqual(Buffer.from(key).toString(), 'a')
        break
      }
      const aborting = new AbortController()
      await assert.rejects(async () => {
        for await (const _ of store.snapshot(aborting.signal)) aborting.abort(new Error('enough'))
      }, /enough/)
      assert.equal(await tryIncrement(store, bytes('n')), true)
      assert.equal((await taken(store)).length, 4)
    })

    it('are not to be had once the store is closed', async (t) => {
      const { store, second } = await open(t)
      await store.close()
      await assert.rejects(async () => taken(store), Unavailable)
      await second.close()
    })
  })
}
