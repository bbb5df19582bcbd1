import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../../std/json.ts'
import type { Answer } from '../testing.ts'
import { oidcDue, oidcRevoked } from './records.ts'
import type { OidcHarness, TestClient } from './testing.ts'
import {
  bearer,
  clientAsks,
  codeFor,
  createOidcHarness,
  exchange,
  makeClient,
  must,
  refresh,
  signIn,
  tokensOf,
  userinfo,
} from './testing.ts'

const INACTIVE = { active: false }
const ALIVE = [200, undefined]
const DEAD = [401, 'access token was revoked']
const ISSUER = 'https://signet.example:8200/v1/identity/oidc/provider/default'

const withClients = async () => {
  const harness = await createOidcHarness()
  const client = await makeClient(harness, 'app', {
    allow_refresh: true,
    client_credentials: true,
    access_token_ttl: 3600,
  })
  const other = await makeClient(harness, 'api')
  const open = await makeClient(harness, 'open', { client_type: 'public' })
  return { harness, client, other, open }
}

const revoke = (
  harness: OidcHarness,
  client: TestClient,
  token: Json,
  body = {},
  provider?: string,
): Promise<Answer> => clientAsks(harness, client, 'revoke', { token, ...body }, provider)

const introspect = (
  harness: OidcHarness,
  client: TestClient,
  token: Json,
  provider?: string,
): Promise<Answer> => clientAsks(harness, client, 'introspect', { token }, provider)

const ownToken = async (harness: OidcHarness, client: TestClient): Promise<string> => {
  const body = { grant_type: 'client_credentials', scope: 'openid' }
  const { data } = await clientAsks(harness, client, 'token', body)
  return data['access_token'] as string
}

const withoutRefresh = async (harness: OidcHarness, client: TestClient) =>
  tokensOf(await exchange(harness, client, await codeFor(harness, client)))

const errorOf = ({ status, data }: Answer): readonly unknown[] => [status, data['error']]

