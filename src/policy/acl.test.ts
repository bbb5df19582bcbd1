import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JsonNumber } from '../std/json.ts'
import type { Acl, AclRequest, Decision, DecisionReason } from './acl.ts'
import { compileAcl, rootAcl } from './acl.ts'
import { parsePolicy } from './parse-policy.ts'
import type { TemplateSubject } from './template.ts'

const NOW = 1_700_000_000_000

/** The ACL of policies p1, p2 … with these texts. */
const aclOf = (texts: readonly string[], subject: Partial<TemplateSubject> = {}): Acl =>
  compileAcl(
    texts.map((text, i) => ({
      name: `p${i + 1}`,
      policy: parsePolicy(text),
      allowSlashes: false,
      allowWildcards: false,
    })),
    { now: NOW, ...subject },
  )

const ask = (acl: Acl, request: Partial<AclRequest>): Decision =>
  acl.decide({ verb: 'update', path: 'a', sudoPath: false, ...request })

const reason = (text: string | readonly string[], request: Partial<AclRequest>): DecisionReason =>
  ask(aclOf(typeof text === 'string' ? [text] : text), request).reason

test('each operation needs its own capability', () => {
  const verbs = ['create', 'read', 'update', 'delete', 'list', 'patch', 'scan'] as const
  for (const granted of [...verbs, 'sudo'] as const) {
    const acl = aclOf([`path "a" { capabilities = ["${granted}"] }`])
    for (const verb of verbs) assert.equal(ask(acl, { verb }).allowed, verb === granted)
    assert.equal(ask(acl, { verb: 'header' }).allowed, false)
    assert.equal(ask(acl, { verb: 'help' }).allowed, true)
  }
  assert.equal(ask(aclOf([]), { verb: 'help' }).allowed, true)
  assert.equal(ask(aclOf([]), {}).reason, 'no-rule')
})

test('a decision names the rule, the policies that grant and what else they grant', () => {
  const acl = aclOf([
    'path "a*" { capabilities = ["read", "sudo"] }',
    'path "a*" { capabilities = ["update"] }',
    'path "a*" { capabilities = ["update", "list"] }',
  ])
  assert.deepEqual(ask(acl, { path: '/abc' }), {
    allowed: true,
    reason: 'granted',
    capabilities: ['list', 'read', 'sudo', 'update'],
    sudo: true,
    granting: [
      { policy: 'p2', pattern: 'a*' },
      { policy: 'p3', pattern: 'a*' },
    ],
  })
  assert.deepEqual(ask(acl, { verb: 'delete' }), {
    allowed: false,
    reason: 'no-capability',
    capabilities: ['list', 'read', 'sudo', 'update'],
    sudo: true,
    granting: [],
  })
})

test('sudo is needed besides the capability where a path asks for it, in the same rule', () => {
  const paths = ['path "a" { capabilities = ["update"] }', 'path "*" { capabilities = ["sudo"] }']
  assert.equal(reason(paths, { sudoPath: true }), 'no-sudo')
  assert.equal(
    reason(['path "a" { capabilities = ["update", "sudo"] }'], { sudoPath: true }),
    'granted',
  )
  assert.equal(
    reason(['path "a" { capabilities = ["sudo"] }'], { sudoPath: true }),
    'no-capability',
  )
})

test('deny in any block of a pattern takes everything, and only there', () => {
  const texts = [
    'path "a" { capabilities = ["update"] allowed_parameters = { x = [] } }',
    'path "a" { capabilities = ["deny"] }',
    'path "*" { capabilities = ["update"] }',
  ]
  assert.equal(reason(texts, {}), 'deny-rule')
  assert.equal(reason(texts.toReversed(), {}), 'deny-rule')
  assert.equal(reason(texts, { path: 'b' }), 'granted')
  assert.deepEqual(aclOf(texts).capabilities('a'), ['deny'])
  assert.equal(JSON.stringify(aclOf(texts).resultant()).includes('allowed'), false)
})

test('the deciding rule alone counts: less specific patterns add nothing', () => {
  const texts = ['path "*" { capabilities = ["update"] }', 'path "a" { capabilities = ["read"] }']
  assert.equal(reason(texts, {}), 'no-capability')
})

test('blocks that have expired count for nothing, and the ACL says when the next one will', () => {
  const text = (time: number): string =>
    `path "a" { capabilities = ["update"] expiration = "${new Date(time).toISOString()}" }`
  assert.equal(reason(text(NOW), {}), 'no-rule')
  assert.equal(reason(text(NOW + 1), {}), 'granted')
  assert.equal(aclOf([text(NOW)]).validUntil, Infinity)
  assert.equal(aclOf([text(NOW + 5), text(NOW + 3), text(NOW - 1)]).validUntil, NOW + 3)
})

