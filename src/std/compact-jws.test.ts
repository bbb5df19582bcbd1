import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MalformedToken, parseCompactJws } from './compact-jws.ts'

const MOST = 1_000

const encode = (text: string): string => Buffer.from(text).toString('base64url')

const fault = (token: string): string => {
  try {
    parseCompactJws(token, MOST)
  } catch (error) {
    if (error instanceof MalformedToken) return error.message
    throw error
  }
  return ''
}

describe('a compact token', () => {
  it('is taken apart', () => {
    const jws = parseCompactJws(
      ` ${encode('{"alg":"RS256","kid":"k"}')}.${encode('{}')}.AQI\n`,
      MOST,
    )
    assert.equal(jws.alg, 'RS256')
    assert.equal(jws.kid, 'k')
    assert.equal(jws.critical, false)
    assert.deepEqual([...jws.signature], [1, 2])
    assert.equal(Buffer.from(jws.payload).toString(), '{}')
  })

  it('has three parts', () => {
    for (const token of ['', 'x', 'a.b', 'a.b.c.d', '.'.repeat(10)]) {
      assert.equal(fault(token), 'go-jose/go-jose: compact JWS format must have three parts')
    }
  })

  it('says where its base64 goes wrong', () => {
    const header = encode('{}')
    assert.equal(fault('a.b.c'), 'illegal base64 data at input byte 0')
    assert.equal(fault(`${header}.ab!d.AA`), 'illegal base64 data at input byte 2')
    assert.equal(fault(`${header}.abcde.AA`), 'illegal base64 data at input byte 4')
    assert.equal(fault(`${header}..AA==`), 'illegal base64 data at input byte 2')
    assert.equal(fault(`${header}.a+/b.AA`), 'illegal base64 data at input byte 1')
  })

  it('is refused when the bits after the last byte are not zero: each token has one written form', () => {
    const header = encode('{"alg":"none"}')
    assert.equal(fault(`${header}..AQ`), '')
    for (const last of 'RSTUVWXYZabcdef') {
      assert.match(fault(`${header}..A${last}`), /illegal base64/)
    }
  })

  it('has a header that is a JSON object', () => {
    assert.match(fault(`${encode('nope')}.e30.AA`), /^invalid character/)
    assert.match(fault(`${encode('[]')}.e30.AA`), /invalid protected header/)
    assert.equal(parseCompactJws(`${encode('{"alg":5,"kid":[]}')}.e30.AA`, MOST).alg, '')
    assert.ok(parseCompactJws(`${encode('{"crit":["b64"]}')}.e30.AA`, MOST).critical)
  })

  it('is refused when too long', () => {
    assert.match(fault('a'.repeat(MOST + 1)), /too long/)
  })

  it('is taken apart or refused, whatever it is', () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(encode))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        fault(parts.join('.'))
      }),
    )
  })
})
