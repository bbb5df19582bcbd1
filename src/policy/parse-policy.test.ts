import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parsePolicy } from './parse-policy.ts'
import type { ParsedRule } from './parsed-policy.ts'
import { PolicyError } from './policy-error.ts'

const errorOf = (text: string): string => {
  try {
    parsePolicy(text)
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    return error.message
  }
}

const ruleOf = (text: string): ParsedRule => parsePolicy(text).rules[0]!
const block = (body: string): ParsedRule => ruleOf(`path "a" { ${body} }`)
const blockError = (body: string): string => errorOf(`path "a" { ${body} }`)

test('a block becomes plain data', () => {
  const text = `
    # comment
    path "/secret/data/*" {
      capabilities = ["read", "list", "read"]
      allowed_parameters = { "Name" = ["x", true, ["y"], { z = "w" }], "any" = [] }
      denied_parameters = { no = [1] }
      required_parameters = ["A", "b"]
      min_wrapping_ttl = "1m30s"
      max_wrapping_ttl = 3600
      mfa_methods = ["m"]
      pagination_limit = "0x10"
      expiration = "2030-01-02T03:04:05Z"
      list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}"
      comment = "hello"
    }`
  const policy = parsePolicy(text)
  assert.deepEqual(JSON.parse(JSON.stringify(policy)), {
    templated: false,
    rules: [
      {
        pattern: 'secret/data/',
        kind: 'prefix',
        capabilities: ['read', 'list'],
        allowed: [
          ['name', ['x', true, ['y'], { z: 'w' }]],
          ['any', []],
        ],
        denied: [['no', [1]]],
        required: ['A', 'b'],
        minWrappingTtl: 90,
        maxWrappingTtl: 3600,
        mfaMethods: ['m'],
        paginationLimit: 16,
        expiration: Date.UTC(2030, 0, 2, 3, 4, 5),
        listFilter: '{{ .path }}{{ .key }}',
      },
    ],
  })
})

test('patterns are sorted into their kinds', () => {
  const kindOf = (pattern: string): string => ruleOf(`path "${pattern}" {}`).kind
  for (const pattern of ['', 'a', 'a*b', '+a', 'a+'])
    assert.equal(kindOf(pattern), 'exact', pattern)
  for (const pattern of ['*', 'a*', 'a/*', 'a**']) assert.equal(kindOf(pattern), 'prefix', pattern)
  for (const pattern of ['+', 'a/+', '+/b', 'a/+b', '/a/+/b*', '/+'])
    assert.equal(kindOf(pattern), 'segments', pattern)
  assert.equal(kindOf('a/{{identity.entity.id}}'), 'template')
  assert.equal(ruleOf('path "//a" {}').pattern, '/a')
})

test('legacy keywords add to the capabilities, deny replaces them', () => {
  const capabilities = (body: string): readonly string[] => block(body).capabilities
  assert.deepEqual(capabilities('policy = "read"'), ['read', 'list'])
  assert.deepEqual(capabilities('policy = "write" capabilities = ["patch"]'), [
    'patch',
    'create',
    'read',
    'update',
    'delete',
    'list',
  ])
  assert.deepEqual(capabilities('policy = "sudo"').includes('sudo'), true)
  assert.deepEqual(capabilities('policy = "deny" capabilities = ["read"]'), ['deny'])
})

test('a deny clears its block and what follows it is not looked at', () => {
  assert.deepEqual(
    block(
      'capabilities = ["read", "deny", "nonsense"] required_parameters = ["a"] min_wrapping_ttl = "x"',
    ),
    { pattern: 'a', kind: 'exact', capabilities: ['deny'] },
  )
})

test('attributes given twice: lists add up, of other values the last counts', () => {
  assert.deepEqual(block('capabilities = ["read"] capabilities = ["list"]').capabilities, [
    'read',
    'list',
  ])
  assert.equal(block('pagination_limit = 1 pagination_limit = 2').paginationLimit, 2)
  assert.deepEqual(
    block('allowed_parameters { a = [1] } allowed_parameters { a = [2] B = [] }').allowed,
    [
      ['a', [1, 2]],
      ['b', []],
    ],
  )
})

test('the JSON form says the same as the native one', () => {
  const native =
    'path "a" { capabilities = ["read"] } path "b/*" { denied_parameters { x = ["y"] } }'
  const json =
    '{"path":{"b/*":{"capabilities":[],"denied_parameters":{"x":["y"]}},"a":{"capabilities":["read"]}}}'
  const sorted = (text: string): readonly ParsedRule[] =>
    parsePolicy(text).rules.toSorted((x, y) => (x.pattern < y.pattern ? -1 : 1))
  assert.deepEqual(sorted(json), sorted(native))
})