test('templates are rendered for the subject, and time bounds the life of the ACL', () => {
  const text =
    'path "/u/{{identity.entity.name}}/*" { capabilities = ["update"] } path "t/{{time.now}}" {}'
  const entity = { id: 'e', name: 'uma', metadata: {}, groups: [] }
  const acl = aclOf([text], { entity, now: NOW + 1 })
  assert.deepEqual(acl.capabilities('u/uma/x'), ['update'])
  assert.deepEqual(acl.capabilities('u/bob/x'), ['deny'])
  assert.equal(acl.validUntil, NOW + 1000)
  assert.deepEqual(aclOf([text]).capabilities('u/uma/x'), ['deny'])
  assert.deepEqual(aclOf([text], { entity: { ...entity, name: 'a/b' } }).capabilities('u/a/b/x'), [
    'deny',
  ])
})

test('a value may bring wildcards where its policy allows it, but no +*', () => {
  const compile = (name: string): Acl =>
    compileAcl(
      [
        {
          name: 'p',
          policy: parsePolicy('path "u/{{identity.entity.name}}" { capabilities = ["read"] }'),
          allowSlashes: true,
          allowWildcards: true,
        },
      ],
      { now: NOW, entity: { id: 'e', name, metadata: {}, groups: [] } },
    )
  assert.deepEqual(compile('*').capabilities('u/x/y'), ['read'])
  assert.deepEqual(compile('+/y').capabilities('u/x/y'), ['read'])
  assert.deepEqual(compile('+*').capabilities('u/x/y'), ['deny'])
})

test('policies of a namespace match below its path', () => {
  const policy = parsePolicy(
    'path "a/*" { capabilities = ["read"] } path "+" { capabilities = ["list"] }',
  )
  const flags = { allowSlashes: false, allowWildcards: false }
  const acl = compileAcl([{ name: 'p', policy, namespacePath: 'ns1/', ...flags }], { now: NOW })
  assert.deepEqual(acl.capabilities('ns1/a/x'), ['read'])
  assert.deepEqual(acl.capabilities('ns1/z'), ['list'])
  assert.deepEqual(acl.capabilities('a/x'), ['deny'])
})

test('allowed, denied and required parameters merge by key', () => {
  const texts = [
    'path "a" { capabilities = ["update"] allowed_parameters = { x = ["1"] y = ["1"] } denied_parameters = { d = ["1"] } required_parameters = ["X"] }',
    'path "a" { capabilities = ["update"] allowed_parameters = { x = ["2"] y = [] z = ["3"] } denied_parameters = { d = ["2"] } }',
    'path "a" { capabilities = ["update"] required_parameters = ["y"] }',
  ]
  const why = (data: AclRequest['data']): DecisionReason => reason(texts, { data })
  assert.equal(why({ x: '1', y: 'any' }), 'granted')
  assert.equal(why({ x: '2', y: 'any', z: '3' }), 'granted')
  assert.equal(why({ x: '3', y: 'any' }), 'allowed-parameter')
  assert.equal(why({ x: '1', y: 'any', z: '4' }), 'allowed-parameter')
  assert.equal(why({ x: '1', y: 'any', w: '' }), 'allowed-parameter')
  assert.equal(why({ x: '1' }), 'required-parameter')
  assert.equal(why({ X: '1', Y: '1' }), 'required-parameter')
  assert.equal(why({ x: '1', y: '1', D: '2' }), 'denied-parameter')
  assert.equal(why(undefined), 'required-parameter')
})

test('values compare as texts with globs, else deeply; numbers never', () => {
  const allows = (value: string, data: unknown): boolean =>
    ask(aclOf([`path "a" { capabilities = ["update"] allowed_parameters = { k = [${value}] } }`]), {
      data: { k: data } as AclRequest['data'],
    }).allowed
  assert.equal(allows('"*"', 'x'), false)
  assert.equal(allows('"*"', '*'), true)
  assert.equal(allows('"a*"', 'abc'), true)
  assert.equal(allows('"*c"', 'abc'), true)
  assert.equal(allows('"*b*"', 'abc'), true)
  assert.equal(allows('"**"', 'abc'), true)
  assert.equal(allows('"a*c"', 'abc'), false)
  assert.equal(allows('true', true), true)
  assert.equal(allows('true', 'true'), false)
  assert.equal(allows('1', 1), false)
  assert.equal(allows('1', new JsonNumber('1.0')), false)
  assert.equal(allows('"1"', 1), false)
  assert.equal(allows('["a", "b"]', ['a', 'b']), true)
  assert.equal(allows('["a"]', ['a', 'b']), false)
  assert.equal(allows('["a*"]', ['ab']), false)
  assert.equal(allows('{ x = "y" }', { x: 'y' }), true)
  assert.equal(allows('{ x = "y" }', { x: 'y', z: 1 }), false)
  assert.equal(allows('{ x = "y" }', null), false)
  assert.equal(allows('{}', new JsonNumber('1.0')), false)
  assert.equal(allows('{}', []), false)
})

