import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { storageLimits } from '../limits.ts'
import type { Key, Listed, ListRange, Store } from '../store.ts'
import type { OpenStore } from './kit.ts'
import { bytes, hexes, opened, put, soon, tryCommit, turn, upTo } from './kit.ts'

const EVERYTHING = { from: new Uint8Array(0), to: new Uint8Array(513).fill(255) }

/** The key and a zero byte: the first bound after it. */
const after = (key: Key): Uint8Array => Uint8Array.from([...key, 0])

/** All entries of a range by pages of a limit. */
const pages = async (store: Store, range: ListRange): Promise<Listed[][]> => {
  const found: Listed[][] = []
  let { from } = range
  for (;;) {
    await turn()
    const { items, more } = await store.list({ ...range, from }, soon())
    if (items.length > 0) found.push([...items])
    if (!more) return found
    assert.ok(items.length > 0, 'an empty page is the last')
    from = after(items[items.length - 1]!.key)
  }
}

const keysOf = async (store: Store, range: Omit<ListRange, 'limit'>): Promise<string[]> =>
  hexes((await pages(store, { limit: 256, ...range })).flat().map(({ key }) => key))

const putKeys = async (store: Store, keys: readonly Key[], length = 1): Promise<void> => {
  for (let at = 0; at < keys.length; at += 100) {
    const writes = keys.slice(at, at + 100).map((key) => ({ key, value: new Uint8Array(length) }))
    assert.equal((await tryCommit(store, { checks: [], writes })).outcome.kind, 'committed')
  }
}

const witnessTests = (open: OpenStore): void => {
  it('tells the version of a key beside a page, in or out of its range, there or not', async (t) => {
    const { store, second } = await opened(t, open)
    const range = { from: bytes('a'), to: bytes('b'), limit: 10 }
    for (const keysOnly of [false, true]) {
      const beside = async (name: string) => {
        const page = await second.list({ ...range, keysOnly, witness: bytes(name) }, soon())
        return [page.items.length, page.witness]
      }
      await put(store, { a: undefined, s: undefined })
      assert.deepEqual(await beside('s'), [0, 0])
      const version = await put(store, { a: '1', s: '2' })
      assert.deepEqual(await beside('s'), [1, version])
      assert.deepEqual(await beside('a'), [1, version])
      assert.deepEqual(await beside('none'), [1, 0])
      assert.ok(!('witness' in (await store.list({ ...range, keysOnly }, soon()))))
    }
  })

  it('tells it of the snapshot that the page is of', async (t) => {
    const { store, second } = await opened(t, open)
    let over = false
    const names = ['a', 'ab', 'ac', 's']
    const writing = (async () => {
      for (let round = 0; !over; round++) {
        await put(store, Object.fromEntries(names.map((name) => [name, String(round)])))
        await turn()
      }
    })()
    const range = { from: bytes('a'), to: bytes('b'), limit: 10, witness: bytes('s') }
    for (const _ of upTo(40)) {
      const { items, witness } = await second.list(range, soon())
      for (const { version } of items) assert.equal(version, witness)
      await turn()
    }
    over = true
    await writing
  })
}

