import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, put, read, soon, texts, tryCommit, upTo } from '../storage/conformance/kit.ts'
import { withFaults } from '../storage/faults/fault-store.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { Unavailable } from '../storage/store.ts'
import { BarrierBroken } from './barrier-broken.ts'
import { withBarrier } from './barrier-store.ts'
import { createKeyring, parseKeyring } from './keyring.ts'
import type { Keyring } from './keyring.ts'

const everything = { from: bytes(''), to: bytes('~'), limit: 100 }

/** The same keyring as another process holds it. */
const copyOf = (keyring: Keyring): Keyring => parseKeyring(keyring.serialise())

/** The term that sealed what stands under a key. */
const termAt = async (bare: Store, key: string): Promise<number> =>
  Buffer.from((await read(bare, bytes(key))).value!).readUInt32BE(1)

describe('the barrier', () => {
  it('seals every value but stamps, the index of expiry and the records of the seal', async () => {
    const bare = createMemoryStore()
    const store = withBarrier(bare, createKeyring(0))
    const plain = ['st/tree', 'x/1', 'meta/seal']
    const sealed = ['a', 's', 'st', 'st.', 'x', 'xa/1', 'metal', 'META/', 'sta/x', 'e/x']
    const all = [...plain, ...sealed]
    await put(store, Object.fromEntries(all.map((key) => [key, `text of ${key}`])))
    assert.deepEqual(
      await texts(store, all),
      all.map((key) => `text of ${key}`),
    )
    for (const key of all) {
      const { value } = await read(bare, bytes(key))
      assert.equal(Buffer.from(value!).includes('text of'), plain.includes(key), key)
    }
  })

  it('seals empty values, so that a record made without the key does not count', async () => {
    const bare = createMemoryStore()
    const store = withBarrier(bare, createKeyring(0))
    await put(store, { 'em/x': '' })
    assert.deepEqual(await texts(store, ['em/x']), [''])
    await put(bare, { 'em/y': '' })
    await assert.rejects(read(store, bytes('em/y')), BarrierBroken)
    await assert.rejects(store.list(everything, soon()), BarrierBroken)
  })

  it('refuses a value that was moved to another key, and names the key in hex', async () => {
    const bare = createMemoryStore()
    const store = withBarrier(bare, createKeyring(0))
    await put(store, { 'e/alice': 'admin', 'e/bob': 'nobody' })
    const { value } = await read(bare, bytes('e/alice'))
    await tryCommit(bare, { checks: [], writes: [{ key: bytes('e/bob'), value }] })
    const broken = (error: unknown) => {
      assert.ok(error instanceof BarrierBroken)
      assert.ok(error.message.includes(Buffer.from('e/bob').toString('hex')))
      assert.doesNotMatch(error.message, /bob|alice|admin|nobody/)
      return true
    }
    await assert.rejects(read(store, bytes('e/bob')), broken)
    await assert.rejects(store.list(everything, soon()), broken)
    assert.deepEqual(await texts(store, ['e/alice']), ['admin'])
    const keysOnly = await store.list({ ...everything, keysOnly: true }, soon())
    assert.equal(keysOnly.items.length, 2)
  })

  it('gives absent keys, versions, pages and the epoch as they are', async () => {
    const bare = createMemoryStore()
    const store = withBarrier(bare, createKeyring(0))
    const id = await put(store, { a: '1', b: '2' })
    assert.deepEqual((await read(store, bytes('x'))).value, undefined)
    assert.deepEqual((await store.versions([bytes('a'), bytes('x')], soon())).items, [id, 0])
    assert.equal(store.epoch(), bare.epoch())
    const { items } = await store.list(everything, soon())
    assert.deepEqual(
      items.map(({ key, version, value }) => [
        Buffer.from(key).toString(),
        version,
        Buffer.from(value!).toString(),
      ]),
      [
        ['a', id, '1'],
        ['b', id, '2'],
      ],
    )
    await put(store, { a: undefined })
    assert.deepEqual(await texts(store, ['a', 'b']), [undefined, '2'])
  })
})

describe('rotation', () => {
  it('lets another process read on, and seal under the new term from then on', async () => {
    const bare = createMemoryStore()
    const first = createKeyring(0)
    const second = copyOf(first)
    let reloads = 0
    const one = withBarrier(bare, first)
    const two = withBarrier(bare, second, {
      reloadKeyring: async () => {
        reloads++
        second.adopt(copyOf(first))
      },
    })
    await put(two, { old: 'sealed by term 1' })
    first.adopt(first.rotate(1))
    await put(one, { new: 'sealed by term 2', more: 'too' })
    const reading = upTo(5).map(async () => texts(two, ['old', 'new', 'more', 'absent']))
    for (const found of await Promise.all(reading)) {
      assert.deepEqual(found, ['sealed by term 1', 'sealed by term 2', 'too', undefined])
    }
    assert.equal(reloads, 1)
    await put(two, { own: 'x' })
    assert.deepEqual(
      await Promise.all(['old', 'new', 'own'].map((key) => termAt(bare, key))),
      [1, 2, 2],
    )
    assert.deepEqual(await texts(one, ['own', 'old']), ['x', 'sealed by term 1'])
  })

  it('does not rely on a reload that began before the value was read', async () => {
    const bare = createMemoryStore()
    const first = createKeyring(0)
    const second = copyOf(first)
    let release!: () => void
    const held = new Promise<void>((resolve) => (release = resolve))
    let reloads = 0
    const two = withBarrier(bare, second, {
      reloadKeyring: async () => {
        const seen = copyOf(first)
        if (reloads++ === 0) await held
        second.adopt(seen)
      },
    })
    const one = withBarrier(bare, first)
    first.adopt(first.rotate(1))
    await put(one, { a: 'term 2' })
    const early = texts(two, ['a'])
    while (reloads === 0) await Promise.resolve()
    first.adopt(first.rotate(2))
    await put(one, { b: 'term 3' })
    const late = texts(two, ['b'])
    await Promise.resolve()
    release()
    assert.deepEqual([await early, await late], [['term 2'], ['term 3']])
    assert.equal(reloads, 2)
  })

  it('is broken when the term stays unknown, or nothing can be reloaded', async () => {
    const bare = createMemoryStore()
    const first = createKeyring(0)
    const second = copyOf(first)
    first.adopt(first.rotate(1))
    await put(withBarrier(bare, first), { a: 'x' })
    let reloads = 0
    const reloadKeyring = async () => {
      reloads++
    }
    const stubborn = withBarrier(bare, second, { reloadKeyring })
    await assert.rejects(read(stubborn, bytes('a')), BarrierBroken)
    assert.equal(reloads, 1)
    await assert.rejects(read(withBarrier(bare, second), bytes('a')), /term that the keyring lacks/)
  })

  it('passes on that the keyring cannot be read now, and reads it later', async () => {
    const bare = createMemoryStore()
    const first = createKeyring(0)
    const second = copyOf(first)
    first.adopt(first.rotate(1))
    await put(withBarrier(bare, first), { a: 'x' })
    let down = true
    const faulty = withFaults(bare, () => (down ? { fails: 'unavailable' } : undefined))
    const two = withBarrier(bare, second, {
      reloadKeyring: async () => {
        await read(faulty, bytes('meta/keyring'))
        second.adopt(copyOf(first))
      },
    })
    await assert.rejects(read(two, bytes('a')), Unavailable)
    down = false
    assert.deepEqual(await texts(two, ['a']), ['x'])
  })
})
