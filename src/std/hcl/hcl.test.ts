import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseHcl } from './hcl.ts'
import { HclError } from './hcl-error.ts'
import { readGoInteger } from './go-integer.ts'
import type { HclValue } from './value.ts'
import { hclToBlock } from './value.ts'

/** A value without null prototypes, for comparison. */
const plain = (value: HclValue): unknown => JSON.parse(JSON.stringify(value))

const valueOf = (text: string | Uint8Array): unknown => plain(hclToBlock(parseHcl(text)))

const errorOf = (text: string | Uint8Array): string => {
  try {
    parseHcl(text)
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof HclError, String(error))
    return error.message
  }
}

test('blocks nest by their labels, whether there is one or several', () => {
  const one = 'listener "tcp" { address = "a" }'
  assert.deepEqual(valueOf(one), { listener: [{ tcp: [{ address: 'a' }] }] })
  assert.deepEqual(valueOf(`${one}\nlistener "unix" { address = "b" }\n${one}`), {
    listener: [
      { tcp: [{ address: 'a' }] },
      { unix: [{ address: 'b' }] },
      { tcp: [{ address: 'a' }] },
    ],
  })
  assert.deepEqual(valueOf('audit "file" "main/" { options { path = "x" } }'), {
    audit: [{ file: [{ 'main/': [{ options: [{ path: 'x' }] }] }] }],
  })
})

test('the JSON form gives what the native form gives', () => {
  const json = '{"listener": [{"tcp": {"address": "a"}}, {"unix": {"address": "b"}}], "ui": true}'
  assert.deepEqual(valueOf(json), {
    ui: true,
    listener: [{ tcp: [{ address: 'a' }] }, { unix: [{ address: 'b' }] }],
  })
  assert.deepEqual(valueOf('  \n {"a": [1, 2.5, "x", true, [3]], "b": null, "c": "\\u00e9\\/"}'), {
    c: 'é/',
    b: '',
    a: [1, 2.5, 'x', true, [3]],
  })
})

test('literals, comments and lists', () => {
  const text = `
    # a comment
    // another
    a = 1 /* and
    one more */ b = -0x1F
    c = 017
    d = 1.5e3
    e = true
    "f g" = [1, "two", [3], { four = 4 },]
    h.i-j = "k"
  `
  assert.deepEqual(valueOf(text), {
    a: 1,
    b: -31,
    c: 15,
    d: 1500,
    e: true,
    'f g': [1, 'two', [3], { four: 4 }],
    'h.i-j': 'k',
  })
})

test('strings with escapes, and with interpolations left as they are', () => {
  const text = String.raw`a = "\a\b\f\n\r\t\v\\\"\101\x41\xc3\xa9\u00e9\U0001F600"`
  assert.deepEqual(valueOf(text), { a: '\x07\b\f\n\r\t\v\\"AAéé😀' })
  assert.deepEqual(valueOf('a = "x ${f("y", "\\n")} z"'), { a: 'x ${f("y", "\\n")} z' })
  assert.deepEqual(valueOf('a = "${\n}"'), { a: '${\n}' })
  assert.deepEqual(valueOf('a = "{{b}}"'), { a: '{{b}}' })
})

test('heredocs, indented ones too', () => {
  assert.deepEqual(valueOf('a = <<EOF\n  one\n two\n  EOF\nb = 1'), { a: '  one\n two\n  ', b: 1 })
  assert.deepEqual(valueOf('a = <<-EOF\n    one\n      two\n    EOF\n'), { a: 'one\n  two\n' })
  assert.deepEqual(valueOf('a = <<-EOF\n  one\ntwo\n  EOF\n'), { a: '  one\ntwo\n' })
  assert.deepEqual(valueOf('a = <<EOF\r\none\r\nEOF\r\n'), { a: 'one\n' })
})

test('names of every sort are only names', () => {
  const text = 'a = 1 __proto__ { b = 2 } constructor = 3'
  const block = hclToBlock(parseHcl(text))
  assert.deepEqual(Object.keys(block), ['a', '__proto__', 'constructor'])
  assert.equal(({} as { b?: number }).b, undefined)
})

