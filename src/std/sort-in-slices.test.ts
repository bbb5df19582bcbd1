import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Breather } from './breather.ts'
import { sortInSlices } from './sort-in-slices.ts'

const byFirst = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0]

test('items are sorted as toSorted sorts them, equal ones as they stood, however many', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(50), { maxLength: 1_500, size: 'max' }),
      fc.boolean(),
      async (numbers, sortedBefore) => {
        const pairs = (sortedBefore ? numbers.toSorted((a, b) => a - b) : numbers).map(
          (number, at) => [number, at] as const,
        )
        const sorted = await sortInSlices(pairs, byFirst, new Breather())
        assert.deepEqual(sorted, pairs.toSorted(byFirst))
      },
    ),
    { numRuns: 30 },
  )
})

test('others get their turn while very many are sorted', async () => {
  let turns = 0
  let sorting = true
  const count = (): void => {
    turns++
    if (sorting) setImmediate(count)
  }
  setImmediate(count)
  const items = Array.from({ length: 200_000 }, (_, at) => (at * 7_919) % 200_003)
  await sortInSlices(items, (a, b) => a - b, new Breather())
  sorting = false
  assert.ok(turns > 1)
})
