import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Proof } from '../../engine/ports/seal.ts'
import { Proofs } from './proofs.ts'

it('a proof holds when its request is decided anew, and for no other request', async () => {
  const proofs = new Proofs()
  let asked = 0
  const prove = async (): Promise<Proof> => {
    asked++
    return { kind: 'proved' }
  }
  for (const request of ['one', 'one', 'two']) {
    assert.deepEqual(await proofs.of(request, prove), { kind: 'proved' })
  }
  assert.equal(asked, 2)
  const wrong = async (): Promise<Proof> => ({ kind: 'wrong' })
  assert.deepEqual(await proofs.of('three', wrong), { kind: 'wrong' })
  assert.deepEqual(await proofs.of('three', prove), { kind: 'proved' })
})
