import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  BadPasswordPolicy,
  drawPassword,
  isImpossible,
  parsePasswordPolicy,
} from './password-policy.ts'

const textOf = (length: number, rules: readonly (readonly [string, number])[]): string =>
  [
    `length = ${length}`,
    ...rules.map(
      ([charset, least]) => `rule "charset" { charset = "${charset}" min-chars = ${least} }`,
    ),
  ].join('\n')

describe('a password policy', () => {
  it('draws passwords of its length that keep to every rule', () => {
    const charset = fc.constantFrom('abc', 'ABCDEF', '0123456789', '-_.!', 'äöü')
    const rules = fc.array(fc.tuple(charset, fc.integer({ min: -1, max: 5 })), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(rules, fc.integer({ min: 20, max: 40 }), (given, length) => {
        const policy = parsePasswordPolicy(textOf(length, given))
        const password = Array.from(drawPassword(policy, randomBytes))
        assert.equal(password.length, length)
        for (const [characters, least] of given) {
          const count = password.filter((character) => characters.includes(character)).length
          assert.ok(count >= least)
        }
        const all = given.map(([characters]) => characters).join('')
        assert.ok(password.every((character) => all.includes(character)))
      }),
    )
  })

  it('reads rules in JSON, too', () => {
    const policy = parsePasswordPolicy('{"length": 6, "rule": [{"charset": {"charset": "ab"}}]}')
    assert.deepEqual(policy.characters, ['a', 'b'])
  })

  it('is impossible when a rule asks for characters and names none', () => {
    const policy = parsePasswordPolicy(
      textOf(8, [
        ['ab', 1],
        ['', 2],
      ]),
    )
    assert.equal(isImpossible(policy), true)
    assert.equal(isImpossible(parsePasswordPolicy(textOf(8, [['ab', 1]]))), false)
  })

  it('refuses any other text with a BadPasswordPolicy', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.throws(() => parsePasswordPolicy(text), BadPasswordPolicy)
      }),
    )
    for (const text of ['rule = 3', 'length = 8\nrule "charset" { charset = 3 }', 'rule {}']) {
      assert.throws(() => parsePasswordPolicy(text), BadPasswordPolicy)
    }
  })
})
