import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { upTo } from '../conformance/kit.ts'
import { LockPatience } from './lock-patience.ts'

const after = (...times: number[]): number => {
  const patience = new LockPatience()
  for (const time of times) patience.note(time)
  return patience.milliseconds
}

describe('how long a batch waits for a lock', () => {
  it('is 50 ms where commits are quick, one slow one or not', () => {
    assert.equal(after(), 50)
    assert.equal(after(...upTo(100).map(() => 5)), 50)
    assert.equal(after(...upTo(100).map(() => 2), 60), 50)
  })

  it('follows commits that have become slow, up to a second', () => {
    assert.equal(after(...upTo(100).map(() => 40)), 160)
    assert.equal(after(...upTo(100).map(() => 5_000)), 1_000)
  })

  it('comes down again', () => {
    assert.equal(after(...upTo(100).map(() => 5_000), ...upTo(100).map(() => 5)), 50)
  })
})
