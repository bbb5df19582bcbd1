import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkKeyLength, decodeUnsealKey } from './unseal-key.ts'

const key = Buffer.alloc(33, 0xab)

test('an unseal key is read from hex and from base64', () => {
  assert.deepEqual(decodeUnsealKey(key.toString('hex')), key)
  assert.deepEqual(decodeUnsealKey(key.toString('base64')), key)
})

test('hex of a length that no key has is read as base64', () => {
  assert.equal(decodeUnsealKey('abcd').length, 3)
})

test('what is neither is refused', () => {
  const refused = { message: "'key' must be a valid hex or base64 string" }
  // As large as a body can be: anybody may send it.
  for (const text of ['zz', '00', 'a key', `${'ab'.repeat(16_000_000)}z`])
    assert.throws(() => decodeUnsealKey(text), refused)
})

test('keys are 16 to 33 bytes long', () => {
  checkKeyLength(Buffer.alloc(16))
  checkKeyLength(key)
  assert.throws(() => checkKeyLength(Buffer.alloc(15)), {
    message: 'invalid key: key is shorter than minimum 16 bytes',
  })
  assert.throws(() => checkKeyLength(Buffer.alloc(34)), {
    message: 'invalid key: key is longer than maximum 33 bytes',
  })
})
