import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zipf } from '../bench/scale/zipf.ts'

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
const seeded = (): (() => number) => {
  let state = 42
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

for (const exponent of [0.5, 0.99, 1, 2]) {
  test(`ranks come as often as Zipf's law says, exponent ${exponent}`, () => {
    const ranks = 50
    const draws = 200_000
    const draw = zipf(ranks, exponent, seeded())
    const counts = Array.from({ length: ranks }, () => 0)
    for (let at = 0; at < draws; at++) counts[draw()]!++
    const weights = counts.map((_, rank) => (rank + 1) ** -exponent)
    const sum = weights.reduce((a, b) => a + b, 0)
    for (const [rank, count] of counts.entries()) {
      const wanted = (draws * weights[rank]!) / sum
      // Five standard deviations.
      assert.ok(
        Math.abs(count - wanted) < 5 * Math.sqrt(wanted) + 1,
        `rank ${rank}: ${count} times, wanted ${wanted.toFixed(0)}`,
      )
    }
  })
}

test('one rank alone is always drawn', () => {
  const draw = zipf(1, 0.99, seeded())
  assert.deepEqual([draw(), draw(), draw()], [0, 0, 0])
})