test('denied parameters: a star denies any data, allowed: a star allows what is not listed', () => {
  const star = 'path "a" { capabilities = ["update"] denied_parameters = { "*" = ["x"] } }'
  assert.equal(reason(star, { data: { any: 1 } }), 'denied-parameter')
  assert.equal(reason(star, {}), 'granted')
  const rest =
    'path "a" { capabilities = ["update"] allowed_parameters = { "*" = ["x"] k = ["v"] } }'
  assert.equal(reason(rest, { data: { other: 'y' } }), 'granted')
  assert.equal(reason(rest, { data: { k: 'w' } }), 'allowed-parameter')
  const names =
    'path "a" { capabilities = ["update"] denied_parameters = { "__proto__" = [] constructor = [] } }'
  assert.equal(reason(names, { data: { ok: 1 } }), 'granted')
  assert.equal(reason(names, { data: JSON.parse('{"__proto__": 1}') }), 'denied-parameter')
})

test('parameters are looked at for reads and writes, not for deletes, lists and scans', () => {
  const all = 'capabilities = ["create", "read", "update", "patch", "delete", "list", "scan"]'
  const text = `path "a" { ${all} required_parameters = ["x"] denied_parameters = { "*" = [] } }`
  for (const verb of ['create', 'read', 'update', 'patch'] as const)
    assert.equal(reason(text, { verb }), 'required-parameter')
  for (const verb of ['delete', 'list', 'scan'] as const)
    assert.equal(reason(text, { verb, data: { y: 1 } }), 'granted')
})

test('wrapping TTLs: either bound asks for wrapping; merged bounds take the smaller', () => {
  const block = (ttls: string): string => `path "a" { capabilities = ["update"] ${ttls} }`
  const why = (ttls: readonly string[], wrapTtlSeconds?: number): DecisionReason =>
    reason(ttls.map(block), { wrapTtlSeconds })
  assert.equal(why(['max_wrapping_ttl = 10']), 'wrapping')
  assert.equal(why(['min_wrapping_ttl = 10']), 'wrapping')
  assert.equal(why(['max_wrapping_ttl = 10'], 10), 'granted')
  assert.equal(why(['max_wrapping_ttl = 10'], 11), 'wrapping')
  assert.equal(why(['min_wrapping_ttl = "10s"'], 9), 'wrapping')
  assert.equal(why(['max_wrapping_ttl = 10', 'max_wrapping_ttl = 5'], 6), 'wrapping')
  assert.equal(why(['min_wrapping_ttl = 10', 'min_wrapping_ttl = 5'], 6), 'granted')
  for (const ttl of [5, 20, 30])
    assert.equal(why(['min_wrapping_ttl = 20', 'max_wrapping_ttl = 10'], ttl), 'wrapping')
})

test('pagination: what a list may ask for and what it gets', () => {
  const decide = (
    limit: unknown,
    body = 'pagination_limit = 5',
    verb: AclRequest['verb'] = 'list',
  ) => {
    const acl = aclOf([`path "a" { capabilities = ["list", "scan", "read"] ${body} }`])
    const data = limit === undefined ? undefined : ({ limit } as AclRequest['data'])
    const { allowed, reason: why, limit: given } = ask(acl, { verb, data })
    return allowed ? (given ?? 'as sent') : why
  }
  assert.equal(decide(undefined), 5)
  assert.equal(decide('5'), 'as sent')
  assert.equal(decide(new JsonNumber('3')), 'as sent')
  for (const limit of ['0', 0, 'max']) assert.equal(decide(limit), 5)
  for (const limit of ['6', '-1', 'x', '', 1.5, true, [], '1e0', '99999999999999999999'])
    assert.equal(decide(limit), 'pagination', String(limit))
  assert.equal(
    decide(undefined, 'pagination_limit = 5 required_parameters = ["Limit"]'),
    'pagination',
  )
  assert.equal(decide('max', ''), 0)
  assert.equal(decide('anything', ''), 'as sent')
  assert.equal(decide('9', 'pagination_limit = -1'), 'as sent')
  assert.equal(decide('9', undefined, 'read'), 'as sent')
  const two = [
    'path "a" { capabilities = ["scan"] pagination_limit = 5 }',
    'path "a" { pagination_limit = 3 }',
  ]
  assert.equal(ask(aclOf(two), { verb: 'scan' }).limit, 3)
})

