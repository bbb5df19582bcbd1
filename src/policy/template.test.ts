import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SubjectAlias } from '../engine/identity-port.ts'
import { parsePolicy } from './parse-policy.ts'
import { PolicyError } from './policy-error.ts'
import type { TemplateFlags, TemplateSubject } from './template.ts'
import { parsePattern, rendersSameUntil, renderPattern, templateNeeds } from './template.ts'

const alias: SubjectAlias = {
  id: 'alias-id',
  name: 'uma@example.com',
  metadata: { desk: '7' },
  customMetadata: { floor: '3', empty: '' },
}
const group = { id: 'g1', name: 'crew one', metadata: { floor: '9' }, policies: [], direct: true }
const subject: TemplateSubject = {
  now: 1_700_000_000_999,
  entity: {
    id: 'e1',
    name: 'uma',
    metadata: {
      team: 'red',
      'e-mail': 'a@b',
      'x.y': 'dotted',
      empty: '',
      wild: 'a*b',
      slash: 'a/b',
    },
    groups: [group, { ...group, id: 'g2', name: 'a.b', direct: false }],
  },
  aliases: new Map([['auth_userpass_12345678', alias]]),
}
const STRICT: TemplateFlags = { allowWildcards: false, allowSlashes: false }

const render = (pattern: string, flags = STRICT, who = subject): string | undefined =>
  renderPattern(parsePattern(pattern)!, who, flags)

test('every directive of the specification', () => {
  const values: readonly (readonly [string, string | undefined])[] = [
    ['identity.entity.id', 'e1'],
    ['identity.entity.name', 'uma'],
    ['identity.entity.metadata.team', 'red'],
    ['identity.entity.metadata.e-mail', 'a@b'],
    ['identity.entity.metadata.x.y', 'dotted'],
    ['identity.entity.metadata.empty', ''],
    ['identity.entity.metadata.none', undefined],
    ['identity.entity.metadata.toString', undefined],
    ['identity.entity.metadata', undefined],
    ['identity.entity', undefined],
    ['identity.entity.nmae', undefined],
    ['identity.entity.aliases.auth_userpass_12345678.id', 'alias-id'],
    ['identity.entity.aliases.auth_userpass_12345678.name', 'uma@example.com'],
    ['identity.entity.aliases.auth_userpass_12345678.metadata.desk', '7'],
    ['identity.entity.aliases.auth_userpass_12345678.custom_metadata.floor', '3'],
    ['identity.entity.aliases.auth_userpass_12345678.custom_metadata', undefined],
    ['identity.entity.aliases.auth_other_12345678.name', undefined],
    ['identity.entity.aliases', undefined],
    ['identity.groups.ids.g1.name', 'crew one'],
    ['identity.groups.ids.g2.name', 'a.b'],
    ['identity.groups.names.crew one.id', 'g1'],
    ['identity.groups.names.crew one.metadata.floor', '9'],
    ['identity.groups.names.a.b.id', undefined],
    ['identity.groups.names.stranger.id', undefined],
    ['identity.groups.names.crew one', undefined],
    ['time.now', '1700000000'],
    ['time.now.plus.1m', '1700000060'],
    ['time.now.minus.1h', '1699996400'],
    ['time.now.plus.1.5s', '1700000002'],
    ['time.now.plus.', undefined],
    ['time.now.times.2', undefined],
    ['time.then', undefined],
    ['', undefined],
  ]
  for (const [directive, value] of values) {
    assert.equal(render(`x/{{ ${directive} }}/y`), value === undefined ? undefined : `x/${value}/y`)
    assert.equal(render(`{{${directive}}}`), value)
  }
})

test('without an entity only the time has a value', () => {
  const nobody = { now: subject.now, aliases: subject.aliases }
  assert.equal(render('{{identity.entity.id}}', STRICT, nobody), undefined)
  assert.equal(
    render('{{identity.entity.aliases.auth_userpass_12345678.id}}', STRICT, nobody),
    undefined,
  )
  assert.equal(render('{{identity.groups.ids.g1.id}}', STRICT, nobody), undefined)
  assert.equal(render('{{time.now}}', STRICT, nobody), '1700000000')
})

