import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { createHarness, interleaved } from '../testing.ts'
import {
  REDIRECT,
  authorize,
  bearer,
  codeFor,
  createOidcHarness,
  exchange,
  makeClient,
  must,
  partOf,
} from './testing.ts'

const ISSUER = 'https://signet.example:8200/v1/identity/oidc/provider/default'
const SPENT = {
  error: 'invalid_grant',
  error_description: 'authorization grant is invalid or expired',
}
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

const half = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

describe('the authorization code flow', () => {
  it('gives an ID token that jose verifies, bound to code and access token, and userinfo', async () => {
    const harness = await createOidcHarness()
    await must(harness, 'oidc/scope/team', {
      template: '{"team": {{identity.entity.metadata.team}}}',
    })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'team' })
    const client = await makeClient(harness, 'app')
    const code = await codeFor(harness, client, {
      scope: 'openid team unknown',
      nonce: 'n1',
      max_age: 60,
    })
    const { status, data, headers } = await exchange(harness, client, code)
    assert.equal(status, 200)
    assert.deepEqual(headers, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
    assert.deepEqual([data['token_type'], data['expires_in']], ['Bearer', 86_400])
    const keys = await harness.request('read', 'oidc/provider/default/.well-known/keys')
    const { payload } = await jwtVerify(
      data['id_token'],
      createLocalJWKSet(keys.data as unknown as JSONWebKeySet),
      { issuer: ISSUER, audience: client.id, currentDate: new Date(harness.now) },
    )
    const iat = Math.floor(harness.now / 1000)
    assert.deepEqual(payload, {
      iss: ISSUER,
      namespace: 'root',
      sub: harness.entityId,
      aud: client.id,
      iat,
      exp: iat + 86_400,
      nonce: 'n1',
      auth_time: iat,
      at_hash: half(data['access_token']),
      c_hash: half(code),
      team: 'red',
    })
    const sender = bearer(harness, data['access_token'])
    const info = await harness.request('read', 'oidc/provider/default/userinfo', {}, sender)
    assert.deepEqual([info.status, info.data], [200, { team: 'red', sub: harness.entityId }])
  })

  it('takes a code once: a second time, after another client, after any failure it is gone', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const other = await makeClient(harness, 'other')
    const code = await codeFor(harness, client)
    assert.equal((await exchange(harness, client, code)).status, 200)
    assert.deepEqual((await exchange(harness, client, code)).data, SPENT)
    for (const [spoil, description] of [
      [
        (text: string) => exchange(harness, other, text),
        'authorization code was not issued to the client',
      ],
      [
        (text: string) => exchange(harness, client, text, { redirect_uri: `${REDIRECT}/` }),
        'redirect_uri does not match the redirect_uri used in the authorization request',
      ],
      [
        (text: string) => exchange(harness, client, text, { redirect_uri: '' }),
        'redirect_uri parameter is required',
      ],
      [
        (text: string) => exchange(harness, client, text, { code_verifier: VERIFIER }),
        'unexpected code_verifier for token exchange',
      ],
    ] as const) {
      const fresh = await codeFor(harness, client)
      const refused = await spoil(fresh)
      assert.equal(refused.data['error_description'], description)
      assert.deepEqual((await exchange(harness, client, fresh)).data, SPENT, description)
    }
  })

  it('keeps a code from a client that fails to prove who it is', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const code = await codeFor(harness, client)
    for (const secret of ['', 'wrong', `${client.secret}x`, client.secret.slice(0, -1)]) {
      const refused = await exchange(harness, { ...client, secret }, code)
      assert.deepEqual([refused.status, refused.data['error']], [401, 'invalid_client'])
      assert.equal(refused.headers['WWW-Authenticate'], 'Basic')
    }
    assert.equal((await exchange(harness, client, code)).status, 200)
  })

  it('refuses a code of another provider, and one that is five minutes old', async () => {
    const harness = await createOidcHarness()
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    const client = await makeClient(harness, 'app')
    const foreign = await exchange(harness, client, await codeFor(harness, client, {}, 'second'))
    assert.equal(
      foreign.data['error_description'],
      'authorization code was not issued by the provider',
    )
    const code = await codeFor(harness, client)
    harness.now += 299_999
    const late = await codeFor(harness, client)
    harness.now += 1
    assert.deepEqual((await exchange(harness, client, code)).data, SPENT)
    assert.equal((await exchange(harness, client, late)).status, 200)
  })

  it('gives tokens to one of many requests with one code, at whichever process', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const store = createMemoryStore()
      const harness = await createOidcHarness(() => store)
      const client = await makeClient(harness, 'app')
      const code = await codeFor(harness, client)
      const answers = await Promise.all(
        [1, 2, 3, 4].map((number) =>
          exchange(
            createHarness(() => interleaved(seed * 10 + number)(store)),
            client,
            code,
          ),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
      assert.deepEqual(statuses, [200, 400, 400, 400], `seed ${seed}`)
    }
  })

  it('drops codes that nobody used', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    await codeFor(harness, client)
    const codes = async (): Promise<number> => {
      let count = 0
      const { oidcCodes } = await import('./records.ts')
      for await (const page of harness.records.scan(oidcCodes.under(0))) count += page.length
      return count
    }
    await harness.background()
    assert.equal(await codes(), 1)
    harness.now += 300_000
    await harness.background()
    assert.equal(await codes(), 0)
  })

  it('ends with the entity, its assignment and its client', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const tokens = await exchange(harness, client, await codeFor(harness, client))
    const info = async (): Promise<readonly unknown[]> => {
      const sender = bearer(harness, tokens.data['access_token'])
      const answer = await harness.request('read', 'oidc/provider/default/userinfo', {}, sender)
      return [answer.status, answer.data['error_description']]
    }
    const code = await codeFor(harness, client)
    await must(harness, 'oidc/assignment/few', { entity_ids: 'someone' })
    await must(harness, 'oidc/client/app', { assignments: 'few' })
    const unassigned = 'identity entity not authorized by client assignment'
    assert.equal((await exchange(harness, client, code)).data['error_description'], unassigned)
    assert.deepEqual(await info(), [403, unassigned])
    await must(harness, 'oidc/assignment/few', { entity_ids: harness.entityId })
    assert.deepEqual(await info(), [200, undefined])
    await must(harness, 'oidc/provider/default', { allowed_client_ids: 'other' })
    assert.deepEqual(await info(), [403, 'client is not authorized to use the provider'])
    await harness.request('delete', 'oidc/client/app')
    assert.deepEqual(await info(), [403, 'client not found'])
    await harness.request('delete', `entity/id/${harness.entityId}`)
    await makeClient(harness, 'app')
    assert.deepEqual(await info(), [403, 'client not found'])
  })

  it('lets in by groups, direct and inherited, and speaks for the survivor of a merge', async () => {
    const harness = await createOidcHarness()
    const { data: team } = await must(harness, 'group', {
      name: 'team',
      member_entity_ids: [harness.entityId],
    })
    const { data: org } = await must(harness, 'group', {
      name: 'org',
      member_group_ids: [team['id']],
    })
    await must(harness, 'oidc/assignment/org', { group_ids: org['id'] })
    const client = await makeClient(harness, 'app', { assignments: 'org' })
    const code = await codeFor(harness, client)
    const { data: survivor } = await must(harness, 'entity', { name: 'survivor' })
    await must(harness, 'entity/merge', {
      to_entity_id: survivor['id'],
      from_entity_ids: harness.entityId,
    })
    const tokens = await exchange(harness, client, code)
    assert.equal(partOf(tokens.data['id_token'], 1)['sub'], survivor['id'])
  })
})

