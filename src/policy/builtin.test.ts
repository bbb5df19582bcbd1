import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileAcl } from './acl.ts'
import { defaultPolicy, responseWrappingPolicy } from './builtin.ts'
import { parsePolicy } from './parse-policy.ts'

const flags = { allowSlashes: false, allowWildcards: false }
const entity = { id: 'e1', name: 'uma', metadata: {}, groups: [] }
const acl = compileAcl([{ name: 'default', policy: parsePolicy(defaultPolicy), ...flags }], {
  now: 0,
  entity,
})

test('the default policy grants what the specification lists (spec/auth.md 3.12)', () => {
  const grants: readonly (readonly [string, string])[] = [
    ['auth/token/lookup-self', 'read'],
    ['auth/token/renew-self', 'update'],
    ['auth/token/revoke-self', 'update'],
    ['sys/capabilities-self', 'update'],
    ['identity/entity/id/e1', 'read'],
    ['identity/entity/id/e2', 'deny'],
    ['identity/entity/name/uma', 'read'],
    ['identity/entity/name/bob', 'deny'],
    ['sys/internal/ui/resultant-acl', 'read'],
    ['sys/leases/renew', 'update'],
    ['sys/leases/lookup', 'update'],
    ['sys/renew', 'deny'],
    ['cubbyhole/x', 'create,delete,list,read,update'],
    ['sys/wrapping/wrap', 'update'],
    ['sys/wrapping/lookup', 'update'],
    ['sys/wrapping/unwrap', 'update'],
    ['sys/wrapping/rewrap', 'deny'],
    ['sys/tools/hash', 'update'],
    ['sys/tools/hash/sha2-256', 'update'],
    ['sys/tools/random', 'deny'],
    ['identity/oidc/provider/main/authorize', 'read,update'],
    ['secret/data/x', 'deny'],
  ]
  for (const [path, words] of grants) assert.equal(acl.capabilities(path).join(), words, path)
})

test('response-wrapping grants the one wrapped answer', () => {
  const policy = parsePolicy(responseWrappingPolicy)
  const wrapping = compileAcl([{ name: 'response-wrapping', policy, ...flags }], { now: 0 })
  assert.deepEqual(wrapping.capabilities('cubbyhole/response'), ['create', 'read'])
  assert.deepEqual(wrapping.capabilities('sys/wrapping/unwrap'), ['update'])
  assert.deepEqual(wrapping.capabilities('cubbyhole/other'), ['deny'])
})
