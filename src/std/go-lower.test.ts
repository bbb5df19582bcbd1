import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { goLower } from './go-lower.ts'

/** SHA-256 of `<hex> <hex of lower case>\n` for all code points that have one in Go 1.26 (Unicode 15.0.0). */
const GO_TABLE = 'f4944fbf8c952a5676c9b57b7707fa77b2238f620c41f6cce6f180532afe52f7'

describe('goLower', () => {
  it('agrees with Go over all code points', () => {
    const hash = createHash('sha256')
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      if (codePoint >= 0xd800 && codePoint < 0xe000) continue
      const char = String.fromCodePoint(codePoint)
      const lower = goLower(char)
      if (lower === char) continue
      hash.update(`${codePoint.toString(16)} ${lower.codePointAt(0)!.toString(16)}\n`)
      assert.equal(Array.from(lower).length, 1)
    }
    assert.equal(hash.digest('hex'), GO_TABLE)
  })

  it('lowers each code point on its own', () => {
    assert.equal(goLower('ΟΔΟΣ'), 'οδοσ')
    assert.equal(goLower('İstanbul'), 'istanbul')
    assert.equal(goLower('ALICE'), 'alice')
    assert.equal(goLower(''), '')
  })
})
