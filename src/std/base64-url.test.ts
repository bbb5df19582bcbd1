import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeBase64Url } from './base64-url.ts'

describe('base64url', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url')
        assert.deepEqual(decodeBase64Url(text), Buffer.from(bytes))
      }),
    )
  })

  it('tells where a text goes wrong', () => {
    for (const [text, faultAt] of [
      ['*', 0],
      ['ab+d', 2],
      ['ab/d', 2],
      ['YQ==', 2],
      ['a', 0],
      ['abcde', 4],
      ['abc d', 3],
      ['abcé', 3],
      ['abcd.ef', 4],
    ] as const) {
      assert.deepEqual(decodeBase64Url(text), { faultAt }, text)
    }
  })
})
