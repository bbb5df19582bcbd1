import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { isBase64 } from './base64.ts'

const REFERENCE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

it('tells padded base64 from all else, however long', () => {
  const text = fc.oneof(
    fc.base64String(),
    fc.array(fc.constantFrom('a', '=', '+', '-', '\n')).map((parts) => parts.join('')),
  )
  fc.assert(fc.property(text, (one) => assert.equal(isBase64(one), REFERENCE.test(one))))
  const long = 'abcd'.repeat(8_000_000)
  assert.equal(isBase64(long), true)
  assert.equal(isBase64(`${long}a!==`), false)
})
