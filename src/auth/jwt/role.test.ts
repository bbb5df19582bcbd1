import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JsonNumber } from '../../std/json.ts'
import { fakeMount } from './fake-mount.ts'
import { jwtEngines } from './index.ts'

const mounted = () => fakeMount(jwtEngines()[0]!)
const base = { role_type: 'jwt', user_claim: 'sub', bound_audiences: 'us' }

describe('a role', () => {
  it('is one whatever the case of its name', async () => {
    const mount = mounted()
    await mount.ask('create', 'role/Dev', base)
    await mount.ask('update', 'role/DEV', { ...base, bound_subject: 'ann' })
    assert.equal((await mount.ask('read', 'role/dev')).data?.['bound_subject'], 'ann')
    assert.deepEqual((await mount.ask('list', 'role')).data?.['keys'], ['dev'])
  })

  it('is listed by name, in pages', async () => {
    const mount = mounted()
    for (const name of ['c', 'a', 'b']) await mount.ask('create', `role/${name}`, base)
    const list = async (body = {}) => (await mount.ask('list', 'role', body)).data?.['keys']
    assert.deepEqual(await list(), ['a', 'b', 'c'])
    assert.deepEqual(await list({ after: 'a', limit: 1 }), ['b'])
    assert.equal(await list({ after: 'c' }), undefined)
  })

  it('keeps what a write does not name, but for four fields that go back to their defaults', async () => {
    const mount = mounted()
    await mount.ask('create', 'role/r', {
      ...base,
      bound_claims_type: 'glob',
      bound_claims: { a: 'x*' },
      callback_mode: 'direct',
      oidc_disable_confirmation: true,
      groups_claim: 'groups',
      allowed_redirect_uris: 'http://localhost/cb',
      poll_interval: 7,
      oauth2_metadata: 'id_token',
    })
    await mount.ask('update', 'role/r', {})
    const { data } = await mount.ask('read', 'role/r')
    assert.equal(data?.['role_type'], 'oidc')
    assert.equal(data?.['bound_claims_type'], 'string')
    assert.equal(data?.['callback_mode'], 'client')
    assert.equal(data?.['oidc_disable_confirmation'], false)
    assert.equal(data?.['groups_claim'], 'groups')
    assert.equal(data?.['poll_interval'], 7)
    assert.deepEqual(data?.['oauth2_metadata'], ['id_token'])
    assert.deepEqual(data?.['bound_claims'], { a: 'x*' })
  })

  it('shows numbers of bound claims in the form they were written', async () => {
    const mount = mounted()
    const big = new JsonNumber('12345678901234567890')
    await mount.ask('create', 'role/r', { ...base, bound_claims: { id: big } })
    const { data } = await mount.ask('read', 'role/r')
    assert.deepEqual(data?.['bound_claims'], { id: big })
  })

  it('takes claims and keys with names of the object prototype', async () => {
    const mount = mounted()
    const bound_claims = JSON.parse('{"__proto__":"a","constructor":"b"}')
    await mount.ask('create', 'role/r', {
      ...base,
      bound_claims,
      claim_mappings: { toString: 'valueOf' },
    })
    const { data } = await mount.ask('read', 'role/r')
    assert.deepEqual(Object.keys(data?.['bound_claims'] as object), ['__proto__', 'constructor'])
    assert.deepEqual(Object.entries(data?.['claim_mappings'] as object), [['toString', 'valueOf']])
  })

  it('is refused with bound claims that nothing can equal', async () => {
    const mount = mounted()
    const refusal = async (more: object): Promise<unknown> =>
      (await mount.ask('create', 'role/r', { ...base, ...more })).error
    assert.equal(
      await refusal({ bound_claims: { a: { b: 'c' } } }),
      'claim is not a string or list: map[b:c]',
    )
    assert.equal(
      await refusal({ bound_claims: { a: [null] } }),
      'claim is not a string or list: <nil>',
    )
    assert.equal(
      await refusal({ bound_claims: { a: new JsonNumber('1.50') } }),
      'claim is not a string or list: 1.5',
    )
    assert.equal(
      await refusal({ bound_claims_type: 'glob', bound_claims: { a: ['x', true] } }),
      'claim is not a string: true',
    )
    assert.equal((await mount.ask('read', 'role/r')).status, 404)
  })

  it('cannot become a glob role when its stored claims are no texts', async () => {
    const mount = mounted()
    await mount.ask('create', 'role/r', { ...base, bound_claims: { a: 5 } })
    const { error } = await mount.ask('update', 'role/r', { ...base, bound_claims_type: 'glob' })
    assert.equal(error, 'claim is not a string: 5')
  })

  it('hints that its kind cannot log in yet when it is for browsers', async () => {
    const mount = mounted()
    const browser = { user_claim: 'sub', allowed_redirect_uris: 'http://localhost/cb' }
    assert.deepEqual((await mount.ask('create', 'role/o', browser)).hints, ['no-browser-login'])
    assert.deepEqual((await mount.ask('create', 'role/r', base)).hints, [])
  })

  it('warns of a lifetime that the mount cuts', async () => {
    const mount = mounted()
    const { status, warnings } = await mount.ask('create', 'role/r', {
      ...base,
      token_max_ttl: '9999h',
    })
    assert.equal(status, 200)
    assert.deepEqual(warnings, [
      "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
    ])
  })

  it('is refused with old names for lifetimes that do not go together, and unknown metadata', async () => {
    const mount = mounted()
    const refusal = async (more: object): Promise<unknown> =>
      (await mount.ask('create', 'role/r', { ...base, ...more })).error
    assert.equal(
      await refusal({ ttl: '2h', max_ttl: '1h' }),
      'ttl should not be greater than max ttl',
    )
    assert.equal(
      await refusal({ oauth2_metadata: 'id_token,zap' }),
      'Unrecognized oauth2 metadata name zap',
    )
    assert.match(
      String(
        await refusal({ token_policies: '{{ .a | b }}', token_policies_template_claims: true }),
      ),
      /^unsupported action "\.a \| b"/,
    )
  })
})