describe('PKCE', () => {
  it('binds a code to its verifier and cannot be left out on either side', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app', { client_type: 'public' })
    assert.equal(
      (await authorize(harness, client)).data['error_description'],
      'PKCE is required for public clients',
    )
    const code = (): Promise<string> =>
      codeFor(harness, client, { code_challenge: CHALLENGE, code_challenge_method: 'S256' })
    const tryWith = async (body: Readonly<Record<string, string>>): Promise<unknown> =>
      (await exchange(harness, client, await code(), body)).data['error_description']
    const wrong = 'invalid code_verifier for token exchange'
    assert.equal(await tryWith({}), 'expected code_verifier for token exchange')
    assert.equal(await tryWith({ code_verifier: '' }), 'expected code_verifier for token exchange')
    assert.equal(await tryWith({ code_verifier: CHALLENGE }), wrong)
    assert.equal(await tryWith({ code_verifier: `${VERIFIER}=` }), wrong)
    assert.equal(await tryWith({ code_verifier: VERIFIER }), undefined)
  })

  it('is bound into codes of confidential clients, too', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const code = await codeFor(harness, client, { code_challenge: CHALLENGE })
    const refused = await exchange(harness, client, code, { code_verifier: VERIFIER })
    assert.equal(refused.data['error'], 'invalid_grant')
  })

  it('refuses methods and challenges that are none', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app', { client_type: 'public' })
    for (const body of [
      { code_challenge: CHALLENGE, code_challenge_method: 's256' },
      { code_challenge: CHALLENGE, code_challenge_method: 'none' },
      { code_challenge: '' },
      { code_challenge: 'a'.repeat(42) },
      { code_challenge: 'a'.repeat(129) },
    ]) {
      assert.match(
        (await authorize(harness, client, body)).data['error_description'],
        /^invalid code_challenge/,
      )
    }
  })
})