test('wildcards and slashes in values drop the block unless the policy allows them', () => {
  const wild = '{{identity.entity.metadata.wild}}'
  const slash = '{{identity.entity.metadata.slash}}'
  assert.equal(render(wild), undefined)
  assert.equal(render(wild, { ...STRICT, allowSlashes: true }), undefined)
  assert.equal(render(wild, { ...STRICT, allowWildcards: true }), 'a*b')
  assert.equal(render(slash), undefined)
  assert.equal(render(slash, { ...STRICT, allowWildcards: true }), undefined)
  assert.equal(render(slash, { ...STRICT, allowSlashes: true }), 'a/b')
})

test('braces that do not pair up are refused', () => {
  for (const text of ['{{', '}}', 'a}}b', '{{a}}b}}', '{{a', '{{a{{b}}', '}}{{a}}', '{{a}}}}'])
    assert.throws(() => parsePattern(text), PolicyError, text)
  for (const text of ['', '{', '}', 'a{b}c', '{ {a} }']) assert.equal(parsePattern(text), undefined)
  assert.deepEqual(parsePattern('{{a}}}'), [{ kind: 'unknown', text: 'a' }, '}'])
})

test('what a policy needs is known before it is rendered', () => {
  const needs = (text: string) => templateNeeds([parsePolicy(`path "${text}" {}`)])
  assert.deepEqual(
    needs('a/{{identity.entity.aliases.acc.name}}/{{identity.entity.aliases.b.id}}'),
    {
      entity: true,
      groups: false,
      time: false,
      aliases: new Set(['acc', 'b']),
    },
  )
  assert.deepEqual(needs('{{identity.groups.names.x.id}}'), {
    entity: true,
    groups: true,
    time: false,
    aliases: new Set(),
  })
  assert.deepEqual(needs('{{time.now}}'), {
    entity: false,
    groups: false,
    time: true,
    aliases: new Set(),
  })
  assert.equal(needs('{{bogus}}').entity, false)
})

test('a pattern with the time says until when it reads the same', () => {
  const until = (pattern: string, now: number): number =>
    rendersSameUntil(parsePattern(pattern)!, now)
  assert.equal(until('{{identity.entity.id}}', 0), Infinity)
  assert.equal(until('{{time.now}}', 1_200), 2_000)
  assert.equal(until('{{time.now}}', 2_000), 3_000)
  assert.equal(until('{{time.now.plus.500ms}}', 1_200), 1_500)
  fc.assert(
    fc.property(fc.nat(5_000), fc.integer({ min: -3_000, max: 3_000 }), (now, shift) => {
      const parts = parsePattern(
        `{{time.now.${shift < 0 ? 'minus' : 'plus'}.${Math.abs(shift)}ms}}`,
      )!
      const at = (time: number): string | undefined => renderPattern(parts, { now: time }, STRICT)
      const end = rendersSameUntil(parts, now)
      assert.equal(at(now), at(end - 1))
      assert.notEqual(at(now), at(end))
    }),
  )
})

test('no blocked character of a value ever gets into a pattern', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '*', '+', '/', '{', '}', '.', 'é') })
  const part = fc.constantFrom(
    '{{identity.entity.name}}',
    '{{identity.entity.metadata.k}}',
    '{{identity.groups.ids.g.name}}',
    '{{identity.entity.aliases.a.name}}',
    'text',
  )
  fc.assert(
    fc.property(fc.array(part), value, fc.boolean(), fc.boolean(), (written, text, wild, slash) => {
      const parts = parsePattern(written.join('-'))
      if (parts === undefined) return
      const who: TemplateSubject = {
        now: 0,
        entity: {
          id: 'e',
          name: text,
          metadata: { k: text },
          groups: [{ ...group, id: 'g', name: text }],
        },
        aliases: new Map([['a', { ...alias, name: text }]]),
      }
      const rendered = renderPattern(parts, who, { allowWildcards: wild, allowSlashes: slash })
      if (rendered === undefined) return
      if (!wild) assert.doesNotMatch(rendered, /[*+]/)
      if (!slash) assert.doesNotMatch(rendered, /\//)
    }),
    { numRuns: 1000 },
  )
})
