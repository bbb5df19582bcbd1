import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CompiledInput } from './acl.ts'
import { compileAcl, compileShared } from './acl.ts'
import { LayeredRules } from './layered-rules.ts'
import { parsePolicy } from './parse-policy.ts'

const entity = { id: 'e1', name: 'a', metadata: {}, groups: [] }
const VERBS = ['read', 'list', 'update', 'delete'] as const

const block = (path: string, capabilities: readonly string[]): string =>
  `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`

const inputOf = (name: string, text: string): CompiledInput => ({
  name,
  policy: parsePolicy(text),
  allowWildcards: false,
  allowSlashes: false,
})

/** Few segments, so that the name of the entity, which is one of them, often makes a pattern that is written elsewhere, too. */
const segment = fc.constantFrom(
  'a',
  'b',
  '+',
  '{{identity.entity.name}}',
  'a{{identity.entity.id}}',
)
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/', '*', '/*'))
  .map(([segments, end]) => segments.join('/') + end)
  .filter((text) => !text.includes('+*'))
const capabilities = fc.uniqueArray(fc.constantFrom('read', 'list', 'update', 'deny', 'sudo'), {
  minLength: 1,
  maxLength: 3,
})
const policies = fc
  .array(fc.array(fc.tuple(pattern, capabilities), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((lists) =>
    lists.map((blocks, at) =>
      inputOf(`p${at}`, blocks.map(([path, words]) => block(path, words)).join('\n')),
    ),
  )
const asked = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', 'ae1', 'c'), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '/'),
  )
  .map(([segments, end]) => segments.join('/') + end)

test('rules in two layers decide as the same rules in one table', () => {
  fc.assert(
    fc.property(policies, fc.array(asked, { minLength: 1, maxLength: 8 }), (inputs, paths) => {
      const subject = { now: 0, entity }
      const one = compileAcl(inputs, subject)
      const two = compileAcl(inputs, subject, compileShared(inputs, 0))
      for (const path of paths) {
        for (const verb of VERBS) {
          const request = { verb, path, sudoPath: false }
          assert.deepEqual(two.decide(request), one.decide(request), `${verb} ${path}`)
        }
        assert.deepEqual(two.capabilities(path), one.capabilities(path))
        assert.equal(two.touches(`${path}/`), one.touches(`${path}/`))
      }
      assert.deepEqual(two.resultant(), one.resultant())
    }),
    { numRuns: 2_000 },
  )
})

test('a template that comes to mean a pattern of another block is merged with it', () => {
  const inputs = [
    inputOf('p', block('secret/a', ['read'])),
    inputOf('q', block('secret/{{identity.entity.name}}', ['update'])),
    inputOf('r', block('secret/{{identity.entity.id}}', ['deny'])),
  ]
  const acl = compileAcl(inputs, { now: 0, entity }, compileShared(inputs, 0))
  assert.deepEqual(acl.capabilities('secret/a'), ['read', 'update'])
  assert.deepEqual(acl.capabilities('secret/e1'), ['deny'])
})

test('what is shared is compiled once', () => {
  const shared = compileShared([inputOf('p', block('a/*', ['read']))], 0)
  const own = compileShared([inputOf('q', block('a/b', ['deny']))], 0)
  const rules = new LayeredRules(shared.table, own.table)
  assert.equal(rules.find('a/c', false), shared.table.find('a/c', false))
  assert.equal(rules.find('a/b', false), own.table.find('a/b', false))
})
