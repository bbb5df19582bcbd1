import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Breather } from '../std/breather.ts'
import { JsonNumber, parseJson } from '../std/json.ts'
import type { Json, JsonObject } from '../std/json.ts'
import { hashedObject, longHashedObject, visitLeaves } from './hashed-json.ts'

const shown = (object: JsonObject, clear: readonly string[] = [], itemsMax = Infinity): string =>
  hashedObject(object, {
    conceal: (text) => `#${text.length}`,
    clear: new Set(clear),
    itemsMax,
  })

test('string leaves are concealed at any depth; names, numbers, booleans and null stay', () => {
  assert.equal(
    shown({ b: 'xyz', a: [1, true, null, 'pq', { z: 'q' }], c: {}, d: new JsonNumber('1.50') }),
    '{"a":[1,true,null,"#2",{"z":"#1"}],"b":"#3","c":{},"d":1.50}',
  )
})

test('members stand in byte order, undefined ones are left out, names are escaped as Go does', () => {
  assert.equal(
    shown({ '\uffee': 'a', '\u{1f600}': 'b', '<a"': 'c', z: undefined }),
    '{"\\u003ca\\"":"#1","\uffee":"#1","\u{1f600}":"#1"}',
  )
})

test('a name from a body that is special in JavaScript is a name like others', () => {
  assert.equal(
    shown(parseJson('{"__proto__":"s","constructor":"t"}') as JsonObject),
    '{"__proto__":"#1","constructor":"#1"}',
  )
})

test('an exempt name shows the leaves right under it, in lists too, but not those of inner names', () => {
  assert.equal(
    shown({ open: ['a', ['b']], deep: { open: 'c', shut: 'd' }, more: { x: 1 } }, ['open', 'more']),
    '{"deep":{"open":"c","shut":"#1"},"more":{"x":1},"open":["a",["b"]]}',
  )
  assert.equal(shown({ open: { inner: 'a' } }, ['open']), '{"open":{"inner":"#1"}}')
})

test('times in RFC 3339 stay clear; what only looks like one does not', () => {
  for (const time of [
    '2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05.123456789Z',
    '2026-12-31T23:59:59.1+02:00',
  ]) {
    assert.equal(shown({ t: time }), `{"t":"${time}"}`)
  }
  for (const text of [
    '2026-13-02T03:04:05Z',
    '2026-01-02 03:04:05Z',
    '2026-01-02T03:04:05.1234567890Z',
    '2026-01-02T03:04:05Z\n',
    'x2026-01-02T03:04:05Z',
    '2026-01-02T24:04:05Z',
  ]) {
    assert.equal(shown({ t: text }), `{"t":"#${text.length}"}`)
  }
})

test('arrays and objects past the bound become their number', () => {
  assert.equal(shown({ a: ['x', 'y', 'z'], b: ['x'] }, [], 2), '{"a":3,"b":["#1"]}')
  assert.equal(shown({ a: { x: 'x', y: 'y', z: 'z' } }, [], 2), '{"a":3}')
})

/** The most that http/limits.ts lets a body nest; the http layer itself is no business of audit. */
const BODY_DEPTH = 2_500

test('what is nested as deep as a body may be is written', () => {
  let nested: Json = 'x'
  for (let depth = 1; depth < BODY_DEPTH; depth++) {
    nested = depth % 2 === 0 ? [nested] : { a: nested }
  }
  assert.ok(shown({ nested }).includes('{"a":"#1"}'))
  assert.equal(
    visitLeaves(nested, 10, () => true),
    true,
  )
})

test('visiting leaves meets those that may be concealed, and stops when told', () => {
  const seen: string[] = []
  const object = { a: 'x', b: ['y', { c: 'z' }], d: 1, e: Array.from('1234567'), f: undefined }
  assert.equal(
    visitLeaves(object, 6, (text) => seen.push(text) > 0),
    true,
  )
  assert.deepEqual(seen, ['x', 'y', 'z'])
  assert.equal(
    visitLeaves(object, 6, () => false),
    false,
  )
})

test('what is long is written as what is short is', async () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constant('2026-01-02T03:04:05Z'),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.constant(new JsonNumber('1.50')),
  )
  const { object } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, leaf, tie('list'), tie('object')),
    list: fc.array(tie('value').filter((value) => value !== undefined)),
    object: fc.dictionary(
      fc.oneof(fc.constantFrom('open', '__proto__', '1'), fc.string()),
      tie('value'),
    ),
  }))
  const form = { clear: new Set(['open']), itemsMax: 3 }
  const conceal = (text: string): string => `#${text.length}`
  await fc.assert(
    fc.asyncProperty(object, async (any) => {
      const data = any as JsonObject
      const long = await longHashedObject(data, form, async (text) => conceal(text), new Breather())
      assert.equal(long, hashedObject(data, { ...form, conceal }))
    }),
  )
})
