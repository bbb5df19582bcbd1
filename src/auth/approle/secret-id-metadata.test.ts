import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { parseMetadata } from './secret-id-metadata.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

it('reads JSON, base64 of it, and pairs in lower case', () => {
  assert.deepEqual(parseMetadata(''), {})
  assert.deepEqual(parseMetadata('{"k":"V"}'), { k: 'V' })
  assert.deepEqual(parseMetadata(base64('{"k":"V"}')), { k: 'V' })
  assert.deepEqual(parseMetadata('K=V, other=x'), { k: 'v', other: 'x' })
})

it('refuses anything else', () => {
  const format = 'failed to parse metadata: failed to parse the input: invalid <key,value> format'
  for (const text of ['notjson', '{"a":1}', '["a"]', 'a=b=c', '=v', '"x"']) {
    assert.throws(() => parseMetadata(text), { message: format, status: 400 }, text)
  }
  assert.throws(() => parseMetadata('{"a":""}'), {
    message: 'failed to parse metadata: invalid value for key "a"',
  })
})

it('gives back any object of texts, names like __proto__ included', () => {
  const texts = fc.dictionary(fc.string(), fc.string({ minLength: 1 }))
  fc.assert(
    fc.property(texts, (metadata) => {
      const plain = { ...metadata }
      assert.deepEqual(parseMetadata(JSON.stringify(plain)), plain)
      assert.deepEqual(parseMetadata(base64(JSON.stringify(plain))), plain)
    }),
  )
  assert.equal(JSON.stringify(parseMetadata('{"__proto__":"x"}')), '{"__proto__":"x"}')
})
