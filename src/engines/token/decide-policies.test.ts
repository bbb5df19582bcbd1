import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Refusal } from '../../engine/refusal.ts'
import type { PolicyWish } from './decide-policies.ts'
import { decidePolicies } from './decide-policies.ts'
import type { TokenRole } from './role-record.ts'
import { newRole } from './role-record.ts'

interface Row extends Partial<Omit<PolicyWish, 'role'>> {
  readonly role?: Partial<TokenRole>
  readonly is: readonly string[] | string
}

const wishOf = ({ role, ...wish }: Omit<Row, 'is'>): PolicyWish => ({
  asked: undefined,
  noDefault: false,
  own: ['default', 'p'],
  sudo: false,
  ...wish,
  role: role && { ...newRole('r'), ...role },
})

const decide = (row: Omit<Row, 'is'>): readonly string[] | string => {
  try {
    return decidePolicies(wishOf(row))
  } catch (error) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.kind, 'invalid')
    return error.message
  }
}

const check = (rows: readonly Row[]): void => {
  for (const { is, ...row } of rows) assert.deepEqual(decide(row), is, JSON.stringify(row))
}

const NOT_SUBSET = 'child policies must be subset of parent'
const NO_ROOT = 'root tokens may not be created without parent token being root'

describe('policies of a new token', () => {
  it('come from the parent', () => {
    check([
      { is: ['default', 'p'] },
      { own: ['p'], is: ['p'] },
      { noDefault: true, is: ['p'] },
      { own: ['root'], sudo: true, is: ['root'] },
    ])
  })

  it('are a part of the parent’s, with its default', () => {
    check([
      { asked: ['p'], is: ['default', 'p'] },
      { asked: [' P '], is: ['default', 'p'] },
      { asked: ['p'], own: ['p'], is: ['p'] },
      { asked: ['p'], noDefault: true, is: ['p'] },
      { asked: ['q'], is: NOT_SUBSET },
      { asked: ['default'], own: ['p'], is: NOT_SUBSET },
      { asked: ['root'], is: NOT_SUBSET },
    ])
  })

  it('are any with sudo, but root only from root', () => {
    check([
      { sudo: true, asked: ['q', 'a'], is: ['a', 'default', 'q'] },
      { sudo: true, asked: ['q'], noDefault: true, is: ['q'] },
      { sudo: true, asked: [''], is: ['default'] },
      { sudo: true, asked: ['root', 'q'], is: NO_ROOT },
      { sudo: true, own: ['root'], asked: ['root', 'q'], is: ['root'] },
      {
        sudo: true,
        asked: ['response-wrapping'],
        is: 'cannot assign policy "response-wrapping"',
      },
    ])
  })

  it('follow a role that says nothing of policies as if there were none', () => {
    const role = { noDefaultPolicy: true, orphan: true }
    check([
      { role, is: ['default', 'p'] },
      { role, asked: ['q'], is: NOT_SUBSET },
      { role, sudo: true, asked: ['q'], is: ['default', 'q'] },
    ])
  })

  it('are those that a role allows, whatever the parent has', () => {
    const role = { allowedPolicies: ['a', 'b'] }
    const outside = (wanted: string, allowed: string) =>
      `token policies (${wanted}) must be subset of the role's allowed policies (${allowed}) or glob policies ([])`
    check([
      { role, is: ['a', 'b', 'default'] },
      { role, asked: ['a'], is: ['a', 'default'] },
      { role, asked: ['default'], is: ['default'] },
      { role, noDefault: true, is: ['a', 'b'] },
      { role: { ...role, noDefaultPolicy: true }, is: ['a', 'b'] },
      { role, asked: ['a', 'p'], is: outside('["a" "default" "p"]', '["a" "b" "default"]') },
      { role, asked: ['root'], is: outside('["root"]', '["a" "b" "default"]') },
      {
        role,
        noDefault: true,
        asked: ['default'],
        is: outside('["default"]', '["a" "b"]'),
      },
      { role: { allowedPolicies: ['root'] }, is: NO_ROOT },
      { role: { allowedPolicies: ['root'] }, own: ['root'], is: ['root'] },
    ])
  })

  it('may match a glob, which gives none by itself', () => {
    const role = { allowedPoliciesGlob: ['dev-*', 'x'] }
    check([
      { role, is: ['default'] },
      { role, asked: ['dev-1', 'x'], is: ['default', 'dev-1', 'x'] },
      {
        role,
        asked: ['a-dev-1'],
        is:
          'token policies (["a-dev-1" "default"]) must be subset of the role\'s allowed policies (["default"]) ' +
          'or glob policies (["dev-*" "x"])',
      },
    ])
  })

  it('are never those that a role disallows', () => {
    const role = { disallowedPolicies: ['bad', 'default'] }
    check([
      { role, own: ['root'], is: ['root'] },
      { role, own: ['p'], is: ['p'] },
      { role, asked: ['good'], is: ['good'] },
      { role, asked: ['bad'], is: 'token policy "bad" is disallowed by this role' },
      { role, is: 'token policy "default" is disallowed by this role' },
      { role: { disallowedPolicies: ['bad'] }, own: ['p'], is: ['default', 'p'] },
      {
        role: { disallowedPoliciesGlob: ['*adm*', 'def*'] },
        asked: ['superadmin'],
        is: 'token policy "superadmin" is disallowed by this role',
      },
      {
        role: { allowedPoliciesGlob: ['*'], disallowedPoliciesGlob: ['root'] },
        own: ['root'],
        asked: ['root'],
        is: 'token policy "root" is disallowed by this role',
      },
    ])
  })

  it('hold root only if the parent does, whatever is asked of whatever role', () => {
    const name = fc.constantFrom('root', 'ROOT', ' root', 'a', 'default', '*', 'r*', '')
    const names = fc.array(name, { maxLength: 3 })
    const lists = fc.record({
      allowedPolicies: names,
      allowedPoliciesGlob: names,
      disallowedPolicies: names,
      disallowedPoliciesGlob: names,
    })
    fc.assert(
      fc.property(names, lists, fc.boolean(), fc.boolean(), (asked, role, sudo, noDefault) => {
        const own = ['a', 'default']
        const policies = decide({ asked, role, sudo, noDefault, own })
        assert.ok(typeof policies === 'string' || !policies.includes('root'))
      }),
    )
  })
})
