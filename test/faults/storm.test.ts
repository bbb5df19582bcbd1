import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storm } from './storm.ts'
import { workerSystem } from './worker-system.ts'

const MS = 8_000

describe('workers killed in the middle of writes', () => {
  it('lose nothing that was acknowledged, and every read fits one order of all operations', async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const system = await workerSystem(2)
    t.after(() => system.remove())
    const { operations, struck, violations, whileWriting } = await storm(system, {
      seed,
      ms: MS,
      clients: 8,
    })
    t.diagnostic(
      `${operations} operations, ${[...struck].map((each) => each.join(' ')).join(', ')}; again: npm run faults -- --seed ${seed}`,
    )
    assert.deepEqual(violations, [])
    assert.ok(whileWriting > 0)
  })
})
