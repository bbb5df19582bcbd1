import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64 } from './base64.ts'

const fault = (text: string): number | undefined => {
  const decoded = decodeBase64(text)
  return Buffer.isBuffer(decoded) ? undefined : decoded.faultAt
}

test('what was encoded comes back, also cut into lines', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      assert.deepEqual(decodeBase64(text), Buffer.from(bytes))
      assert.deepEqual(decodeBase64(text.replace(/(.{5})/g, '$1\r\n')), Buffer.from(bytes))
    }),
  )
})

test('faults stand where the reference finds them', () => {
  assert.equal(fault('not base64!'), 3)
  assert.equal(fault('aGVsbG8'), 4)
  assert.equal(fault('='), 0)
  assert.equal(fault('YQ='), 3)
  assert.equal(fault('YQ=x'), 2)
  assert.equal(fault('YQ==x'), 4)
  assert.equal(fault('YWI=='), 4)
  assert.equal(fault('YWI_'), 3)
})