const orderTests = (open: OpenStore): void => {
  it('orders keys as unsigned bytes, a key before those that it begins', async (t) => {
    const { store } = await opened(t, open)
    const sorted = [
      [0],
      [0, 0],
      [0, 255],
      [1],
      [97],
      [97, 0],
      [97, 0, 0],
      [97, 0, 255],
      [97, 1],
      [97, 47],
      [97, 255],
      [98],
      [127],
      [128],
      [255],
      [255, 0],
      [255, 255],
    ].map((key) => Uint8Array.from(key))
    const longest = new Uint8Array(512).fill(255)
    await putKeys(store, [longest, ...sorted.toReversed()])
    assert.deepEqual(await keysOf(store, EVERYTHING), hexes([...sorted, longest]))
  })

  it('gives any keys in order and whole, by pages of any size', async (t) => {
    const { store } = await opened(t, open)
    const byte = fc.constantFrom(0, 1, 47, 97, 254, 255)
    const key = fc.array(byte, { minLength: 1, maxLength: 4 })
    const [keys] = fc.sample(fc.array(key, { minLength: 60, maxLength: 90 }), { numRuns: 1 })
    const all = keys!.map((one) => Uint8Array.from(one))
    await putKeys(store, [...new Map(all.map((one) => [one.join(), one])).values()])
    const sorted = [...new Set(hexes(all))].toSorted()
    const bound = fc.array(byte, { maxLength: 4 }).map((one) => Uint8Array.from(one))
    await fc.assert(
      fc.asyncProperty(bound, bound, fc.integer({ min: 1, max: 40 }), async (from, to, limit) => {
        const [low, high] = [Buffer.from(from).toString('hex'), Buffer.from(to).toString('hex')]
        const found = await pages(store, { from, to, limit })
        assert.deepEqual(
          hexes(found.flat().map((item) => item.key)),
          sorted.filter((one) => one >= low && one < high),
        )
        assert.ok(found.every((page) => page.length <= limit))
      }),
      { numRuns: 25 },
    )
  })
}

const boundTests = (open: OpenStore): void => {
  it('includes the lower bound and excludes the upper', async (t) => {
    const { store } = await opened(t, open)
    await put(store, { a: '1', b: '2', c: '3' })
    assert.deepEqual(
      await keysOf(store, { from: bytes('a'), to: bytes('c') }),
      hexes(['a', 'b'].map(bytes)),
    )
    assert.deepEqual(await keysOf(store, { from: bytes('b'), to: bytes('b') }), [])
    assert.deepEqual(await keysOf(store, { from: bytes('c'), to: bytes('a') }), [])
    assert.deepEqual(await keysOf(store, { from: bytes('d'), to: bytes('e') }), [])
  })

  it('takes a bound that stands just after the longest key', async (t) => {
    const { store } = await opened(t, open)
    const longest = new Uint8Array(512).fill(97)
    await putKeys(store, [longest])
    const to = bytes('b')
    assert.equal((await store.list({ from: longest, to, limit: 9 }, soon())).items.length, 1)
    assert.equal((await store.list({ from: after(longest), to, limit: 9 }, soon())).items.length, 0)
    const only = { from: longest, to: after(longest), limit: 9 }
    assert.equal((await store.list(only, soon())).items.length, 1)
  })

  it('tells versions and values, or versions alone when asked for keys only', async (t) => {
    const { store } = await opened(t, open)
    const first = await put(store, { 'r/a': '1', 'r/c': '3' })
    const later = await put(store, { 'r/b': '2' })
    const range = { from: bytes('r/'), to: bytes('r0'), limit: 9 }
    const full = (await store.list(range, soon())).items
    assert.deepEqual(
      full.map(({ version, value }) => [version, Buffer.from(value!).toString()]),
      [
        [first, '1'],
        [later, '2'],
        [first, '3'],
      ],
    )
    const bare = (await store.list({ ...range, keysOnly: true }, soon())).items
    assert.deepEqual(
      bare.map(({ key, version, value }) => [Buffer.from(key).toString(), version, value]),
      [
        ['r/a', first, undefined],
        ['r/b', later, undefined],
        ['r/c', first, undefined],
      ],
    )
  })

  it('leaves out what was deleted', async (t) => {
    const { store, second } = await opened(t, open)
    await put(store, { 'r/a': '1', 'r/b': '2', 'r/c': '3' })
    await put(second, { 'r/b': undefined })
    assert.deepEqual(await keysOf(store, EVERYTHING), hexes(['r/a', 'r/c'].map(bytes)))
  })
}

