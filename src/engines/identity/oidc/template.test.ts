import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { TemplateEntity } from './template.ts'
import { TemplateError, renderTemplate, templateNeeds } from './template.ts'
import { claimsOf, readTemplate } from './template-claims.ts'

const NOW = 1_700_000_000_999

const ANN: TemplateEntity = {
  id: 'e1',
  name: 'ann',
  metadata: { team: 'red', 'a.b': 'dotted' },
  groups: [
    { id: 'g1', name: 'crew' },
    { id: 'g2', name: 'org' },
  ],
  aliases: new Map([
    ['acc', { id: 'a1', name: 'ann@x', metadata: { k: 'v' }, customMetadata: { seat: '4' } }],
  ]),
}
const LONER: TemplateEntity = { ...ANN, metadata: {}, groups: [], aliases: new Map() }

const render = (directive: string, entity: TemplateEntity = ANN): string =>
  renderTemplate(`{{${directive}}}`, { now: NOW, entity })

const fault = (template: string, entity?: TemplateEntity): string => {
  try {
    renderTemplate(template, { now: NOW, ...(entity === undefined ? {} : { entity }) })
    return ''
  } catch (error) {
    assert.ok(error instanceof TemplateError)
    return error.message
  }
}

describe('templates of claims', () => {
  it('renders each parameter as JSON (identity.md 9.2)', () => {
    for (const [directive, expected] of [
      ['identity.entity.id', '"e1"'],
      [' identity.entity.name ', '"ann"'],
      ['identity.entity.metadata', '{"a.b":"dotted","team":"red"}'],
      ['identity.entity.metadata.team', '"red"'],
      ['identity.entity.metadata.a.b', '"dotted"'],
      ['identity.entity.metadata.none', '""'],
      ['identity.entity.metadata.constructor', '""'],
      ['identity.entity.groups.ids', '["g1","g2"]'],
      ['identity.entity.groups.names', '["crew","org"]'],
      ['identity.entity.aliases.acc.id', '"a1"'],
      ['identity.entity.aliases.acc.metadata', '{"k":"v"}'],
      ['identity.entity.aliases.acc.metadata.k', '"v"'],
      ['identity.entity.aliases.acc.custom_metadata', '{"seat":"4"}'],
      ['identity.entity.aliases.acc.custom_metadata.seat', '"4"'],
      ['identity.entity.aliases.other.name', '""'],
      ['time.now', '1700000000'],
      ['time.now.plus.1h', '1700003600'],
      ['time.now.minus.10s', '1699999990'],
      ['time.now.plus.1d', '1700086400'],
    ] as const) {
      assert.equal(render(directive), expected, directive)
    }
    assert.equal(render('identity.entity.metadata', LONER), '{}')
    assert.equal(render('identity.entity.groups.names', LONER), 'null')
  })

  it('says what is wrong, the first from the left', () => {
    const none = 'no value could be found for one of the template directives'
    for (const [template, expected] of [
      ['{{unknown}}', none],
      ['{{identity.entity.unknown}}', none],
      ['{{identity.entity.aliases.acc.unknown}}', none],
      ['{{identity.entity.aliases.acc}}', 'invalid alias selector'],
      [
        '{{identity.groups.names.crew.id}}',
        'string contains groups template directives but no groups were provided',
      ],
      ['{{time.then}}', 'invalid time selector "then"'],
      ['{{time.now.plus}}', 'missing time operand'],
      ['{{time.now.times.1h}}', 'invalid time operator "times"'],
      ['{{time.now.plus.bad}}', 'invalid duration: strconv.ParseInt: parsing "ba": invalid syntax'],
      ['a}}b', 'unbalanced templating characters'],
      ['{"a":{"b":"c"}}', 'unbalanced templating characters'],
      ['{{identity.entity.id', 'unbalanced templating characters'],
      ['{{unknown}} {{', none],
    ] as const) {
      assert.equal(fault(template, ANN), expected, template)
    }
    assert.equal(
      fault('{{identity.entity.id}}'),
      'string contains entity template directives but no entity was provided',
    )
  })

  it('gives JSON whatever an entity is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const claims = claimsOf('{"n": {{identity.entity.name}}}', {
          now: NOW,
          entity: { ...ANN, name },
        })
        assert.equal(claims?.['n'], name.toWellFormed())
      }),
    )
  })

  it('never lets a value break out of its place in the token', () => {
    const entity = { ...ANN, name: '", "sub": "root", "x": "' }
    const claims = claimsOf('{"n": {{identity.entity.name}}}', { now: NOW, entity })
    assert.deepEqual({ ...claims }, { n: entity.name })
  })

  it('names what must be loaded', () => {
    const needs = templateNeeds([
      '{"a": {{identity.entity.aliases.acc.name}}, "b": {{ identity.entity.aliases.other.id }} }',
      '{"g": {{identity.entity.groups.ids}} }',
    ])
    assert.deepEqual([...needs.accessors], ['acc', 'other'])
    assert.equal(needs.groups, true)
    assert.equal(templateNeeds(['{"a": {{identity.entity.id}}}']).groups, false)
  })

  it('keeps base64 decoded, and refuses every reserved claim', () => {
    const template = '{"n": {{identity.entity.name}}}'
    assert.equal(readTemplate(Buffer.from(template).toString('base64'), NOW), template)
    assert.equal(readTemplate('', NOW), '')
    for (const name of ['iat', 'aud', 'exp', 'iss', 'sub', 'namespace', 'nonce', 'auth_time']) {
      assert.throws(() => readTemplate(`{"${name}": 1}`, NOW), /not allowed/)
    }
    assert.throws(() => readTemplate(String.raw`{"\u0073ub": 1}`, NOW), /"sub" not allowed/)
    assert.equal(readTemplate('{"__proto__": 1}', NOW), '{"__proto__": 1}')
  })
})