test('what is no HCL is refused in the words of the reference', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['a "b"', `At 1:6: key 'a "b"' expected start of object ('{') or assignment ('=')`],
    ['a', "At 1:3: key 'a' expected start of object ('{') or assignment ('=')"],
    ['a { b }', "At 1:7: key 'b' expected start of object ('{') or assignment ('=')"],
    ['a {', 'At 1:5: object expected closing RBRACE got: EOF'],
    ['a "b" = {}', 'At 1:7: nested object expected: LBRACE got: ASSIGN'],
    ['= 1', 'At 1:1: no object keys found!'],
    ['{', 'no error'],
    ['a = 1 { }', 'At 1:7: expected: IDENT | STRING got: LBRACE'],
    ['a = b', 'At 1:5: Unknown token: 1:5 IDENT b'],
    ['a = [b]', 'At 1:6: unexpected token while parsing list: IDENT'],
    ['a = [1 2]', 'At 1:8: error parsing list, expected comma or list end, got: NUMBER'],
    [
      'a = [{ b = c }]',
      'At 1:6: error while trying to parse object within list: At 1:12: Unknown token: 1:12 IDENT c',
    ],
    ['a = ?', 'At 1:5: illegal char'],
    ['a = "b\n"', 'At 2:2: literal not terminated'],
    ['a = "b', 'At 1:7: literal not terminated'],
    ['a = "\\q"', 'At 1:7: illegal char escape'],
    ['/* b', 'At 1:5: comment not terminated'],
    ['/ b', "At 1:1: expected '/' for comment"],
    ['a = <b', "At 1:6: heredoc expected second '<', didn't see it"],
    ['a = <<\nb', 'At 1:7: zero-length heredoc anchor'],
    ['a = <<E F\n', 'At 1:8: invalid characters in heredoc anchor'],
    ['a = <<EOF\nb\n', 'At 3:1: heredoc not terminated'],
    ['a = 0xg', 'At 1:7: illegal hexadecimal number'],
    ['a = 019 ', 'At 1:8: illegal octal number'],
    ['a = 1\0', 'At 1:6: unexpected null character (0x00)'],
    ['{"a": ]', 'Expected value, got unknown token: 1:7 RBRACK ]'],
    ['{1}', 'expected: STRING got: NUMBER'],
    ['{"a": "b', '1:9: literal not terminated'],
    ['{"a": nope}', '1:10: illegal char'],
    ['{"a": [null]}', 'unexpected token while parsing list: NULL'],
  ]
  assert.deepEqual(
    texts.map(([text]) => [text, errorOf(text)]),
    texts,
  )
})

test('a fault of a character outweighs what the parser says, the last one first', () => {
  assert.equal(errorOf('a = ? ?'), 'At 1:5: illegal char')
  assert.equal(errorOf(Uint8Array.of(0xa5, 0xab, 0x61)), 'At 1:1: illegal char')
  assert.equal(
    errorOf(Buffer.concat([Buffer.from('a = "'), Uint8Array.of(0xff, 0x22)])),
    'At 1:6: illegal UTF-8 encoding',
  )
  assert.deepEqual(valueOf(Buffer.from('a = "é😀"')), { a: 'é😀' })
})

test('documents of the JSON form may end early, as in the reference', () => {
  for (const text of ['{"a":', '{"a"', '{', '{"a": {"b": 1', '{"a": 1} x', '{"a": 1,}', '{"a": }'])
    assert.equal(errorOf(text), 'no error', text)
})

test('deep nesting is refused, not run into', () => {
  const deep = 100_000
  assert.match(errorOf(`a = ${'['.repeat(deep)}`), /nested more than 250 deep/)
  assert.match(errorOf(`${'a {'.repeat(deep)}`), /nested more than 250 deep/)
  assert.match(errorOf(`{"a":${'['.repeat(deep)}`), /nested more than 250 deep/)
  assert.match(errorOf(`${'{"a":'.repeat(deep)}`), /nested more than 250 deep/)
})

test('integers in all forms of Go', () => {
  const good: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['-1_000', -1000n],
    ['+0b101', 5n],
    ['0o17', 15n],
    ['017', 15n],
    ['0X_ff', 255n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
  ]
  for (const [text, value] of good) assert.equal(readGoInteger(text), value)
  for (const text of ['', 'x', '1e3', '08', '1__0', '_1', '1_', '0x', '--1', ' 1'])
    assert.equal(readGoInteger(text), 'invalid syntax', text)
  assert.equal(readGoInteger('9223372036854775808'), 'value out of range')
})

const SCRAPS =
  'a| |\n|=|{|}|[|]|,|"|"b"|1|0x|08|1.|true|#|/*|*/|//|<<E\n|E\n|<<-E\n|\\|${|:|null|-|+|.|\0|\ud800|\r|é|😀|\\x|\\u12|"\\400"'.split(
    '|',
  )
const soup = fc.array(fc.constantFrom(...SCRAPS), { maxLength: 40 }).map((parts) => parts.join(''))

test('no text throws anything but HclError, and what is accepted has plain values', () => {
  const check = (text: string | Uint8Array): void => {
    try {
      hclToBlock(parseHcl(text))
    } catch (error) {
      assert.ok(error instanceof HclError, String(error))
    }
  }
  fc.assert(fc.property(soup, check), { numRuns: 4000 })
  fc.assert(
    fc.property(
      soup.map((text) => `{${text}`),
      check,
    ),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 500 })
  fc.assert(fc.property(fc.uint8Array(), check), { numRuns: 500 })
})

test('what is written is read back', () => {
  const name = fc
    .stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/)
    .filter((text) => text !== 'true' && text !== 'false')
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('${') && !text.includes('\0')),
    fc.integer(),
    fc.boolean(),
  )
  const members = fc.dictionary(name, fc.oneof(value, fc.array(value)), { noNullPrototype: true })
  const write = (v: unknown): string =>
    typeof v !== 'string'
      ? JSON.stringify(v)
      : `"${v.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`
  fc.assert(
    fc.property(members, (object) => {
      const lines = Object.entries(object).map(([key, v]) =>
        Array.isArray(v) ? `${key} = [${v.map(write).join(', ')}]` : `${key} = ${write(v)}`,
      )
      assert.deepEqual(valueOf(lines.join('\n')), plain(object as HclValue))
    }),
    { numRuns: 500 },
  )
})
