import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextPart, parseLeaseId, tokenLeaseId } from './lease-id.ts'

const key = Uint8Array.from(Buffer.from('00112233445566778899aabbccddeeff', 'hex'))

test('a lease id gives its path and hash back', () => {
  const id = tokenLeaseId('auth/up/login/a', key)
  assert.equal(id, 'auth/up/login/a/h00112233445566778899aabbccddeeff')
  assert.deepEqual(parseLeaseId(id), { path: 'auth/up/login/a', key })
})

test('other texts are no lease ids', () => {
  for (const text of ['', 'nope', '/h00', `h${'0'.repeat(32)}`, `a/h${'0'.repeat(33)}`, 'a/hxyz']) {
    assert.equal(parseLeaseId(text), undefined, text)
  }
})

test('ids are listed part by part', () => {
  assert.equal(nextPart('auth/up/login/a/h0', ''), 'auth/')
  assert.equal(nextPart('auth/up/login/a/h0', 'auth/up/login/'), 'a/')
  assert.equal(nextPart('auth/up/login/a/h0', 'auth/up/login/a/'), 'h0')
})
