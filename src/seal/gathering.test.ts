import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Gathered } from './gathering.ts'
import { decodeGathered, encodeGathered, Gathering } from './gathering.ts'

const rotation = { purpose: 'rotate', nonce: 'n', threshold: 2 } as const

describe('gathering unseal keys', () => {
  it('counts each key once and gives all of them when there are enough', () => {
    const gathering = new Gathering()
    assert.deepEqual(gathering.give(rotation, Buffer.from('one')), {
      kind: 'progress',
      progress: 1,
    })
    assert.deepEqual(gathering.give(rotation, Buffer.from('one')), { kind: 'repeated' })
    assert.equal(gathering.progress('rotate', 'n'), 1)
    assert.deepEqual(gathering.give(rotation, Buffer.from('two')), {
      kind: 'complete',
      keys: [Buffer.from('one'), Buffer.from('two')],
    })
    assert.equal(gathering.progress('rotate', 'n'), 0)
  })

  it('begins anew with another nonce, and keeps purposes apart', () => {
    const gathering = new Gathering()
    gathering.give(rotation, Buffer.from('one'))
    gathering.give({ ...rotation, purpose: 'generate-root' }, Buffer.from('one'))
    assert.deepEqual(gathering.give({ ...rotation, nonce: 'm' }, Buffer.from('two')), {
      kind: 'progress',
      progress: 1,
    })
    assert.equal(gathering.progress('rotate', 'n'), 0)
    assert.equal(gathering.progress('generate-root', 'n'), 1)
    gathering.dropAll()
    assert.equal(gathering.progress('generate-root', 'n'), 0)
  })

  it('survives the pipe between processes', () => {
    const keys = fc.array(
      fc.uint8Array({ minLength: 0, maxLength: 33 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 255 },
    )
    const gathered: fc.Arbitrary<Gathered> = fc.oneof(
      fc.constant({ kind: 'repeated' } as const),
      fc.integer({ min: 0, max: 255 }).map((progress) => ({ kind: 'progress', progress }) as const),
      keys.map((given) => ({ kind: 'complete', keys: given }) as const),
    )
    fc.assert(
      fc.property(gathered, (given) =>
        assert.deepEqual(decodeGathered(encodeGathered(given)), given),
      ),
    )
  })
})
