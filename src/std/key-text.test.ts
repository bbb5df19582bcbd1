import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyText } from './key-text.ts'

test('each byte becomes the character of its number', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const text = String.fromCharCode(...bytes)
  assert.equal(keyText(bytes), text)
  assert.equal(keyText(bytes.subarray(3, 5)), '\u0003\u0004')
  assert.equal(keyText(new Uint8Array(0)), '')
  const long = Buffer.concat(Array.from({ length: 8 }, () => bytes))
  assert.equal(keyText(long), text.repeat(8))
})

test('leaves small arrays on the heap', () => {
  const arrays = Array.from({ length: 2_000 }, () => new Uint8Array(40))
  const before = process.memoryUsage().arrayBuffers
  for (const bytes of arrays) assert.equal(keyText(bytes).length, 40)
  assert.ok(process.memoryUsage().arrayBuffers < before + 40_000)
})
