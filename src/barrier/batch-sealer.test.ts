import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BATCH_SEAL_OVERHEAD, BatchSealer } from './batch-sealer.ts'
import { createKeyring, parseKeyring } from './keyring.ts'

const CONTENTS = Buffer.from('{"policies":["default"]}')

describe('a batch sealer', () => {
  it('opens what it sealed, whatever it is', () => {
    const sealer = new BatchSealer(createKeyring(0))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (contents) => {
        const sealed = sealer.seal(contents)
        assert.equal(sealed.length, contents.length + BATCH_SEAL_OVERHEAD)
        assert.deepEqual(Buffer.from(sealer.open(sealed)!), Buffer.from(contents))
      }),
    )
  })

  it('seals differently each time and shows nothing of the contents', () => {
    const sealer = new BatchSealer(createKeyring(0))
    const [one, other] = [sealer.seal(CONTENTS), sealer.seal(CONTENTS)]
    assert.notDeepEqual(one, other)
    assert.ok(!Buffer.from(one).includes('default'))
  })

  it('refuses a change of any bit, and any cut', () => {
    const sealer = new BatchSealer(createKeyring(0))
    const sealed = sealer.seal(CONTENTS)
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = Uint8Array.from(sealed)
        changed[at]! ^= 1 << bit
        assert.equal(sealer.open(changed), undefined, `bit ${bit} of byte ${at}`)
      }
      assert.equal(sealer.open(sealed.subarray(0, at)), undefined, `cut at ${at}`)
    }
    assert.equal(sealer.open(Buffer.concat([sealed, Uint8Array.of(0)])), undefined)
  })

  it('opens the same after a restart and after a rotation, and nothing of another barrier', () => {
    const keyring = createKeyring(0)
    const sealed = new BatchSealer(keyring).seal(CONTENTS)
    const later = new BatchSealer(parseKeyring(keyring.rotate(1).serialise()))
    assert.deepEqual(Buffer.from(later.open(sealed)!), CONTENTS)
    assert.equal(new BatchSealer(createKeyring(0)).open(sealed), undefined)
  })
})
