import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sealConfigProblem } from './init.ts'

test('seals that can be are not complained of', () => {
  for (const [shares, threshold] of [
    [1, 1],
    [2, 2],
    [5, 3],
    [255, 255],
  ] as const) {
    assert.equal(sealConfigProblem(shares, threshold), undefined)
  }
})

test('each impossible pair of numbers is told why', () => {
  const problems = [
    [0, 0, 'shares must be at least one'],
    [1, 0, 'threshold must be at least one'],
    [2, 1, 'threshold must be greater than one for multiple shares'],
    [256, 2, 'shares must be less than 256'],
    [3, 4, 'threshold cannot be larger than shares'],
  ] as const
  for (const [shares, threshold, problem] of problems) {
    assert.equal(sealConfigProblem(shares, threshold), problem)
  }
})