describe('revocation', () => {
  it('of a refresh token ends all that came of its sign-in', async () => {
    const { harness, client } = await withClients()
    const first = await signIn(harness, client)
    const elsewhere = await signIn(harness, client)
    const second = tokensOf(await refresh(harness, client, first.refresh))
    const answer = await revoke(harness, client, second.refresh, {
      token_type_hint: 'refresh_token',
    })
    assert.deepEqual([answer.status, answer.data], [200, {}])
    assert.deepEqual(answer.headers, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
    assert.equal((await refresh(harness, client, second.refresh)).data['error'], 'invalid_grant')
    for (const { access } of [first, second])
      assert.deepEqual(await userinfo(harness, access), DEAD)
    assert.deepEqual(await userinfo(harness, elsewhere.access), ALIVE)
  })

  it('of an access token ends it alone, whatever the hint says', async () => {
    const { harness, client } = await withClients()
    for (const hint of ['access_token', 'refresh_token', 'made-up']) {
      const tokens = await signIn(harness, client)
      const plain = await withoutRefresh(harness, client)
      for (const { access } of [tokens, plain]) {
        assert.deepEqual(await userinfo(harness, access), ALIVE)
        await revoke(harness, client, access, { token_type_hint: hint })
        assert.deepEqual(await userinfo(harness, access), DEAD)
        assert.deepEqual((await introspect(harness, client, access)).data, INACTIVE)
      }
      tokensOf(await refresh(harness, client, tokens.refresh))
    }
  })

  it('is remembered for as long as the token would have lived', async () => {
    const { harness, client } = await withClients()
    const { access } = await withoutRefresh(harness, client)
    await revoke(harness, client, access)
    const count = async (): Promise<number> => {
      let found = 0
      for await (const page of harness.records.scan(oidcRevoked.under(0))) found += page.length
      return found
    }
    harness.now += 3_599_000
    await harness.background()
    assert.equal(await count(), 1)
    harness.now += 1_000
    await harness.background()
    assert.equal(await count(), 0)
    let due = 0
    for await (const page of harness.records.scan(oidcDue.under(0))) due += page.length
    assert.equal(due, 2, 'the two keys')
  })

  it('says yes to what is no token (any more), and no to a client that has no part in it', async () => {
    const { harness, client, other, open } = await withClients()
    const tokens = await signIn(harness, client)
    for (const token of ['x', 'x'.repeat(1_000_000), tokens.id, 'hvo_refresh_'])
      assert.deepEqual([(await revoke(harness, client, token)).status], [200], token.slice(0, 20))
    for (const stranger of [other, open])
      for (const token of [tokens.access, tokens.refresh])
        assert.deepEqual(errorOf(await revoke(harness, stranger, token)), [400, 'invalid_grant'])
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    for (const token of [tokens.access, tokens.refresh])
      assert.equal((await revoke(harness, client, token, {}, 'second')).status, 200)
    assert.deepEqual(await userinfo(harness, tokens.access), ALIVE)
    tokensOf(await refresh(harness, client, tokens.refresh))
  })

  it('is for public clients, too: they have nothing but the token to prove who they are', async () => {
    const { harness } = await withClients()
    const client = await makeClient(harness, 'spa', { client_type: 'public', allow_refresh: true })
    const verifier = 'v'.repeat(43)
    const code = await codeFor(harness, client, {
      scope: 'openid offline_access',
      code_challenge: verifier,
    })
    const tokens = tokensOf(await exchange(harness, client, code, { code_verifier: verifier }))
    assert.equal((await revoke(harness, client, tokens.refresh)).status, 200)
    assert.deepEqual(await userinfo(harness, tokens.access), DEAD)
  })

  it('and introspection refuse what is wrong, missing or doubled, and change nothing', async () => {
    const { harness, client, open } = await withClients()
    const { access } = await signIn(harness, client)
    for (const endpoint of ['revoke', 'introspect']) {
      const ask = (body: Readonly<Record<string, Json>>, provider?: string) =>
        clientAsks(harness, client, endpoint, { token: access, ...body }, provider)
      for (const [answer, ...wanted] of [
        [await ask({ token: '' }), 400, 'invalid_request'],
        [await ask({ token: `${access},${access}` }), 400, 'invalid_request'],
        [await ask({ client_id: '' }), 400, 'invalid_request'],
        [await ask({ client_id: 'nobody' }), 401, 'invalid_client'],
        [await ask({ client_secret: 'wrong' }), 401, 'invalid_client'],
        [await ask({ client_secret: `${client.secret},${client.secret}` }), 401, 'invalid_client'],
        [await ask({}, 'missing'), 400, 'invalid_request'],
      ] as const)
        assert.deepEqual(errorOf(answer), wanted)
    }
    const unproven = await introspect(harness, open, access)
    assert.deepEqual(errorOf(unproven), [401, 'invalid_client'])
    assert.equal(unproven.headers['WWW-Authenticate'], 'Basic')
    assert.deepEqual(await userinfo(harness, access), ALIVE)
  })
})

describe('introspection', () => {
  it('tells a resource server what an access token is worth, and whose it is', async () => {
    const { harness, client, other } = await withClients()
    await must(harness, 'oidc/scope/team', { template: '{"team": "red"}' })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'team' })
    const { access } = await signIn(harness, client, { scope: 'openid team unknown' })
    const { status, data, headers } = await introspect(harness, other, access)
    const iat = Math.floor(harness.now / 1000)
    assert.equal(status, 200)
    assert.equal(headers['Cache-Control'], 'no-store')
    assert.match(data['jti'], /^[0-9a-f-]{36}$/)
    assert.deepEqual(data, {
      active: true,
      iss: ISSUER,
      sub: harness.entityId,
      aud: client.id,
      client_id: client.id,
      username: 'ann',
      scope: 'openid team',
      token_type: 'Bearer',
      iat,
      exp: iat + 3600,
      jti: data['jti'],
    })
    harness.now += 3_600_000
    assert.deepEqual((await introspect(harness, other, access)).data, INACTIVE)
  })

  it('tells only its own client of a refresh token, and only of the current one', async () => {
    const { harness, client, other } = await withClients()
    const first = await signIn(harness, client)
    const { data } = await introspect(harness, client, first.refresh)
    const iat = Math.floor(harness.now / 1000)
    assert.deepEqual(
      [data['active'], data['scope'], data['exp'], data['token_type']],
      [true, 'openid offline_access', iat + 7 * 86_400, undefined],
    )
    assert.deepEqual((await introspect(harness, other, first.refresh)).data, INACTIVE)
    const second = tokensOf(await refresh(harness, client, first.refresh))
    assert.deepEqual((await introspect(harness, client, first.refresh)).data, INACTIVE)
    assert.equal((await introspect(harness, client, second.refresh)).data['active'], true)
  })

  it('knows the token that a client was given for itself, and its revocation', async () => {
    const { harness, client, other } = await withClients()
    const token = await ownToken(harness, client)
    const { data } = await introspect(harness, other, token)
    assert.deepEqual(
      [data['active'], data['sub'], data['client_id'], data['username']],
      [true, client.id, client.id, undefined],
    )
    const [head, payload, signature] = token.split('.') as [string, string, string]
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    for (const forged of [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${head}.${payload}.${'A'.repeat(signature.length)}`,
      `${head}.${payload}`,
    ])
      assert.deepEqual((await introspect(harness, other, forged)).data, INACTIVE)
    assert.deepEqual(errorOf(await revoke(harness, other, token)), [400, 'invalid_grant'])
    assert.equal((await revoke(harness, client, token)).status, 200)
    assert.deepEqual((await introspect(harness, other, token)).data, INACTIVE)
    const late = await ownToken(harness, client)
    harness.now += 86_400_000
    assert.deepEqual((await introspect(harness, other, late)).data, INACTIVE)
  })

  it('calls inactive, without a reason, whatever is no token of the provider', async () => {
    const { harness, client, other } = await withClients()
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    const tokens = await signIn(harness, client)
    const own = await ownToken(harness, client)
    for (const text of ['x', '..', tokens.id])
      assert.deepEqual((await introspect(harness, other, text)).data, INACTIVE)
    for (const text of [tokens.access, tokens.refresh, own])
      assert.deepEqual((await introspect(harness, client, text, 'second')).data, INACTIVE)
  })

  it('calls inactive what userinfo refuses', async () => {
    const { harness, client, other } = await withClients()
    const { access, refresh: token } = await signIn(harness, client)
    const active = async (): Promise<readonly unknown[]> => [
      (await introspect(harness, other, access)).data['active'],
      (await introspect(harness, client, token)).data['active'],
    ]
    assert.deepEqual(await active(), [true, true])
    for (const [path, bar, unbar] of [
      [`entity/id/${harness.entityId}`, { disabled: true }, { disabled: false }],
      ['oidc/client/app', { assignments: '' }, { assignments: 'allow_all' }],
    ] as const) {
      await must(harness, path, bar)
      assert.deepEqual(await active(), [false, false], path)
      await must(harness, path, unbar)
      assert.deepEqual(await active(), [true, true], path)
    }
    await must(harness, 'oidc/provider/default', { allowed_client_ids: [other.id] })
    assert.deepEqual((await introspect(harness, other, access)).data, INACTIVE)
    await must(harness, 'oidc/provider/default', { allowed_client_ids: '*' })
    await harness.request('delete', 'oidc/client/app')
    assert.deepEqual((await introspect(harness, other, access)).data, INACTIVE)
  })

  it('takes the credentials of the client as Basic', async () => {
    const { harness, client, other } = await withClients()
    const { access } = await signIn(harness, client)
    const basic = Buffer.from(`${other.id}:${other.secret}`).toString('base64')
    const path = 'oidc/provider/default/introspect'
    const headers = { authorization: `Basic ${basic}` }
    const { data } = await harness.request('update', path, { token: access }, { headers })
    assert.equal(data['active'], true)
    const held = bearer(harness, access)
    const refused = await harness.request('update', path, { token: access }, held)
    assert.deepEqual(errorOf(refused), [400, 'invalid_request'])
  })
})
