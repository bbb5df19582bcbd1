import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { revived } from './expiry.ts'

describe('a token that ends by time', () => {
  it('may work until it was seen to be over, and by those who asked before', () => {
    assert.equal(revived([]), undefined)
    assert.equal(revived([{ call: 0, end: 9_000, alive: true }]), undefined)
    assert.equal(
      revived([
        { call: 0, end: 10, alive: true },
        { call: 20, end: 30, alive: false },
        { call: 19, end: 9_000, alive: true },
      ]),
      undefined,
    )
  })

  it('is found out when it works again', () => {
    const again = { call: 60_000, end: 60_010, alive: true }
    const over = { call: 20, end: 30, alive: false }
    assert.equal(revived([{ call: 0, end: 10, alive: true }, over, again, over]), again)
  })
})
