import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Breather } from '../std/breather.ts'
import { AuditHmac } from './hmac.ts'

const SALT = '3f0bb6f0-6a5c-4b3e-9f44-0c1d7f8a2b10'

test('a hash is the HMAC-SHA256 under the text of the salt, in lower-case hexadecimal', () => {
  // Test case 2 of RFC 4231.
  assert.equal(
    new AuditHmac('Jefe').hash('what do ya want for nothing?'),
    'hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('the same text hashes alike, remembered or not, and otherwise under another salt', () => {
  const hmac = new AuditHmac(SALT, 20_000)
  const other = new AuditHmac('another')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
      const wanted = `hmac-sha256:${createHmac('sha256', SALT).update(text).digest('hex')}`
      assert.equal(hmac.hash(text), wanted)
      assert.equal(hmac.hash(text), wanted)
      assert.equal(hmac.hashOnce(text), wanted)
      assert.notEqual(other.hash(text), wanted)
    }),
  )
})

test('the memo keeps what comes again, within its bytes, and neither long texts nor ids', () => {
  const hmac = new AuditHmac(SALT, 10_000)
  for (let i = 0; i < 500; i++) hmac.hash(`token-${i}`)
  assert.equal(hmac.memoBytes, 0)
  for (let i = 0; i < 500; i++) hmac.hash(`token-${i}`)
  assert.ok(hmac.memoBytes > 5_000 && hmac.memoBytes <= 10_000, String(hmac.memoBytes))
  const before = hmac.memoBytes
  for (let time = 0; time < 3; time++) {
    hmac.hash('x'.repeat(100_000))
    hmac.hash('8f14e45f-ceea-467f-a3ec-100000000000')
  }
  hmac.hashOnce('never seen before')
  assert.equal(hmac.memoBytes, before)
})

test('a long text hashed in pieces gives the same', async () => {
  const hmac = new AuditHmac('salt')
  // Pairs of surrogates and halves of them, at every place where a piece may end.
  for (const lead of ['', 'a', 'ab']) {
    for (const unit of ['x', '\u{1f600}', '\ud83d', 'é\u{1f600}']) {
      const text = lead + unit.repeat(100_000)
      assert.equal(await hmac.hashLong(text, new Breather()), hmac.hashOnce(text))
    }
  }
})
