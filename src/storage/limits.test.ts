import { keyText } from '../std/key-text.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { checkCommit, checkKey, pageLimit, storageLimits } from './limits.ts'

const key = Uint8Array.of(1)

describe('the bounds of the seam', () => {
  it('hold a key to 1 to 512 bytes', () => {
    for (const length of [1, 2, 511, 512]) checkKey(new Uint8Array(length))
    for (const length of [0, 513, 4_000]) {
      assert.throws(() => checkKey(new Uint8Array(length)), {
        name: 'RangeError',
        message: `a storage key has 1 to 512 bytes, not ${length}`,
      })
    }
  })

  it('count keys and values of a commit together, to the byte', () => {
    const commit = (length: number) => ({
      id: 1,
      checks: [],
      writes: [
        { key, value: new Uint8Array(length) },
        { key: Uint8Array.of(2, 2), value: undefined },
      ],
    })
    checkCommit(commit(storageLimits.commitBytes - 3))
    assert.throws(() => checkCommit(commit(storageLimits.commitBytes - 2)), RangeError)
  })

  it('refuse versions that are no whole numbers from 0', () => {
    for (const version of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      assert.throws(() => checkCommit({ id: version, checks: [], writes: [] }), RangeError)
      assert.throws(
        () => checkCommit({ id: 1, checks: [{ key, version }], writes: [] }),
        RangeError,
      )
    }
  })

  it('cap a page and refuse a limit that is no whole number from 1', () => {
    const range = { from: new Uint8Array(0), to: new Uint8Array(513) }
    assert.equal(pageLimit({ ...range, limit: 1 }), 1)
    assert.equal(pageLimit({ ...range, limit: 255 }), 255)
    assert.equal(pageLimit({ ...range, limit: 1_000_000 }), 256)
    for (const limit of [0, -1, 1.5, Number.NaN, Infinity]) {
      assert.throws(() => pageLimit({ ...range, limit }), RangeError)
    }
    assert.throws(() => pageLimit({ ...range, from: new Uint8Array(514), limit: 1 }), RangeError)
  })
})

describe('keyText', () => {
  it('sorts as the bytes do and tells all keys apart', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        const [a, b] = [keyText(left), keyText(right)]
        assert.equal(Math.sign(Buffer.compare(left, right)), a < b ? -1 : a > b ? 1 : 0)
        assert.deepEqual(Buffer.from(a, 'latin1'), Buffer.from(left))
      }),
    )
  })

  it('reads a view at its place', () => {
    assert.equal(keyText(Uint8Array.of(1, 97, 98, 1).subarray(1, 3)), 'ab')
  })
})