describe('token requests', () => {
  it('take the secret as Basic, plain or form-encoded, and as one client only', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const send = async (
      authorization: string | readonly string[],
      body: Readonly<Record<string, string>> = {},
    ): Promise<number> => {
      const form = {
        grant_type: 'authorization_code',
        code: await codeFor(harness, client),
        redirect_uri: REDIRECT,
        ...body,
      }
      const path = 'oidc/provider/default/token'
      return (await harness.request('update', path, form, { headers: { authorization } })).status
    }
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
    const encoded = client.secret.replaceAll('_', '%5F')
    assert.equal(await send(basic(`${client.id}:${client.secret}`)), 200)
    assert.equal(await send(basic(`${client.id}:${encoded}`)), 200)
    assert.equal(await send(basic(`${client.id}:${encoded}%`)), 401)
    assert.equal(await send(basic(`${client.id}:`)), 401)
    assert.equal(await send(basic(client.id)), 400)
    assert.equal(await send(basic(`${client.id}:${client.secret}`), { client_id: 'other' }), 401)
    assert.equal(await send([basic(`${client.id}:${client.secret}`), basic('a:b')]), 401)
    assert.equal(await send('Basic !!!'), 400)
  })

  it('refuse parameters sent twice: nothing is granted', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const code = await codeFor(harness, client)
    // A form joins what is sent twice with a comma.
    for (const body of [
      { code: `${code},${code}` },
      { client_id: `${client.id},${client.id}` },
      { grant_type: 'authorization_code,authorization_code' },
      { client_secret: `${client.secret},${client.secret}` },
    ]) {
      const { status, data } = await exchange(harness, client, code, body)
      assert.ok(status === 400 || status === 401)
      assert.equal(data['access_token'], undefined)
    }
    for (const name of ['client_id', 'redirect_uri', 'state', 'nonce', 'scope', 'code_challenge']) {
      const twice = await authorize(harness, client, { [name]: ['a', 'b'] })
      assert.equal(twice.status, 400)
      assert.match(twice.error, new RegExp(`^Field validation failed: .*"${name}"`))
    }
  })

  it('refuse an authorization request that is too long to keep', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const { status, data } = await authorize(harness, client, { nonce: 'n'.repeat(20_000) })
    assert.deepEqual([status, data['error']], [400, 'invalid_request'])
  })

  it('give a confidential client a token of its own, and a public one none', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app', { client_credentials: true, id_token_ttl: 60 })
    const open = await makeClient(harness, 'open', {
      client_credentials: true,
      client_type: 'public',
    })
    await must(harness, 'oidc/scope/who', { template: '{"who": {{identity.entity.name}}}' })
    await must(harness, 'oidc/scope/fixed', { template: '{"kind": "machine"}' })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'who,fixed' })
    const grant = { grant_type: 'client_credentials', scope: 'openid who fixed' }
    const { data } = await exchange(harness, client, '', grant)
    const claims = partOf(data['access_token'], 1)
    assert.deepEqual(
      [claims['sub'], claims['aud'], claims['kind'], claims['who'], data['expires_in']],
      [client.id, client.id, 'machine', undefined, 60],
    )
    assert.equal(typeof claims['jti'], 'string')
    const refused = await exchange(harness, open, '', grant)
    assert.equal(refused.data['error'], 'invalid_grant')
  })

  it('refuse scopes that set one claim twice', async () => {
    const harness = await createOidcHarness()
    await must(harness, 'oidc/scope/a', { template: '{"x": 1}' })
    await must(harness, 'oidc/scope/b', { template: '{"x": 2}' })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'a,b' })
    const client = await makeClient(harness, 'app')
    const code = await codeFor(harness, client, { scope: 'openid a b' })
    assert.equal(
      (await exchange(harness, client, code)).data['error_description'],
      'found scopes with conflicting top-level claim: claim "x" in scopes "a", "b"',
    )
    const one = await codeFor(harness, client, { scope: 'openid a' })
    assert.equal((await exchange(harness, client, one)).status, 200)
  })

  it('sign with the next key when the time of the present one is over, and lose no code to that', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const keys = async (): Promise<readonly { readonly kid: string }[]> =>
      (await harness.request('read', 'oidc/provider/default/.well-known/keys')).data['keys']
    const [, second] = await keys()
    harness.now += 86_400_000
    const tokens = await exchange(harness, client, await codeFor(harness, client))
    assert.equal(partOf(tokens.data['id_token'], 0)['kid'], second!.kid)
    assert.equal((await keys()).length, 3)
  })
})

