import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Refusal } from '../../engine/refusal.ts'
import type { TokenInput, TokenSettings } from './token-fields.ts'
import {
  checkBoundCidrs,
  readTokenFields,
  shownTokenFields,
  unsetTokenSettings,
} from './token-fields.ts'

const write = (input: TokenInput, previous: TokenSettings = unsetTokenSettings): TokenSettings =>
  readTokenFields(input, previous).settings

const refusal = (input: TokenInput, previous?: TokenSettings): string => {
  try {
    write(input, previous)
  } catch (error) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.status, 400)
    return error.message
  }
  return ''
}

it('changes what was sent and keeps the rest', () => {
  const first = write({ token_ttl: 60, token_policies: ['b', 'a', 'a'], token_type: 'batch' })
  const second = write({ token_max_ttl: 120 }, first)
  assert.deepEqual(second.parameters, {
    ...unsetTokenSettings.parameters,
    ttl: 60,
    maxTtl: 120,
    policies: ['b', 'a', 'a'],
    type: 'batch',
  })
})

it('refuses values and combinations with the recorded texts', () => {
  const refused: readonly (readonly [TokenInput, string])[] = [
    [
      { token_ttl: 7200, token_max_ttl: 3600 },
      "'token_ttl' cannot be greater than 'token_max_ttl'",
    ],
    [{ token_num_uses: -1 }, "'token_num_uses' cannot be negative"],
    [{ token_type: 'nope' }, `invalid 'token_type' value "nope"`],
    [{ token_type: 'default-batch' }, `invalid 'token_type' value "default-batch"`],
    [
      { token_type: 'batch', token_num_uses: 2 },
      "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
    ],
    [
      { token_type: 'batch', token_period: 60 },
      "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
    ],
    [
      { token_bound_cidrs: ['x'] },
      'error parsing address "x": Unable to convert "x" to an IPv4 or IPv6 address, or a UNIX Socket',
    ],
    [
      { token_strictly_bind_ip: true, token_bound_cidrs: ['::1'] },
      "'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one",
    ],
  ]
  for (const [input, text] of refused) assert.equal(refusal(input), text)
})

it('checks a write against what was there', () => {
  const bound = write({ token_strictly_bind_ip: true })
  assert.match(refusal({ token_bound_cidrs: ['::1'] }, bound), /conflicts/)
})

it('shows a twin while it was the one last written', () => {
  const old = write({ policies: ['old', 'new', 'OLD'], ttl: 300 })
  assert.deepEqual(shownTokenFields(old), {
    ...shownTokenFields(unsetTokenSettings),
    token_policies: ['new', 'old'],
    policies: ['new', 'old'],
    token_ttl: 300,
    ttl: 300,
  })
  const newer = shownTokenFields(write({ token_policies: ['z'] }, old))
  assert.ok(!('policies' in newer))
  assert.equal(newer['ttl'], 300)
  const both = shownTokenFields(write({ policies: ['one'], token_policies: ['two'] }))
  assert.deepEqual([both['policies'], both['token_policies']], [['two'], ['two']])
})

it('does not compare twins with each other', () => {
  const { parameters } = write({ ttl: 7200, max_ttl: 3600 })
  assert.deepEqual([parameters.ttl, parameters.maxTtl], [7200, 3600])
})

it('adjusts the default types where a method takes them', () => {
  const { settings, warnings } = readTokenFields(
    { token_type: 'default-batch' },
    unsetTokenSettings,
    { adjustTypes: true },
  )
  assert.equal(settings.parameters.type, 'batch')
  assert.deepEqual(warnings, ['default-batch has no useful meaning; adjusting to batch'])
})

it('lets in addresses within the bounds only', () => {
  const { parameters } = write({ token_bound_cidrs: ['10.0.0.0/8', '::1/128'] })
  assert.deepEqual(parameters.boundCidrs, ['10.0.0.0/8', '::1'])
  checkBoundCidrs(parameters, '10.1.1.1')
  checkBoundCidrs(unsetTokenSettings.parameters, '192.0.2.1')
  assert.throws(() => checkBoundCidrs(parameters, '192.0.2.1'), { message: 'permission denied' })
})