test('a list filter comes with the decision; the first of the policies wins', () => {
  const block = (filter: string): string =>
    `path "a/" { capabilities = ["list"] list_scan_response_keys_filter_path = "${filter}" }`
  const texts = [
    'path "a/" {}',
    block('x/{{.key}}'),
    block('y/{{.key}}'),
    'path "x/k" { capabilities = ["read"] }',
  ]
  const acl = aclOf(texts)
  assert.equal(ask(acl, { verb: 'list', path: 'a/' }).listFilter, 'x/{{.key}}')
  assert.equal(acl.allowsKey('x/k'), true)
  assert.equal(acl.allowsKey('x/other'), false)
  assert.equal(acl.allowsKey('x/k/'), false)
  assert.equal(acl.allowsKey('a/'), true)
})

test('the resultant ACL shows bounds and parameters', () => {
  const text = `path "a/*" { capabilities = ["scan", "update", "sudo", "list"] min_wrapping_ttl = "90s" max_wrapping_ttl = "2m"
    allowed_parameters = { X = ["y"] } denied_parameters = { z = [] } required_parameters = ["R"] }
    path "none" {} path "seg/+" { capabilities = ["read"] }`
  assert.deepEqual(aclOf([text]).resultant(), {
    root: false,
    exact_paths: { none: { capabilities: ['deny'] } },
    glob_paths: {
      'a/': {
        capabilities: ['list', 'sudo', 'update', 'scan'],
        min_wrapping_ttl: 90,
        max_wrapping_ttl: 120,
        allowed_parameters: { x: ['y'] },
        denied_parameters: { z: [] },
        required_parameters: ['r'],
      },
    },
  })
})

test('root may do everything', () => {
  const decision = ask(rootAcl, { sudoPath: true, data: { limit: 'max' } })
  assert.deepEqual([decision.allowed, decision.sudo, decision.limit], [true, true, undefined])
  assert.deepEqual(rootAcl.capabilities('x'), ['root'])
  assert.deepEqual(rootAcl.resultant(), { root: true })
})

const WORDS = ['create', 'read', 'update', 'delete', 'list', 'patch', 'scan', 'sudo'] as const
const pattern = fc.constantFrom('a', 'a/b', 'a/*', '*', 'a/+', '+/b', 'a/+/c*')
const blockOf = fc
  .tuple(pattern, fc.subarray([...WORDS]))
  .map(([path, words]) => `path "${path}" { capabilities = ${JSON.stringify(words)} }`)
const policyOf = fc.array(blockOf, { maxLength: 4 }).map((blocks) => blocks.join('\n'))
const PATHS = ['a', 'a/', 'a/b', 'a/x', 'x/b', 'a/x/cc/d', 'other']

test('another policy for the same patterns never takes a capability away unless it denies', () => {
  fc.assert(
    fc.property(
      fc.array(policyOf, { maxLength: 3 }),
      fc.array(fc.subarray([...WORDS])),
      (texts, added) => {
        const patterns = [...texts.join('\n').matchAll(/path "([^"]+)"/g)].map((match) => match[1]!)
        const extra = added.map(
          (words, i) =>
            `path "${patterns[i % Math.max(patterns.length, 1)] ?? 'a'}" { capabilities = ${JSON.stringify(words)} }`,
        )
        if (patterns.length === 0) return
        const before = aclOf(texts)
        const after = aclOf([...texts, extra.join('\n')])
        for (const path of PATHS) {
          const kept = new Set(after.capabilities(path))
          for (const word of before.capabilities(path))
            assert.ok(word === 'deny' || kept.has(word), `${word} on ${path}`)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('the order of the policies changes no decision', () => {
  fc.assert(
    fc.property(fc.array(policyOf, { maxLength: 4 }), (texts) => {
      const [one, other] = [aclOf(texts), aclOf(texts.toReversed())]
      for (const path of PATHS) assert.deepEqual(one.capabilities(path), other.capabilities(path))
    }),
    { numRuns: 500 },
  )
})

test('a capability is listed exactly when its operation is allowed', () => {
  fc.assert(
    fc.property(fc.array(policyOf, { maxLength: 3 }), fc.constantFrom(...PATHS), (texts, path) => {
      const acl = aclOf(texts)
      const words = acl.capabilities(path)
      assert.equal(ask(acl, { verb: 'list', path }).allowed, words.includes('list'))
      assert.equal(ask(acl, { verb: 'scan', path }).allowed, words.includes('scan'))
      if (!path.endsWith('/'))
        for (const verb of ['create', 'read', 'update', 'delete', 'patch'] as const)
          assert.equal(ask(acl, { verb, path }).allowed, words.includes(verb))
    }),
    { numRuns: 500 },
  )
})

test('many blocks for one pattern take time in proportion', () => {
  const text =
    'path "a" { capabilities = ["read"] allowed_parameters { k = ["v"] } required_parameters = ["r"] }\n'
  const policy = parsePolicy(text.repeat(10_000))
  const input = { name: 'p', policy, allowSlashes: false, allowWildcards: false }
  assert.equal(compileAcl([input], { now: NOW }).capabilities('a').join(), 'read')
})
