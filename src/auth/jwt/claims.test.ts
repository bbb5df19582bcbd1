import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../std/json.ts'
import { parseJson } from '../../std/json.ts'
import { claimAt, goText, plainClaim, sameScalar } from './claims.ts'
import type { Claims } from './claims.ts'

const claims = parseJson(
  '{"a":{"b/c":{"~":"deep"},"list":["x",{"y":"z"}],"none":null},"/a":"slash","":"empty"}',
) as Claims

describe('a claim', () => {
  it('is found by its plain name, or by JSON pointer when the name begins with a slash', () => {
    assert.equal(claimAt(claims, '/a/b~1c/~0'), 'deep')
    assert.equal(claimAt(claims, '/a/list/0'), 'x')
    assert.equal(claimAt(claims, '/a/list/1/y'), 'z')
    assert.equal(plainClaim(claims, '/a'), 'slash')
    assert.equal(claimAt(claims, ''), 'empty')
    assert.equal(claimAt(claims, '/'), 'empty')
  })

  it('is absent when null, outside a list, below a text or only on the prototype', () => {
    for (const name of ['/a/none', '/a/list/2', '/a/list/-', '/a/list/00', '/a/b', 'a/list']) {
      assert.equal(claimAt(claims, name), undefined, name)
    }
    for (const name of ['toString', '/toString', '__proto__', '/a/constructor', '/a/list/length']) {
      assert.equal(claimAt(claims, name), undefined, name)
    }
  })

  it('is printed as Go prints decoded JSON', () => {
    const value = parseJson('[1, 1.5, 1e21, 0.00001, 1e-7, true, null, "t", {"b":1,"a":[]}]')
    assert.equal(goText(value), '[1 1.5 1e+21 1e-05 1e-07 true <nil> t map[a:[] b:1]]')
  })

  it('equals a bound value of its own type only, whole numbers in any form', () => {
    const same = (a: string, b: string): boolean => sameScalar(parseJson(a), parseJson(b))
    assert.ok(same('1000', '1e3') && same('1.0', '1') && same('-0', '0') && same('10e-1', '1'))
    assert.ok(same('true', 'true') && same('"a"', '"a"'))
    assert.ok(same('12345678901234567890', '12345678901234567890'))
    for (const [a, b] of [
      ['"true"', 'true'],
      ['1', '"1"'],
      ['1', 'true'],
      ['1.5', '1.5'],
      ['12345678901234567890', '12345678901234567891'],
      ['[]', '[]'],
      ['null', 'null'],
      ['{}', '{}'],
    ] as const) {
      assert.ok(!same(a, b), `${a} ${b}`)
    }
  })
})

it('goText has a text for any JSON value', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => typeof goText(value as Json) === 'string'))
})
