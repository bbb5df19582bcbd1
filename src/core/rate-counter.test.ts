import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LocalRates } from './rate-counter.ts'

const second = { most: 2, intervalMs: 1_000, blockMs: 0 }

describe('counting requests', () => {
  it('lets so many through in an interval that begins with the first, each client for itself', () => {
    let now = 500
    const rates = new LocalRates(() => now)
    assert.deepEqual(rates.take('a', second), { allowed: true, left: 1, resetMs: 1_000 })
    now += 400
    assert.deepEqual(rates.take('a', second), { allowed: true, left: 0, resetMs: 600 })
    assert.deepEqual(rates.take('a', second), { allowed: false, left: 0, resetMs: 600 })
    assert.equal(rates.take('b', second).allowed, true)
    now += 600
    assert.deepEqual(rates.take('a', second), { allowed: true, left: 1, resetMs: 1_000 })
  })

  it('refuses who asked for more for the whole time of the block', () => {
    let now = 0
    const rates = new LocalRates(() => now)
    const window = { ...second, blockMs: 5_000 }
    for (const allowed of [true, true, false]) {
      assert.equal(rates.take('a', window).allowed, allowed)
    }
    now = 4_999
    assert.deepEqual(rates.take('a', window), { allowed: false, left: 0, resetMs: 1 })
    now = 5_000
    assert.equal(rates.take('a', window).allowed, true)
  })

  it('never lets more through in any interval than it may', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.constantFrom('a', 'b')))
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (asked, most) => {
        let now = 0
        const rates = new LocalRates(() => now)
        const window = { most, intervalMs: 1_000, blockMs: 0 }
        const passed: Record<string, number[]> = { a: [], b: [] }
        for (const [pause, key] of asked) {
          now += pause
          if (rates.take(key, window).allowed) passed[key]!.push(now)
        }
        for (const times of Object.values(passed)) {
          for (let start = 0; start < times.length;) {
            const inside = times.filter((at) => at >= times[start]! && at < times[start]! + 1_000)
            assert.ok(inside.length <= most)
            start += inside.length
          }
        }
      }),
    )
  })

  it('forgets clients whose interval has ended, and the first of too many', () => {
    let now = 0
    const rates = new LocalRates(() => now)
    for (let client = 0; client < 1_000; client++) rates.take(String(client), second)
    assert.equal(rates.size, 1_000)
    now = 2_000
    for (let client = 0; client < 400; client++) rates.take(`later ${client}`, second)
    assert.equal(rates.size, 400)
    for (let client = 0; client < 120_000; client++) rates.take(`many ${client}`, second)
    assert.equal(rates.size, 100_000)
  })
})
