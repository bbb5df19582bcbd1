import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusal } from '../../engine/refusal.ts'
import { changeRole } from './role-change.ts'
import type { RoleInput } from './role-fields.ts'
import { roleFields } from './role-fields.ts'
import type { TokenRole } from './role-record.ts'
import { newRole } from './role-record.ts'

const NOTHING = Object.fromEntries(
  Object.entries(roleFields).map(([name, { default: value }]) => [name, value]),
) as RoleInput

const change = (input: Partial<RoleInput>, before: Partial<TokenRole> = {}) =>
  changeRole(
    { ...newRole('r'), ...before },
    {
      input: { ...NOTHING, ...input },
      typeSent: Object.hasOwn(input, 'token_type'),
      maxTtl: 3_600,
    },
  )

const refused = (input: Partial<RoleInput>, before: Partial<TokenRole> = {}): string => {
  try {
    change(input, before)
  } catch (error) {
    assert.ok(error instanceof Refusal)
    return error.message
  }
  return 'nothing was refused'
}

const BATCH = { type: 'batch', orphan: true, renewable: false } as const
const FIELDS = 'error parsing role fields: '

describe('a change of a token role', () => {
  it('keeps what was not sent', () => {
    const before: TokenRole = {
      name: 'r',
      allowedPolicies: ['a'],
      allowedPoliciesGlob: ['b*'],
      disallowedPolicies: ['c'],
      disallowedPoliciesGlob: ['d*'],
      orphan: true,
      renewable: false,
      pathSuffix: 'sfx',
      allowedEntityAliases: ['e'],
      boundCidrs: ['10.0.0.0/8'],
      explicitMaxTtl: 60,
      period: 30,
      noDefaultPolicy: true,
      numUses: 5,
      type: 'service',
      twins: ['period'],
    }
    assert.deepEqual(change({}, before), { role: before, warnings: [] })
  })

  it('brings names into their form', () => {
    const { role } = change({
      allowed_policies: ['b', ' A ', 'a', ''],
      allowed_policies_glob: ['Dev-*'],
      disallowed_policies: ['Y', 'root', 'x'],
      allowed_entity_aliases: ['Web-*', 'Al'],
      token_bound_cidrs: ['127.0.0.1/32', '10.0.0.0/8'],
    })
    assert.deepEqual(role.allowedPolicies, ['a', 'b'])
    assert.deepEqual(role.allowedPoliciesGlob, ['dev-*'])
    assert.deepEqual(role.disallowedPolicies, ['root', 'x', 'y'])
    assert.deepEqual(role.allowedEntityAliases, ['al', 'web-*'])
    assert.deepEqual(role.boundCidrs, ['127.0.0.1', '10.0.0.0/8'])
  })

  it('takes an old name for the new one, and prefers the new one', () => {
    const old = change({ period: 10, explicit_max_ttl: 20, bound_cidrs: ['1.2.3.4'] })
    assert.deepEqual(
      [old.role.period, old.role.explicitMaxTtl, old.role.boundCidrs, old.warnings],
      [10, 20, ['1.2.3.4'], []],
    )
    assert.deepEqual(old.role.twins.toSorted(), ['bound_cidrs', 'explicit_max_ttl', 'period'])
    const both = change({ period: 10, token_period: 11 }, { twins: ['period'] })
    assert.deepEqual([both.role.period, both.role.twins], [11, []])
    assert.deepEqual(both.warnings, [
      "Both 'token_period' and deprecated 'period' value supplied, ignoring the deprecated value",
    ])
  })

  it('warns of an end that the mount does not reach', () => {
    assert.deepEqual(change({ token_explicit_max_ttl: 3_600 }).warnings, [])
    assert.deepEqual(change({ token_explicit_max_ttl: 7_200 }).warnings, [
      'Given explicit max TTL of 7200 is greater than system/mount allowed value of 3600 seconds; until this is fixed attempting to create tokens against this role will result in an error',
    ])
  })

  it('refuses', () => {
    const suffix = String.raw`given role path suffix contains invalid characters; must match \w[\w-.]+\w`
    const address = (text: string) =>
      `error parsing address "${text}": Unable to convert "${text}" to an IPv4 or IPv6 address, or a UNIX Socket`
    const batch = (kind: string) =>
      `'token_type' cannot be 'batch' when role is set to generate ${kind}`
    const generate = `'token_type' cannot be 'batch' or 'default_batch' when set to generate `
    for (const [input, before, text] of [
      [{ path_suffix: '../x' }, {}, suffix],
      [{ path_suffix: 'a b' }, {}, suffix],
      [{ path_suffix: 'ab' }, {}, suffix],
      [
        { path_suffix: 'abc..d' },
        {},
        'error registering path suffix: path cannot contain parent references',
      ],
      [{ token_bound_cidrs: ['zz'] }, {}, FIELDS + address('zz')],
      [{ bound_cidrs: ['zz'] }, {}, `error parsing bound_cidrs: ${address('zz')}`],
      [{ token_num_uses: -1 }, {}, `${FIELDS}'token_num_uses' cannot be negative`],
      [{ token_type: 'nope' }, {}, `invalid 'token_type' value "nope"`],
      [{ token_type: '' }, {}, `invalid 'token_type' value ""`],
      [{ token_type: undefined }, {}, "Invalid 'token_type' value: null"],
      [{ token_type: 'batch' }, {}, batch('non-orphan tokens')],
      [{ token_type: 'batch' }, { ...BATCH, type: 'service', period: 1 }, batch('periodic tokens')],
      [{ token_type: 'batch', orphan: true }, {}, batch('renewable tokens')],
      [
        { token_type: 'batch', explicit_max_ttl: 1 },
        { ...BATCH, type: 'service' },
        batch('tokens with an explicit max TTL'),
      ],
      [
        { token_type: 'batch', token_num_uses: 1 },
        { ...BATCH, type: 'service' },
        batch('tokens with limited use count'),
      ],
      [{ renewable: true }, BATCH, batch('renewable tokens')],
      [{ token_period: 1 }, BATCH, `${FIELDS}${generate}periodic tokens`],
      [
        { token_num_uses: 1 },
        { type: 'default-batch' },
        `${FIELDS}${generate}tokens with limited use count`,
      ],
    ] as const) {
      assert.equal(refused(input, before), text, JSON.stringify(input))
    }
  })

  it('tells null from a type that was not sent', () => {
    const { coerce } = roleFields.token_type
    assert.equal(coerce(null), undefined)
    assert.equal(coerce('batch'), 'batch')
    assert.equal(change({}).role.type, 'default-service')
  })
})
