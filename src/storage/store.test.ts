import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deadlineIn, ensureBefore, newVersion, Unavailable } from './store.ts'

describe('newVersion', () => {
  it('draws whole numbers of 52 bits that are never 0 and do not repeat', () => {
    const drawn = Array.from({ length: 20_000 }, newVersion)
    assert.equal(new Set(drawn).size, drawn.length)
    assert.ok(drawn.every((version) => Number.isInteger(version) && version > 0))
    assert.ok(drawn.every((version) => version < 2 ** 52))
  })

  it('uses all bits', () => {
    const seen = { ones: 0n, zeros: 0n }
    for (let round = 0; round < 200; round++) {
      const version = BigInt(newVersion())
      seen.ones |= version
      seen.zeros |= ~version & (2n ** 52n - 1n)
    }
    assert.deepEqual(seen, { ones: 2n ** 52n - 1n, zeros: 2n ** 52n - 1n })
  })
})

describe('a deadline', () => {
  it('lets a call begin before it and none after it', () => {
    ensureBefore(deadlineIn(60_000))
    assert.throws(() => ensureBefore(deadlineIn(-1)), Unavailable)
  })
})