describe('userinfo', () => {
  it('takes only access tokens, only as Bearer', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const { data } = await exchange(harness, client, await codeFor(harness, client))
    const { caller, headers } = bearer(harness, data['access_token'])
    const ask = async (sender: Parameters<typeof harness.request>[3]): Promise<unknown> => {
      const answer = await harness.request('read', 'oidc/provider/default/userinfo', {}, sender)
      return answer.data['error_description']
    }
    assert.equal(await ask({ caller: caller!, headers: headers! }), undefined)
    const notBearer = 'access token must be sent as a Bearer token'
    const text = data['access_token'] as string
    assert.equal(await ask({ caller: caller!, headers: { 'x-vault-token': text } }), notBearer)
    assert.equal(
      await ask({ caller: caller!, headers: { ...headers, 'x-vault-token': text } }),
      notBearer,
    )
    assert.equal(
      await ask({ caller: harness.caller, headers: headers! }),
      'access token is malformed or invalid',
    )
  })

  it('lets an access token do nothing else', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const { data } = await exchange(harness, client, await codeFor(harness, client))
    const token = harness.callers.get(bearer(harness, data['access_token']).caller!)!
    assert.deepEqual(token.record.policies, [])
    assert.deepEqual(
      token.record.only?.policy,
      'path "identity/oidc/provider/default/userinfo" { capabilities = ["read", "update"] }',
    )
    assert.equal(token.record.renewable, false)
  })
})

describe('clients, scopes and assignments', () => {
  it('cannot be deleted under what refers to them at the same moment', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const harness = createHarness(interleaved(seed))
      await must(harness, 'oidc/key/k', { algorithm: 'EdDSA' })
      await must(harness, 'oidc/assignment/a')
      const client = { key: 'k', assignments: 'a' }
      const [made, deleted] = await Promise.all([
        harness.request('update', 'oidc/client/c', client),
        harness.request('delete', 'oidc/assignment/a'),
      ])
      assert.equal(Number(made.status === 204) + Number(deleted.status === 204), 1, `seed ${seed}`)
    }
  })

  it('draw one client id and secret, however many make the client at once', async () => {
    const harness = createHarness(interleaved(3))
    await must(harness, 'oidc/key/k', { algorithm: 'EdDSA' })
    await Promise.all([1, 2, 3].map(() => harness.request('update', 'oidc/client/c', { key: 'k' })))
    const { data } = await harness.request('read', 'oidc/client/c')
    assert.match(data['client_secret'], /^hvo_secret_[0-9A-Za-z]{64}$/)
    assert.match((await harness.request('delete', 'oidc/key/k')).error, /these clients: c$/)
    await harness.request('delete', 'oidc/client/c')
    assert.equal((await harness.request('delete', 'oidc/key/k')).status, 204)
  })

  it('are refused when there are too many of them or they are too large', async () => {
    const harness = await createOidcHarness()
    const many = Array.from({ length: 65 }, (_, index) => `a${index}`)
    const refused = await harness.request('update', 'oidc/client/c', { assignments: many })
    assert.match(refused.error, /at most 64 assignments/)
    const large = await harness.request('update', 'oidc/assignment/a', {
      entity_ids: ['x'.repeat(200_000)],
    })
    assert.equal(large.status, 400)
  })
})
