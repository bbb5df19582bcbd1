import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { freshLoad } from './fresh-load.ts'

describe('a fresh load', () => {
  it('gives each who asks what was there when it asked or later, and never two at once', async () => {
    let value = 0
    let running = 0
    let loads = 0
    const ends: (() => void)[] = []
    const load = freshLoad(async () => {
      loads++
      assert.equal(++running, 1)
      const seen = value
      await new Promise<void>((resolve) => ends.push(resolve))
      running--
      return seen
    })
    const first = load()
    value = 1
    const [second, third] = [load(), load()]
    ends.shift()!()
    assert.equal(await first, 0)
    await new Promise(setImmediate)
    value = 2
    const fourth = load()
    ends.shift()!()
    assert.deepEqual([await second, await third], [1, 1])
    await new Promise(setImmediate)
    ends.shift()!()
    assert.equal(await fourth, 2)
    assert.equal(loads, 3)
  })

  it('begins anew after one that failed', async () => {
    let fails = true
    const load = freshLoad(async () => {
      if (fails) throw new Error('not now')
      return 'there'
    })
    const asked = [load(), load()]
    await assert.rejects(asked[0]!, /not now/)
    fails = false
    await asked[1]!.catch(() => undefined)
    assert.equal(await load(), 'there')
  })
})
