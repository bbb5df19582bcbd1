import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultPolicy, responseWrappingPolicy } from './builtin.ts'
import { parsePolicy } from './parse-policy.ts'
import type { AuthMountName } from './policy-hints.ts'
import { policyHints } from './policy-hints.ts'

const MOUNTS: readonly AuthMountName[] = [
  { accessor: 'auth_userpass_4f3c1a2b', path: 'auth/userpass/' },
  { accessor: 'auth_jwt_00000000', path: 'auth/corp/jwt/' },
]

const hintsOf = (pattern: string, mounts?: readonly AuthMountName[]) =>
  policyHints(parsePolicy(`path "${pattern}" { capabilities = ["read"] }`), mounts)

test('a misspelt directive is named with the one it resembles', () => {
  const [hint] = hintsOf('secret/{{identity.entity.nmae}}')
  assert.equal(hint?.code, 'template-unknown-directive')
  assert.match(hint.text, /\{\{identity\.entity\.nmae\}\}.*did you mean identity\.entity\.name\?/)
  assert.match(
    hintsOf('{{identity.group.names.x.id}}')[0]!.text,
    /did you mean identity\.groups\.names\.<group name>\.id\?/,
  )
  assert.match(hintsOf('{{other.thing}}')[0]!.text, /never matches anything$/)
  assert.equal(hintsOf('{{}}').length, 1)
})

test('what is no accessor is named with the accessor of the mount it means', () => {
  for (const written of ['userpass', 'auth/userpass', 'auth/userpass/']) {
    const [hint] = hintsOf(`{{identity.entity.aliases.${written}.name}}`, MOUNTS)
    assert.equal(hint?.code, 'template-alias-accessor')
    assert.match(hint.text, /auth_userpass_4f3c1a2b is the one of auth\/userpass\//)
  }
  assert.match(
    hintsOf('{{identity.entity.aliases.corp/jwt.id}}', MOUNTS)[0]!.text,
    /auth_jwt_00000000/,
  )
  assert.match(hintsOf('{{identity.entity.aliases.nope.id}}', MOUNTS)[0]!.text, /"nope" is none/)
  assert.equal(hintsOf('{{identity.entity.aliases.auth_jwt_00000000.id}}', MOUNTS).length, 0)
  assert.equal(hintsOf('{{identity.entity.aliases.auth_jwt_11111111.id}}', MOUNTS).length, 1)
})

test('without the mounts accessors are judged by their looks', () => {
  assert.equal(hintsOf('{{identity.entity.aliases.userpass.name}}').length, 1)
  assert.equal(hintsOf('{{identity.entity.aliases.auth_userpass_4f3c1a2b.name}}').length, 0)
})

test('a group name with a dot can only be named by id', () => {
  assert.equal(hintsOf('{{identity.groups.names.a.b.id}}')[0]?.code, 'template-group-dot')
  assert.equal(hintsOf('{{identity.groups.names.a.b.metadata.k}}')[0]?.code, 'template-group-dot')
  assert.equal(hintsOf('{{identity.groups.names.a.id}}').length, 0)
})

test('numbers among parameters match nothing', () => {
  const text = 'path "a" { denied_parameters = { n = [1] s = ["x"] deep = [{ k = [2.5] }] } }'
  assert.deepEqual(
    policyHints(parsePolicy(text)).map(({ code }) => code),
    ['policy-number-parameter', 'policy-number-parameter'],
  )
})

test('each mistake is said once, and a policy full of them gets twenty hints', () => {
  assert.equal(hintsOf('{{x.y}}/{{x.y}}').length, 1)
  const many = Array.from({ length: 500 }, (_, i) => `path "{{x.y${i}}}" {}`).join('\n')
  assert.equal(policyHints(parsePolicy(many)).length, 20)
})

test('the built-in policies need no hint', () => {
  for (const text of [defaultPolicy, responseWrappingPolicy])
    assert.deepEqual(policyHints(parsePolicy(text), MOUNTS), [])
})