test('values of another type are refused in the words of the reference', () => {
  const texts: readonly (readonly [string, string])[] = [
    [
      'capabilities = [true]',
      'path "a": At 1:28: root.Capabilities[0]: unknown type for string *ast.LiteralType',
    ],
    [
      'capabilities = [["read"]]',
      'path "a": At 1:28: root.Capabilities[0]: unknown type for string *ast.ListType',
    ],
    ['capabilities = [1]', 'path "a": invalid capability "1"'],
    ['capabilities = ["root"]', 'path "a": invalid capability "root"'],
    ['policy = ["read"]', 'path "a": At 1:21: root.Policy: unknown type for string *ast.ListType'],
    [
      'pagination_limit = []',
      'path "a": At 1:31: root.pagination_limit: unknown type *ast.ListType',
    ],
    [
      'pagination_limit = "9223372036854775808"',
      'path "a": strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [
      'min_wrapping_ttl = true',
      'error parsing min_wrapping_ttl: could not parse duration from input',
    ],
    [
      'max_wrapping_ttl = "5q"',
      'error parsing max_wrapping_ttl: time: unknown unit "q" in duration "5q"',
    ],
    [
      'expiration = "2030-02-30T00:00:00Z"',
      'path "a": invalid expiration time: could not parse string as date and time',
    ],
    [
      'capabilities "x" {}',
      'path "a": At 1:25: root.Capabilities[0]: unknown type for string *ast.ObjectItem',
    ],
  ]
  for (const [body, wanted] of texts) assert.equal(blockError(body), wanted, body)
  assert.equal(errorOf('path = "a"'), 'path "path": cannot check HCL keys of type *ast.LiteralType')
  assert.equal(errorOf('name = []'), 'At 1:8: root.name: unknown type for string *ast.ListType')
  assert.equal(
    errorOf('path { x = 1 }'),
    '1 error occurred:\n\t* path "path": invalid key "x" on line 1\n\n',
  )
  assert.equal(
    errorOf('a = 1\nb "c" {}\nd = 2'),
    '3 errors occurred:\n\t* invalid key "a" on line 1\n\t* invalid key "b" on line 0\n\t* invalid key "d" on line 3\n\n',
  )
  assert.equal(
    errorOf('path "a\\"é\\n" { x = 1 }'),
    '1 error occurred:\n\t* path "a\\"é\\n": invalid key "x" on line 1\n\n',
  )
})

test('names of the language are looked at as written, values of patterns as they are', () => {
  assert.match(blockError('Capabilities = ["read"]'), /invalid key "Capabilities"/)
  assert.equal(
    ruleOf('path "__proto__" { allowed_parameters { "__proto__" = ["x"] } }').pattern,
    '__proto__',
  )
  assert.deepEqual(ruleOf('path "a" { allowed_parameters { "__proto__" = ["x"] } }').allowed, [
    ['__proto__', ['x']],
  ])
})

test('times: seconds, RFC 3339 with offsets and fractions', () => {
  const time = (text: string): number | undefined => block(`expiration = ${text}`).expiration
  assert.equal(time('"4102444800"'), 4102444800000)
  assert.equal(time('4102444800'), 4102444800000)
  assert.equal(time('"2030-01-02T03:04:05.25+01:30"'), Date.UTC(2030, 0, 2, 1, 34, 5, 250))
  assert.equal(time('""'), undefined)
})

const SCRAPS =
  'path |"a" |"a/+" |"+*" |"{{identity.entity.id}}" |"{{" |{ |} |= |[ |] |, |"read" |"deny" |capabilities |allowed_parameters |required_parameters |min_wrapping_ttl |"1s" |1 |true |expiration |pagination_limit |list_scan_response_keys_filter_path |"{{.key}}" |policy |"write" |name |: |\n|#|<<E\n|E\n|\0'.split(
    '|',
  )

test('no text throws anything but PolicyError', () => {
  const check = (text: string | Uint8Array): void => {
    try {
      const policy = parsePolicy(text)
      assert.deepEqual(JSON.parse(JSON.stringify(policy)), policy)
    } catch (error) {
      assert.ok(error instanceof PolicyError, String(error))
    }
  }
  const soup = fc
    .array(fc.constantFrom(...SCRAPS), { maxLength: 30 })
    .map((parts) => parts.join(''))
  fc.assert(fc.property(soup, check), { numRuns: 4000 })
  fc.assert(
    fc.property(
      soup.map((text) => `path "a" { ${text} }`),
      check,
    ),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(
      fc.json().map((text) => `{"path":{"a":${text}}}`),
      check,
    ),
    { numRuns: 1000 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 500 })
  fc.assert(fc.property(fc.uint8Array(), check), { numRuns: 500 })
})

test('long texts take time in proportion', () => {
  const many = 'path "a" { capabilities = ["read"] allowed_parameters { a = ["x"] } }\n'.repeat(
    20_000,
  )
  assert.equal(parsePolicy(many).rules.length, 20_000)
  const repeated = `path "a" { ${'allowed_parameters { a = ["x"] } '.repeat(20_000)} }`
  assert.equal(ruleOf(repeated).allowed?.[0]?.[1].length, 20_000)
  const filter = `${'\\n{{ .key }}'.repeat(20_000)}`
  assert.ok(
    block(`capabilities = ["list"] list_scan_response_keys_filter_path = "${filter}"`).listFilter,
  )
})
