import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RestartDelay } from './restart-delay.ts'

describe('the delay before a worker takes the place of another', () => {
  it('is none after a few that end soon, then doubles up to five seconds', () => {
    const delay = new RestartDelay()
    const delays = Array.from({ length: 12 }, () => delay.after(undefined))
    assert.deepEqual(delays, [0, 0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  })

  it('is none again after one that lived', () => {
    const delay = new RestartDelay()
    for (let round = 0; round < 8; round++) delay.after(10)
    assert.equal(delay.after(60_000), 0)
    assert.equal(delay.after(10), 0)
  })
})