const pageTests = (open: OpenStore): void => {
  it('bounds a page by entries whatever is asked', async (t) => {
    const { store } = await opened(t, open)
    await putKeys(
      store,
      upTo(300).map((index) => bytes(`p/${String(index).padStart(4, '0')}`)),
    )
    const { items } = await store.list({ ...EVERYTHING, limit: 1_000 }, soon())
    assert.equal(items.length, storageLimits.pageEntries)
    const keysOnly = { ...EVERYTHING, limit: 1_000, keysOnly: true }
    assert.equal((await store.list(keysOnly, soon())).items.length, storageLimits.pageEntries)
    assert.equal((await pages(store, { ...EVERYTHING, limit: 1_000 })).flat().length, 300)
  })

  it('bounds a page by bytes, but for a single entry', async (t) => {
    const { store } = await opened(t, open)
    const lengths = [60_000, 60_000, 300_000, 1, 200_000, 60_000, 60_000]
    for (const [index, length] of lengths.entries()) {
      await putKeys(store, [bytes(`p/${index}`)], length)
    }
    const found = await pages(store, { ...EVERYTHING, limit: 256 })
    assert.deepEqual(
      found.flat().map(({ value }) => value!.length),
      lengths,
    )
    for (const page of found) {
      const total = page.reduce((sum, { key, value }) => sum + key.length + value!.length, 0)
      assert.ok(page.length === 1 || total <= storageLimits.pageBytes)
    }
    assert.ok(found.some((page) => page.length > 1))
  })

  it('says that a page is the last when it is, also when it is shorter than asked', async (t) => {
    const { store } = await opened(t, open)
    const range = { from: bytes('p/'), to: bytes('p0'), limit: 9 }
    const look = async (keysOnly: boolean, limit = range.limit) => {
      const { items, more } = await store.list({ ...range, limit, keysOnly }, soon())
      return [items.length, more]
    }
    await put(store, { 'o/a': '1', 'q/a': '1' })
    for (const keysOnly of [false, true]) assert.deepEqual(await look(keysOnly), [0, false])
    await put(store, { 'p/a': '1', 'p/b': '2', 'p/c': '3' })
    for (const keysOnly of [false, true]) {
      assert.deepEqual(await look(keysOnly), [3, false])
      assert.deepEqual(await look(keysOnly, 2), [2, true])
    }
    // The bound of bytes cuts short what the limit would let through.
    await putKeys(store, [bytes('p/d')], storageLimits.pageBytes)
    assert.deepEqual(await look(false), [3, true])
    assert.deepEqual(await look(true), [4, false])
    const behind = { ...range, from: bytes('p/d') }
    const { items, more } = await store.list(behind, soon())
    assert.deepEqual([items.length, more], [1, false])
  })

  it('gives pages that later calls do not touch', async (t) => {
    const { store } = await opened(t, open)
    await put(store, { 'p/a': 'aaaa', 'p/b': 'bbbb' })
    const { items } = await store.list({ ...EVERYTHING, limit: 9 }, soon())
    await put(store, { 'p/a': 'cccc', 'p/b': undefined, 'p/z': 'zzzz' })
    await store.list({ ...EVERYTHING, limit: 9 }, soon())
    assert.deepEqual(
      items.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value!).toString()]),
      [
        ['p/a', 'aaaa'],
        ['p/b', 'bbbb'],
      ],
    )
  })

  it('shows what stays exactly once, in order, while others come and go', async (t) => {
    const { store, second } = await opened(t, open)
    const name = (index: number) => `p/${String(index).padStart(4, '0')}`
    const staying = upTo(120).map((index) => name(index * 2))
    await putKeys(store, staying.map(bytes))
    let over = false
    const writing = (async () => {
      for (let round = 0; !over; round++) {
        await turn()
        const key = name(((round * 37) % 120) * 2 + 1)
        await put(second, { [key]: round % 3 === 0 ? undefined : String(round) })
      }
    })()
    for (const limit of [1, 7, 50]) {
      const seen = (await pages(store, { ...EVERYTHING, limit }))
        .flat()
        .map(({ key }) => Buffer.from(key).toString())
      assert.deepEqual(seen, [...new Set(seen)].toSorted())
      const kept = new Set(staying)
      assert.deepEqual(
        seen.filter((key) => kept.has(key)),
        staying,
      )
    }
    over = true
    await writing
  })
}

export const listConformance = (open: OpenStore): void => {
  describe('listing', () => {
    orderTests(open)
    witnessTests(open)
    boundTests(open)
    pageTests(open)
  })
}
