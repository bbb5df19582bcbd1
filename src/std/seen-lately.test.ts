import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SeenLately } from './seen-lately.ts'

it('knows a text that came lately, and no other', () => {
  const seen = new SeenLately(8_192)
  const texts = Array.from({ length: 1_000 }, (_, n) => `text ${n}`)
  assert.equal(texts.filter((text) => seen.again(text)).length, 0)
  // Few of them share a place with a later one.
  assert.ok(texts.filter((text) => seen.again(text)).length > 800)
  assert.equal(seen.again('never seen'), false)
  assert.equal(seen.again('never seen'), true)
})

it('forgets what came long ago', () => {
  const seen = new SeenLately(8_192)
  seen.again('old')
  for (let n = 0; n < 200_000; n++) seen.again(`text ${n}`)
  assert.equal(seen.again('old'), false)
})
