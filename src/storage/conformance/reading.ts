import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OpenStore } from './kit.ts'
import { bytes, opened, put, read, soon, texts, tryCommit, turn, upTo } from './kit.ts'

export const readConformance = (open: OpenStore): void => {
  describe('reading', () => {
    it('gives version 0 and no value for what is absent', async (t) => {
      const { store } = await opened(t, open)
      assert.deepEqual((await store.read([bytes('a')], soon())).items, [
        { version: 0, value: undefined },
      ])
      assert.deepEqual((await store.versions([bytes('a')], soon())).items, [0])
    })

    it('answers in the order asked, repeated and absent keys included', async (t) => {
      const { store } = await opened(t, open)
      const id = await put(store, { a: '1', b: '2' })
      assert.deepEqual(await texts(store, ['b', 'x', 'a', 'b']), ['2', undefined, '1', '2'])
      const keys = ['b', 'x', 'a', 'b'].map(bytes)
      assert.deepEqual((await store.versions(keys, soon())).items, [id, 0, id, id])
    })

    it('answers no keys with no items', async (t) => {
      const { store } = await opened(t, open)
      assert.deepEqual((await store.read([], soon())).items, [])
      assert.deepEqual((await store.versions([], soon())).items, [])
    })

    it('gives back every value byte for byte, from none to hundreds of thousands', async (t) => {
      const { store } = await opened(t, open)
      const values = [0, 1, 255, 256, 4_000, 32_769, 70_000, 500_000].map((length) =>
        Uint8Array.from({ length }, (_, index) => (index * 7 + length) % 256),
      )
      const keys = values.map((value) => bytes(`v${value.length}`))
      for (const [index, value] of values.entries()) {
        const write = { key: keys[index]!, value }
        assert.equal(
          (await tryCommit(store, { checks: [], writes: [write] })).outcome.kind,
          'committed',
        )
      }
      const { items } = await store.read(keys, soon())
      for (const [index, item] of items.entries()) {
        assert.equal(Buffer.compare(item.value!, values[index]!), 0)
      }
      assert.deepEqual(
        items.map(({ version }) => version),
        (await store.versions(keys, soon())).items,
      )
    })

    it('tells keys apart by every byte', async (t) => {
      const { store } = await opened(t, open)
      const keys = upTo(256).flatMap((byte) => [
        Uint8Array.of(byte),
        Uint8Array.of(byte, 0),
        Uint8Array.of(byte, 255),
      ])
      for (let at = 0; at < keys.length; at += 128) {
        const writes = keys.slice(at, at + 128).map((key) => ({ key, value: key }))
        await tryCommit(store, { checks: [], writes })
      }
      for (let at = 0; at < keys.length; at += 128) {
        const part = keys.slice(at, at + 128)
        const { items } = await store.read(part, soon())
        assert.deepEqual(
          items.map(({ value }) => [...value!]),
          part.map((key) => [...key]),
        )
      }
    })

    it('keeps what it gave when the record is written again', async (t) => {
      const { store } = await opened(t, open)
      await put(store, { a: 'first', b: 'other' })
      const before = await read(store, bytes('a'))
      await put(store, { a: 'again', b: undefined })
      await store.read([bytes('a'), bytes('b')], soon())
      assert.equal(Buffer.from(before.value!).toString(), 'first')
    })

    it('does not hold on to the bytes it was given', async (t) => {
      const { store } = await opened(t, open)
      const arena = Buffer.from('..key..value..')
      const key = arena.subarray(2, 5)
      await tryCommit(store, { checks: [], writes: [{ key, value: arena.subarray(7, 12) }] })
      arena.fill('x')
      assert.deepEqual(await texts(store, ['key', 'xxx']), ['value', undefined])
    })

    it('sees each commit that was acknowledged before, whoever made it', async (t) => {
      const { store, second } = await opened(t, open)
      for (const round of upTo(60)) {
        const [writer, reader] = round % 2 === 0 ? [store, second] : [second, store]
        const id = await put(writer, { a: String(round) })
        assert.deepEqual((await reader.versions([bytes('a')], soon())).items, [id])
        assert.deepEqual(await texts(reader, ['a']), [String(round)])
      }
    })

    it('does not answer from a question that was on its way before the commit (A2)', async (t) => {
      const { store, second } = await opened(t, open)
      const key = bytes('token')
      await put(store, { token: 'alive' })
      for (const round of upTo(20)) {
        const early = upTo(8).map(() => store.versions([key], soon()))
        const earlyReads = upTo(8).map(() => store.read([key], soon()))
        const id = await put(second, { token: String(round) })
        const late = store.versions([key], soon())
        const lateRead = store.read([key], soon())
        assert.deepEqual((await late).items, [id])
        assert.equal((await lateRead).items[0]!.version, id)
        await Promise.all([...early, ...earlyReads])
      }
    })

    it('shows one snapshot in one call while others write', async (t) => {
      const { store, second } = await opened(t, open)
      const names = upTo(40).map((index) => `pair/${index}`)
      const all = (value: string) => Object.fromEntries(names.map((name) => [name, value]))
      await put(store, all('0'))
      const writing = (async () => {
        for (const round of upTo(25)) await put(second, all(String(round)))
      })()
      let over = false
      const ended = writing.finally(() => (over = true))
      while (!over) {
        await turn()
        assert.equal(new Set(await texts(store, names)).size, 1)
        assert.equal(new Set((await store.versions(names.map(bytes), soon())).items).size, 1)
        const range = { from: bytes('pair/'), to: bytes('pair0'), limit: 100 }
        const { items } = await store.list(range, soon())
        assert.equal(items.length, names.length)
        assert.equal(new Set(items.map(({ version }) => version)).size, 1)
      }
      await ended
    })
  })
}
