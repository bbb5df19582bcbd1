import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../../std/json.ts'
import type { OidcHarness } from './testing.ts'
import { createOidcHarness, faultOf, makeClient, makeRole, must, partOf } from './testing.ts'

const ask = async (harness: OidcHarness, body: Readonly<Record<string, Json>> = {}) => {
  const { status, data, error } = await harness.request('read', 'oidc/token/r', body, harness)
  const token = data['token'] as string | undefined
  return {
    status,
    error,
    token,
    clientId: data['client_id'] as unknown,
    audience: token === undefined ? undefined : partOf(token, 1)['aud'],
  }
}

const ALLOWED = ['c', 'https://a.example', 'https://b.example']

describe('the audience of an identity token', () => {
  it('is the client id unless a request asks for others that the role allows', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, {}, { client_id: 'me', allowed_audiences: ALLOWED })
    const role = await harness.request('read', 'oidc/role/r')
    assert.deepEqual(role.data['allowed_audiences'], ALLOWED)
    assert.equal((await ask(harness)).audience, 'me')
    assert.equal((await ask(harness, { audience: 'c' })).audience, 'c')
    for (const audience of ['c,https://a.example', ['https://a.example', 'c', 'c']]) {
      const { audience: aud, clientId, token } = await ask(harness, { audience })
      assert.deepEqual([aud, clientId], [['c', 'https://a.example'], 'me'])
      assert.equal(await faultOf(harness, token!), '')
      const active = await harness.request('update', 'oidc/introspect', {
        token: token!,
        client_id: 'https://a.example',
      })
      assert.equal(active.data['active'], true)
    }
  })

  it('is refused when it is empty, not allowed, or almost allowed', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, {}, { client_id: 'me', allowed_audiences: ALLOWED })
    for (const audience of [
      '',
      [],
      [''],
      ',',
      'C',
      '*',
      'me',
      'https://a.example/',
      'c,other',
      { a: 'c' },
      'x'.repeat(100_000),
    ])
      assert.equal((await ask(harness, { audience })).status, 400, JSON.stringify(audience))
    await makeRole(harness, {}, { allowed_audiences: '' })
    assert.equal(
      (await ask(harness, { audience: 'c' })).error,
      'the role "r" does not list "c" in its allowed_audiences',
    )
    assert.equal((await ask(harness)).audience, 'me')
  })

  it('is one that the key allows: who may write roles does not widen a key', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, {}, { client_id: 'me', allowed_audiences: 'c,d' })
    await must(harness, 'oidc/key/k', { allowed_client_ids: 'me,c' })
    assert.equal((await ask(harness, { audience: 'c' })).audience, 'c')
    const { status, error } = await ask(harness, { audience: 'c,d' })
    assert.deepEqual(
      [status, error],
      [400, 'the key "k" does not list the audience "d" as an allowed client ID'],
    )
  })
})

describe('discovery of a provider', () => {
  const discover = async (harness: OidcHarness, provider = 'default') => {
    const path = `oidc/provider/${provider}/.well-known/openid-configuration`
    return (await harness.request('read', path)).data
  }

  it('lists what the reference cannot only where a client of the provider uses it', async () => {
    const harness = await createOidcHarness()
    const plain = await makeClient(harness, 'plain')
    const before = await discover(harness)
    assert.deepEqual(before['grant_types_supported'], ['authorization_code'])
    assert.equal(before['revocation_endpoint'], undefined)
    await must(harness, 'oidc/provider/few', { allowed_client_ids: [plain.id] })
    const few = await discover(harness, 'few')
    await makeClient(harness, 'app', {
      allow_refresh: true,
      device_code: true,
      post_logout_redirect_uris: 'https://app.example/bye',
    })
    assert.deepEqual(await discover(harness, 'few'), few)
    const { issuer, ...after } = await discover(harness)
    assert.deepEqual(after['grant_types_supported'], [
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ])
    assert.deepEqual(after['scopes_supported'], ['openid', 'offline_access'])
    for (const [name, path] of [
      ['revocation_endpoint', 'revoke'],
      ['introspection_endpoint', 'introspect'],
      ['device_authorization_endpoint', 'device_authorization'],
      ['end_session_endpoint', 'logout'],
    ] as const)
      assert.equal(after[name], `${issuer}/${path}`)
  })
})
