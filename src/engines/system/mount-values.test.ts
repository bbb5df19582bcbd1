import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../engine/refusal.ts'
import { checkTokenType, checkVisibility, listOrNone, ttlSeconds } from './mount-values.ts'

const why = (_given: string, text: string): string => text

test('nothing and an empty text leave a TTL as it is', () => {
  for (const value of [undefined, null, '']) assert.equal(ttlSeconds(value, 7, why), 7)
})

test('system and negative TTLs inherit', () => {
  assert.equal(ttlSeconds('system', 7, why), 0)
  assert.equal(ttlSeconds('-1h', 7, why), 0)
})

test('durations are read as everywhere', () => {
  assert.equal(ttlSeconds('90m', 7, why), 5400)
  assert.equal(ttlSeconds(60, 7, why), 60)
})

test('what is no duration is refused in the words of the endpoint', () => {
  const words = (given: string, text: string): string => `${given}: ${text}`
  assert.throws(() => ttlSeconds('x', 7, words), {
    name: 'Refusal',
    message: 'x: time: invalid duration "x"',
  })
})

test('visibilities and token types are those that exist', () => {
  for (const value of ['', 'hidden', 'unauth']) assert.equal(checkVisibility(value), value)
  assert.throws(() => checkVisibility('public'), Refusal)
  assert.equal(checkTokenType('batch'), 'batch')
  assert.throws(() => checkTokenType(''), Refusal)
})

test('empty lists take the present one away', () => {
  assert.equal(listOrNone([]), undefined)
  assert.equal(listOrNone(['']), undefined)
  assert.deepEqual(listOrNone(['a', '', 'b']), ['a', 'b'])
})
