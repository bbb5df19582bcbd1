import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditedHeaders } from './headers.ts'

test('only configured headers are audited, each with its own rule', () => {
  const headers = { 'x-a': '1', 'x-b': ['2', '3'], 'x-vault-token': 's.secret' }
  const config = new Map([
    ['x-b', { hmac: true }],
    ['x-a', { hmac: false }],
    ['x-none', { hmac: false }],
    ['constructor', { hmac: false }],
  ])
  assert.deepEqual(auditedHeaders(headers, config), [
    { name: 'x-b', values: ['2', '3'], hmac: true },
    { name: 'x-a', values: ['1'], hmac: false },
  ])
  assert.equal(auditedHeaders(headers, new Map()), undefined)
  assert.equal(auditedHeaders({}, config), undefined)
})
