import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  compareBytes,
  decodeJson,
  JsonNumber,
  JsonSyntaxError,
  parseJson,
  stringifyJson,
  stringifyOrdered,
} from './json.ts'
import type { Json } from './json.ts'
import { checkComplexity, JsonComplexityError } from './json-complexity.ts'
import { readJson } from './json-read.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const exact = (text: string): Json => readJson(bytes(text), 0, 'unexpected EOF').value
const syntax = (text: string): { name: string; message: string } => ({
  name: 'JsonSyntaxError',
  message: text,
})

describe('reading', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['{', 'unexpected EOF'],
    ['{"a"', 'unexpected EOF'],
    ['{"a":', 'unexpected EOF'],
    ['[1', 'unexpected EOF'],
    ['"x', 'unexpected EOF'],
    ['"x\\', 'unexpected EOF'],
    ['tru', 'unexpected EOF'],
    ['-', 'unexpected EOF'],
    ['1.', 'unexpected EOF'],
    ['1e+', 'unexpected EOF'],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['[+1]', "invalid character '+' looking for beginning of value"],
    ['[-x]', "invalid character 'x' in numeric literal"],
    ['[1.x]', "invalid character 'x' after decimal point in numeric literal"],
    ['[1ex]', "invalid character 'x' in exponent of numeric literal"],
    ['[nul]', "invalid character ']' in literal null (expecting 'l')"],
    ['["\\x"]', "invalid character 'x' in string escape code"],
    ['["\\u12g4"]', "invalid character 'g' in \\u hexadecimal character escape"],
    ['["a\nb"]', "invalid character '\\n' in string literal"],
    ['["\x01"]', "invalid character '\\x01' in string literal"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['[é]', "invalid character 'Ã' looking for beginning of value"],
  ]
  for (const [text, message] of refused)
    it(`refuses ${JSON.stringify(text)} as Go's decoder`, () => {
      assert.throws(() => decodeJson(text), syntax(message))
      assert.throws(() => decodeJson(bytes(text)), syntax(message))
      const whole = message === 'unexpected EOF' ? 'unexpected end of JSON input' : message
      assert.throws(() => parseJson(text), syntax(whole))
    })

  it('ignores what follows in a stream, refuses it in a text', () => {
    assert.deepEqual(decodeJson('{"a":1} x'), { a: 1 })
    assert.throws(
      () => parseJson('{"a":1} x'),
      syntax("invalid character 'x' after top-level value"),
    )
    assert.equal(decodeJson(' \n '), undefined)
    assert.throws(() => parseJson(''), syntax('unexpected end of JSON input'))
  })

  it('keeps numbers that a float would not give back', () => {
    const text = '{"a":12345678901234567890,"b":1.50,"c":1e3,"d":-0,"e":1e999,"f":1.5,"g":-7}'
    const value = parseJson(text) as Record<string, Json>
    for (const [name, literal] of [
      ['a', '12345678901234567890'],
      ['b', '1.50'],
      ['c', '1e3'],
      ['d', '-0'],
      ['e', '1e999'],
    ] as const) {
      assert.ok(value[name] instanceof JsonNumber)
      assert.equal(value[name].literal, literal)
    }
    assert.equal(value['f'], 1.5)
    assert.equal(value['g'], -7)
    assert.equal(stringifyJson(value), text)
  })

  it('replaces lone surrogates and bytes that are no UTF-8, one each', () => {
    assert.equal(parseJson('"\\ud800x"'), '\ufffdx')
    assert.equal(parseJson('"\\ud83d\\ude00"'), '😀')
    assert.equal(
      parseJson(Uint8Array.of(0x22, 0xe2, 0x98, 0x41, 0xff, 0x22)),
      '\ufffd\ufffdA\ufffd',
    )
  })

  it('takes the last of several members, __proto__ being one like any other', () => {
    for (const read of [parseJson, exact]) {
      const value = read('{"a":1,"__proto__":{"x":1},"a":2}') as Record<string, Json>
      assert.equal(value['a'], 2)
      assert.deepEqual(Object.keys(value).sort(), ['__proto__', 'a'])
      assert.equal(Object.getPrototypeOf(value), Object.prototype)
      assert.equal(stringifyJson(value), '{"__proto__":{"x":1},"a":2}')
    }
  })

  it('refuses nesting past 10,000 without using the stack', () => {
    const deep = (depth: number): string => `${'['.repeat(depth)}1.50${']'.repeat(depth)}`
    assert.doesNotThrow(() => exact(deep(10_000)))
    assert.throws(() => exact(deep(10_001)), syntax('exceeded max depth'))
  })

  it('agrees with JSON.parse on whatever JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, spaces) => {
        const spaced = JSON.stringify(JSON.parse(text), null, spaces)
        const numbers = (_name: string, value: unknown): unknown =>
          value instanceof JsonNumber ? value.toNumber() : value
        for (const value of [parseJson(spaced), exact(spaced), parseJson(bytes(spaced))])
          assert.deepEqual(
            JSON.parse(JSON.stringify(value, numbers)),
            JSON.parse(JSON.stringify(JSON.parse(spaced))),
          )
      }),
      { numRuns: 500 },
    )
  })

  it('refuses what JSON.parse refuses, and never fails otherwise', () => {
    const fragment = fc.constantFrom(
      ...Array.from('{}[]:,"\\ntruefalsu0123456789.eE+- \t\n\x00é😀'),
      'true',
      'null',
      '"a"',
      '\\u00',
      '1.5',
      '{"a":',
    )
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('')
        const native = (() => {
          try {
            return { value: JSON.parse(text) as unknown }
          } catch {
            return undefined
          }
        })()
        try {
          parseJson(text)
          assert.ok(native, text)
        } catch (error) {
          assert.ok(error instanceof JsonSyntaxError, String(error))
          assert.equal(native, undefined, text)
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('writing', () => {
  it('orders members by the bytes of their names', () => {
    assert.equal(
      stringifyJson({ b: 1, a: 2, '10': 3, '9': 4, '\u{1f600}': 5, '\uffee': 6 }),
      '{"10":3,"9":4,"a":2,"b":1,"\uffee":6,"\u{1f600}":5}',
    )
  })

  it('escapes what Go escapes', () => {
    assert.equal(
      stringifyJson({ '<': '<a href="x">&\u2028\u2029\u0001' }),
      '{"\\u003c":"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029\\u0001"}',
    )
  })

  it('leaves out undefined members, in plain and in other objects', () => {
    assert.equal(stringifyJson({ a: undefined, b: 1 }), '{"b":1}')
    assert.equal(stringifyJson({ b: 1, a: undefined }), '{"b":1}')
  })

  it('keeps the order it is given', () => {
    assert.equal(
      stringifyOrdered([
        ['z', 1],
        ['a', { y: 1, x: '<' }],
        ['n', undefined],
      ]),
      '{"z":1,"a":{"x":"\\u003c","y":1}}',
    )
  })

  it('gives back what it read', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(json, (value) => {
        const text = stringifyJson(value as Json)
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
        const names = Object.keys((value ?? {}) as object)
        assert.deepEqual(
          names.toSorted(compareBytes),
          names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        )
        assert.doesNotMatch(text, /[<>&\u2028\u2029]/)
      }),
    )
  })
})

describe('complexity', () => {
  const limits = { memoryBytes: 100_000, strings: 10, depth: 50 }
  const check = (text: string): void => checkComplexity(bytes(text), limits)

  it('counts names as strings', () => {
    assert.doesNotThrow(() => check('{"a":"b","c":"d","e":"f","g":"h","i":"j"}'))
    assert.throws(() => check('{"a":"b","c":"d","e":"f","g":"h","i":"j","k":1}'), {
      name: 'JsonComplexityError',
      message: 'refused JSON input due to high complexity: exceeded maximum number of strings',
    })
  })

  it('estimates memory', () => {
    assert.doesNotThrow(() => check(`["${'x'.repeat(99_900)}"]`))
    assert.throws(
      () => check(`["${'x'.repeat(100_000)}"]`),
      (error) =>
        error instanceof JsonComplexityError &&
        /exceeded maximum estimated memory/.test(error.message),
    )
  })

  it('refuses what follows the first value unless it is JSON', () => {
    assert.doesNotThrow(() => check('{"a":1}{"b":2} [3'))
    assert.throws(
      () => check('{"data":{"a":1}} trailing'),
      syntax("invalid character 'a' in literal true (expecting 'u')"),
    )
    assert.throws(() => check("{'a':1}"), syntax("invalid character '\\''"))
    assert.throws(
      () => check('{"a":1,}'),
      syntax("invalid character '}' looking for beginning of object key string"),
    )
    assert.throws(
      () => check('{"a":1 2}'),
      syntax("invalid character '2' after object key:value pair"),
    )
    assert.throws(() => check('[1 2]'), syntax("invalid character '2' after array element"))
    assert.throws(() => check('{"a"1}'), syntax("invalid character '1' after object key"))
    assert.throws(() => check(']'), syntax("invalid character ']' looking for beginning of value"))
  })

  it('bounds nesting', () => {
    assert.doesNotThrow(() => check('['.repeat(50) + ']'.repeat(50)))
    assert.throws(() => check('['.repeat(51)), syntax('exceeded max depth'))
  })

  it('takes whatever is JSON', () => {
    const wide = { memoryBytes: Infinity, strings: Infinity, depth: Infinity }
    fc.assert(
      fc.property(fc.json(), (text) => {
        checkComplexity(bytes(text), wide)
      }),
    )
  })
})
