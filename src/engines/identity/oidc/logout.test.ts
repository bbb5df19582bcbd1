import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../../std/json.ts'
import type { Answer } from '../testing.ts'
import type { OidcHarness, Tokens } from './testing.ts'
import {
  createOidcHarness,
  makeClient,
  must,
  partOf,
  refresh,
  signIn,
  tokensOf,
  userinfo,
} from './testing.ts'

const BYE = 'https://app.example/bye?from=signet'

const withClients = async () => {
  const harness = await createOidcHarness()
  const body = { allow_refresh: true, post_logout_redirect_uris: BYE }
  const client = await makeClient(harness, 'app', body)
  const other = await makeClient(harness, 'other', body)
  return { harness, client, other, tokens: await signIn(harness, client) }
}

const logOut = (
  harness: OidcHarness,
  tokens: Pick<Tokens, 'id'>,
  body: Readonly<Record<string, Json>> = {},
  provider = 'default',
): Promise<Answer> =>
  harness.request('read', `oidc/provider/${provider}/logout`, {
    id_token_hint: tokens.id,
    post_logout_redirect_uri: BYE,
    ...body,
  })

const errorOf = ({ status, data }: Answer): readonly unknown[] => [status, data['error']]

describe('logout', () => {
  it('ends the sign-in session and what the client got of it, and sends the browser back', async () => {
    const { harness, client, other, tokens } = await withClients()
    const kept = await signIn(harness, other)
    const answer = await logOut(harness, tokens, { client_id: client.id, state: 'a b&c' })
    assert.deepEqual(
      [answer.status, answer.headers],
      [302, { 'Cache-Control': 'no-store', Location: `${BYE}&state=a%20b%26c` }],
    )
    assert.deepEqual(harness.endedSessions, [partOf(tokens.id, 1)['sid']])
    assert.deepEqual(await userinfo(harness, tokens.access), [401, 'access token was revoked'])
    assert.equal((await refresh(harness, client, tokens.refresh)).data['error'], 'invalid_grant')
    tokensOf(await refresh(harness, other, kept.refresh))
    const again = await logOut(harness, tokens)
    assert.deepEqual([again.status, again.headers['Location']], [302, BYE])
  })

  it('takes an ID token that has expired, and one that is signed with an earlier key', async () => {
    const { harness, tokens } = await withClients()
    await must(harness, 'oidc/key/ck/rotate')
    harness.now += 86_000_000
    assert.equal((await logOut(harness, tokens)).status, 302)
  })

  it('refuses addresses that are not the client’s letter by letter, and ends nothing', async () => {
    const { harness, client, tokens } = await withClients()
    for (const uri of [
      `${BYE}/`,
      `${BYE}&x`,
      BYE.toUpperCase(),
      'https://app.example/bye',
      'https://app.example.evil.example/bye?from=signet',
      'http://app.example/bye?from=signet',
      `${BYE},${BYE}`,
      'x'.repeat(100_000),
    ]) {
      const refused = await logOut(harness, tokens, { post_logout_redirect_uri: uri })
      assert.deepEqual(errorOf(refused), [400, 'invalid_request'])
      assert.equal(refused.headers['Location'], undefined)
    }
    assert.deepEqual(harness.endedSessions, [])
    tokensOf(await refresh(harness, client, tokens.refresh))
  })

  it('refuses hints that are none, and other wrong parameters, and ends nothing', async () => {
    const { harness, client, other, tokens } = await withClients()
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    const [head, payload, signature] = tokens.id.split('.') as [string, string, string]
    const encode = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = encode({ ...partOf(tokens.id, 1), sid: 'another' })
    const bodies: readonly (readonly [Readonly<Record<string, Json>>, string?])[] = [
      [{ id_token_hint: '' }],
      [{ id_token_hint: 'x' }],
      [{ id_token_hint: `${tokens.id},${tokens.id}` }],
      [{ id_token_hint: `${head}.${payload}.` }],
      [{ id_token_hint: `${head}.${forged}.${signature}` }],
      [{ id_token_hint: `${encode({ alg: 'none' })}.${payload}.` }],
      [{ id_token_hint: `${encode({ alg: 'HS256' })}.${payload}.${signature}` }],
      [{ id_token_hint: tokens.access }],
      [{ id_token_hint: 'x'.repeat(1_000_000) }],
      [{ client_id: other.id }],
      [{ client_id: 'nobody' }],
      [{ state: 'x'.repeat(4_097) }],
      [{}, 'second'],
      [{}, 'missing'],
    ]
    for (const [body, provider] of bodies)
      assert.deepEqual(errorOf(await logOut(harness, tokens, body, provider)), [
        400,
        'invalid_request',
      ])
    assert.deepEqual(harness.endedSessions, [])
    tokensOf(await refresh(harness, client, tokens.refresh))
    await harness.request('delete', 'oidc/client/app')
    assert.deepEqual(errorOf(await logOut(harness, tokens)), [400, 'invalid_request'])
  })

  it('refuses the ID token of a client that has no sessions to end', async () => {
    const { harness } = await withClients()
    const plain = await makeClient(harness, 'plain')
    const tokens = await signIn(harness, plain)
    const refused = await logOut(harness, tokens, { post_logout_redirect_uri: '' })
    assert.deepEqual(errorOf(refused), [400, 'invalid_request'])
  })

  it('keeps a state that is no text of Unicode from breaking the address', async () => {
    const { harness, tokens } = await withClients()
    const answer = await logOut(harness, tokens, { state: '\ud800\r\nX: y' })
    assert.equal(answer.headers['Location'], `${BYE}&state=%EF%BF%BD%0D%0AX%3A%20y`)
  })
})

describe('addresses for after a logout', () => {
  it('are absolute, without fragment, and lead away', async () => {
    const harness = await createOidcHarness()
    await makeClient(harness, 'app')
    for (const uri of [
      '/bye',
      'bye',
      'https://a.example/#x',
      'https://a.example/ x',
      'https://a.example/\r\nX: y',
      'https://ä.example/',
      'javascript:alert(1)',
      'JavaScript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
    ]) {
      const body = { post_logout_redirect_uris: [uri] }
      const refused = await harness.request('update', 'oidc/client/app', body)
      assert.match(refused.error, /^invalid post_logout_redirect_uri /, uri)
    }
    const uris = ['com.example.app:/bye', 'http://127.0.0.1:3000/', 'https://a.example/?x=1']
    await must(harness, 'oidc/client/app', { post_logout_redirect_uris: uris })
    const { data } = await harness.request('read', 'oidc/client/app')
    assert.deepEqual(data['post_logout_redirect_uris'], uris)
  })
})
