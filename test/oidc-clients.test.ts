import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { JSONWebKeySet } from 'jose'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import type { TestServer } from './support/server.ts'
import { startTestServer } from './support/server.ts'
import type { TestTls } from './support/tls.ts'
import { createTls, fetchTls } from './support/tls.ts'

const REDIRECT = 'https://app.example/cb'
const BYE = 'https://app.example/bye'
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** What `npm` gives to everybody who builds an application, against a server over TLS. */
describe('openid-client', () => {
  let tls: TestTls
  let server: TestServer
  let base = ''
  let issuer = ''
  let token = ''
  let entityId = ''

  const api = async (
    path: string,
    body?: unknown,
    using = 'root',
    method = body === undefined ? 'GET' : 'POST',
  ) => {
    const answer = await fetchTls(`${base}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': using, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.ok(answer.status < 300, `${path}: ${answer.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, any>)
  }

  before(async () => {
    tls = createTls()
    server = await startTestServer({
      configure: (config) => ({
        ...config,
        listeners: config.listeners.map((listener) =>
          listener.kind === 'tcp' ? { ...listener, tls: tls.tls } : listener,
        ),
      }),
    })
    base = `https://127.0.0.1:${server.port}`
    await api('sys/auth/people', { type: 'userpass' })
    await api('auth/people/users/ann', { password: 'secret' })
    const { auth } = await api('auth/people/login/ann', { password: 'secret' })
    token = auth.client_token
    entityId = auth.entity_id
    await api('identity/group', { name: 'ops', member_entity_ids: [entityId] })
    await api('identity/oidc/scope/groups', {
      template: '{"groups": {{identity.entity.groups.names}}}',
    })
    await api('identity/oidc/key/signing', { algorithm: 'ES256', allowed_client_ids: '*' })
    await api('identity/oidc/provider/idp', { allowed_client_ids: '*', scopes_supported: 'groups' })
    issuer = `${base}/v1/identity/oidc/provider/idp`
  })
  after(async () => {
    await server.stop()
    tls.remove()
  })

  type Authentication = (secret: string) => oidc.ClientAuth

  const makeClient = async (
    name: string,
    authentication: Authentication,
    body: object = {},
  ): Promise<oidc.Configuration> => {
    await api(`identity/oidc/client/${name}`, {
      key: 'signing',
      redirect_uris: REDIRECT,
      assignments: 'allow_all',
      allow_refresh: true,
      device_code: true,
      post_logout_redirect_uris: BYE,
      ...body,
    })
    const { data } = await api(`identity/oidc/client/${name}`)
    const config = await oidc.discovery(
      new URL(issuer),
      data['client_id'],
      undefined,
      authentication(data['client_secret'] ?? ''),
      { [oidc.customFetch]: fetchTls as oidc.CustomFetch },
    )
    oidc.enableNonRepudiationChecks(config)
    return config
  }

  /** The sign-in that a browser would do, up to the client's redirect URI. */
  const signIn = async (config: oidc.Configuration, scope = 'openid groups offline_access') => {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
    const asked = oidc.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT,
      scope,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
    })
    assert.equal(
      asked.origin + asked.pathname,
      `${base}/ui/vault/identity/oidc/provider/idp/authorize`,
    )
    const { code, state } = await api(
      `identity/oidc/provider/idp/authorize${asked.search}`,
      undefined,
      token,
    )
    const back = new URL(`${REDIRECT}?${new URLSearchParams({ code, state }).toString()}`)
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
    return oidc.authorizationCodeGrant(config, back, checks)
  }

  const refused =
    (error: string, status = 400) =>
    (thrown: unknown) => {
      assert.ok(thrown instanceof oidc.ResponseBodyError, String(thrown))
      assert.deepEqual([thrown.error, thrown.status], [error, status])
      return true
    }

  for (const [name, authentication, body] of [
    ['post', oidc.ClientSecretPost, {}],
    ['basic', oidc.ClientSecretBasic, {}],
    ['public', () => oidc.None(), { client_type: 'public' }],
  ] as const) {
    it(`signs somebody in with code, PKCE and refresh tokens (client of type ${name})`, async () => {
      const config = await makeClient(name, authentication, body)
      assert.equal(config.serverMetadata().supportsPKCE(), true)
      const first = await signIn(config)
      assert.equal(first.claims()?.sub, entityId)
      assert.deepEqual(first.claims()?.['groups'], ['ops'])
      const info = await oidc.fetchUserInfo(config, first.access_token, entityId)
      assert.deepEqual(info['groups'], ['ops'])
      const second = await oidc.refreshTokenGrant(config, first.refresh_token!)
      assert.equal(second.claims()?.sub, entityId)
      assert.equal(second.claims()?.['sid'], first.claims()?.['sid'])
      assert.equal(second.scope, 'openid groups offline_access')
      const again = await oidc.refreshTokenGrant(config, first.refresh_token!)
      assert.equal(again.refresh_token, second.refresh_token)
      const third = await oidc.refreshTokenGrant(config, second.refresh_token!)
      await assert.rejects(
        oidc.refreshTokenGrant(config, first.refresh_token!),
        refused('invalid_grant'),
      )
      await assert.rejects(
        oidc.refreshTokenGrant(config, third.refresh_token!),
        refused('invalid_grant'),
      )
    })
  }

  it('verifies ID tokens by jose and the published keys', async () => {
    const config = await makeClient('verified', oidc.ClientSecretPost)
    const { id_token: idToken = '' } = await signIn(config)
    const answer = await fetchTls(config.serverMetadata().jwks_uri!)
    const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet)
    const { client_id: audience } = config.clientMetadata()
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, { issuer, audience })
    assert.equal(protectedHeader.alg, 'ES256')
    assert.equal(payload.sub, entityId)
  })

  it('lets a device in', async () => {
    const config = await makeClient('tv', () => oidc.None(), { client_type: 'public' })
    const scope = 'openid groups offline_access'
    const asked = await oidc.initiateDeviceAuthorization(config, { scope })
    await assert.rejects(
      oidc.genericGrantRequest(config, DEVICE_GRANT, { device_code: asked.device_code }),
      refused('authorization_pending'),
    )
    await assert.rejects(
      oidc.genericGrantRequest(config, DEVICE_GRANT, { device_code: asked.device_code }),
      refused('slow_down'),
    )
    const page = 'identity/oidc/provider/idp/device'
    const { data } = await api(`${page}?user_code=${asked.user_code}`, undefined, token)
    assert.deepEqual([data['client_name'], data['remote_address']], ['tv', '127.0.0.1'])
    await api(page, { user_code: asked.user_code, decision: 'approve' }, token)
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...asked, interval: 0 })
    assert.equal(tokens.claims()?.sub, entityId)
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!)
    await oidc.fetchUserInfo(config, next.access_token, entityId)
  })

  it('turns a device away', async () => {
    const config = await makeClient('radio', () => oidc.None(), { client_type: 'public' })
    const asked = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' })
    const body = { user_code: asked.user_code, decision: 'deny' }
    await api('identity/oidc/provider/idp/device', body, token)
    await assert.rejects(
      oidc.pollDeviceAuthorizationGrant(config, { ...asked, interval: 0 }),
      refused('access_denied'),
    )
  })

  it('introspects and revokes tokens', async () => {
    const config = await makeClient('app', oidc.ClientSecretBasic)
    const api2 = await makeClient('resource', oidc.ClientSecretPost)
    const tokens = await signIn(config)
    const seen = await oidc.tokenIntrospection(api2, tokens.access_token)
    assert.deepEqual(
      [seen.active, seen['username'], seen.scope],
      [true, (await api(`identity/entity/id/${entityId}`)).data.name, 'openid groups'],
    )
    for (const text of ['x', 'b.', 'b.AAAA', `${tokens.access_token}A`, 'root', token])
      assert.deepEqual(await oidc.tokenIntrospection(api2, text), { active: false })
    await assert.rejects(oidc.tokenRevocation(api2, tokens.access_token), refused('invalid_grant'))
    await oidc.tokenRevocation(config, tokens.access_token)
    assert.deepEqual(await oidc.tokenIntrospection(api2, tokens.access_token), { active: false })
    await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, entityId))
    const next = await oidc.refreshTokenGrant(config, tokens.refresh_token!)
    await oidc.tokenRevocation(config, next.refresh_token!, { token_type_hint: 'refresh_token' })
    await assert.rejects(
      oidc.refreshTokenGrant(config, next.refresh_token!),
      refused('invalid_grant'),
    )
    await assert.rejects(oidc.fetchUserInfo(config, next.access_token, entityId))
  })

  it('signs somebody out', async () => {
    const config = await makeClient('leaving', oidc.ClientSecretPost)
    const tokens = await signIn(config)
    const url = oidc.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token!,
      post_logout_redirect_uri: BYE,
      state: 's',
    })
    const answer = await fetchTls(url)
    assert.deepEqual([answer.status, answer.headers.get('location')], [302, `${BYE}?state=s`])
    await assert.rejects(
      oidc.refreshTokenGrant(config, tokens.refresh_token!),
      refused('invalid_grant'),
    )
    const here = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token! })
    const stays = await fetchTls(here)
    assert.deepEqual([stays.status, await stays.text()], [200, 'You are signed out.\n'])
    const doubled = await fetchTls(`${url.href}&state=t`)
    assert.deepEqual(
      [doubled.status, ((await doubled.json()) as { error: string }).error],
      [400, 'invalid_request'],
    )
  })

  it('is told in the form of OAuth that a parameter has no fitting type', async () => {
    for (const endpoint of ['revoke', 'introspect', 'device_authorization', 'logout']) {
      const answer = await fetchTls(`${issuer}/${endpoint}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"token": ["x"], "scope": ["x"], "state": ["x"]}',
      })
      const body = (await answer.json()) as { error: string }
      assert.deepEqual([answer.status, body.error], [400, 'invalid_request'], endpoint)
    }
  })

  it('leaves its sign-ins where an administrator sees and ends them', async () => {
    const config = await makeClient('listed', oidc.ClientSecretPost)
    const tokens = await signIn(config)
    const path = `identity/oidc/offline-session/entity/${entityId}`
    const { data } = await api(path, undefined, 'root', 'LIST')
    const names = Object.values(data['key_info'] as Record<string, { client_name: string }>)
    assert.ok(names.some(({ client_name: name }) => name === 'listed'))
    await api(path, undefined, 'root', 'DELETE')
    await assert.rejects(
      oidc.refreshTokenGrant(config, tokens.refresh_token!),
      refused('invalid_grant'),
    )
  })

  it('is refused at once when the person is disabled', async () => {
    const config = await makeClient('disabled', oidc.ClientSecretPost)
    const tokens = await signIn(config)
    await api(`identity/entity/id/${entityId}`, { disabled: true })
    await assert.rejects(
      oidc.refreshTokenGrant(config, tokens.refresh_token!),
      refused('invalid_grant'),
    )
    const { active } = await oidc.tokenIntrospection(config, tokens.access_token)
    assert.equal(active, false)
    await api(`identity/entity/id/${entityId}`, { disabled: false })
  })
})
