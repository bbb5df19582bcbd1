import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { createHarness, interleaved } from '../testing.ts'
import { oidcDue, oidcEntitySessions, oidcSessions, oidcSignInSessions } from './records.ts'
import type { OidcHarness } from './testing.ts'
import {
  authorize,
  codeFor,
  createOidcHarness,
  exchange,
  makeClient,
  must,
  partOf,
  refresh,
  signIn,
  tokensOf,
  userinfo,
} from './testing.ts'

const SPENT = {
  error: 'invalid_grant',
  error_description: 'refresh token is invalid, expired or revoked',
}
const DAY = 86_400_000
const ALIVE = [200, undefined]
const DEAD = [401, 'access token was revoked']

const withClient = async (body = {}) => {
  const harness = await createOidcHarness()
  const client = await makeClient(harness, 'app', { allow_refresh: true, ...body })
  return { harness, client }
}

const listed = async (harness: OidcHarness, entityId = harness.entityId) => {
  const { data } = await harness.request('list', `oidc/offline-session/entity/${entityId}`)
  return (data['keys'] ?? []) as readonly string[]
}

describe('refresh tokens', () => {
  it('come only by offline_access, to a client that is allowed them', async () => {
    const { harness, client } = await withClient()
    const plain = await exchange(harness, client, await codeFor(harness, client))
    assert.deepEqual(Object.keys(plain.data), [
      'token_type',
      'access_token',
      'id_token',
      'expires_in',
    ])
    const other = await makeClient(harness, 'other')
    const code = await codeFor(harness, other, { scope: 'openid offline_access' })
    const refused = await exchange(harness, other, code)
    assert.equal(refused.data['refresh_token'], undefined)
    assert.equal(partOf(refused.data['id_token'], 1)['sid'], undefined)
    const { data } = await exchange(
      harness,
      client,
      await codeFor(harness, client, { scope: 'openid offline_access' }),
    )
    assert.match(data['refresh_token'], /^hvo_refresh_[\w-]{86}$/)
    assert.equal(data['scope'], 'openid offline_access')
    assert.match(partOf(data['id_token'], 1)['sid'] as string, /^[0-9a-f]{32}$/)
  })

  it('give new tokens with claims, names and groups as they are now', async () => {
    const { harness, client } = await withClient()
    await must(harness, 'oidc/scope/who', {
      template:
        '{"groups": {{identity.entity.groups.names}}, "team": {{identity.entity.metadata.team}}}',
    })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'who' })
    const first = await signIn(harness, client, {
      scope: 'openid who offline_access',
      nonce: 'n',
      max_age: 60,
    })
    await must(harness, 'group', { name: 'ops', member_entity_ids: [harness.entityId] })
    await must(harness, `entity/id/${harness.entityId}`, { metadata: { team: 'blue' } })
    harness.now += 20_000
    const answer = await refresh(harness, client, first.refresh)
    assert.deepEqual(answer.headers, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
    assert.equal(answer.data['scope'], 'openid who offline_access')
    const [old, now] = [partOf(first.id, 1), partOf(tokensOf(answer).id, 1)]
    assert.deepEqual([now['groups'], now['team']], [['ops'], 'blue'])
    assert.deepEqual([now['nonce'], now['c_hash']], [undefined, undefined])
    for (const claim of ['iss', 'sub', 'aud', 'auth_time', 'sid'])
      assert.deepEqual(now[claim], old[claim], claim)
    assert.equal((now['iat'] as number) - (old['iat'] as number), 20)
    assert.deepEqual(await userinfo(harness, tokensOf(answer).access), ALIVE)
  })

  it('rotate, and give the same successor again for ten seconds', async () => {
    const { harness, client } = await withClient()
    const { refresh: first } = await signIn(harness, client)
    const second = tokensOf(await refresh(harness, client, first)).refresh
    assert.notEqual(second, first)
    harness.now += 9_999
    assert.equal(tokensOf(await refresh(harness, client, first)).refresh, second)
    const third = tokensOf(await refresh(harness, client, second)).refresh
    assert.equal(new Set([first, second, third]).size, 3)
  })

  it('end with their whole session when an old one comes: after the grace, or once the next was used', async () => {
    for (const late of [true, false]) {
      const { harness, client } = await withClient()
      const first = await signIn(harness, client)
      const second = tokensOf(await refresh(harness, client, first.refresh))
      let current = second
      if (late) harness.now += 10_000
      else current = tokensOf(await refresh(harness, client, second.refresh))
      assert.deepEqual((await refresh(harness, client, first.refresh)).data, SPENT)
      assert.deepEqual((await refresh(harness, client, current.refresh)).data, SPENT)
      for (const { access } of [first, second, current])
        assert.deepEqual(await userinfo(harness, access), DEAD)
      assert.deepEqual(await listed(harness), [])
    }
  })

  it('are refused to other clients and providers, which changes nothing', async () => {
    const { harness, client } = await withClient()
    const other = await makeClient(harness, 'other', { allow_refresh: true })
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    const { refresh: token } = await signIn(harness, client)
    assert.deepEqual((await refresh(harness, other, token)).data, SPENT)
    assert.deepEqual((await refresh(harness, client, token, {}, 'second')).data, SPENT)
    const unproven = await refresh(harness, { ...client, secret: 'wrong' }, token)
    assert.deepEqual([unproven.status, unproven.data['error']], [401, 'invalid_client'])
    tokensOf(await refresh(harness, client, token))
  })

  it('cannot be made up: a guess is refused and ends no session', async () => {
    const { harness, client } = await withClient()
    const { refresh: token } = await signIn(harness, client)
    const flipped = (at: number) =>
      `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
    const wrong = [
      ...[12, 30, 60, 90].map(flipped),
      token.slice(0, -1),
      `${token}=`,
      `${token} `,
      token.toUpperCase(),
      'x',
      'hvo_refresh_',
      'x'.repeat(1_000_000),
    ]
    for (const text of wrong)
      assert.deepEqual((await refresh(harness, client, text)).data, SPENT, text.slice(0, 99))
    const missing = await refresh(harness, client, '')
    assert.equal(missing.data['error_description'], 'refresh_token parameter is required')
    const doubled = await refresh(harness, client, `${token},${token}`)
    assert.deepEqual(
      [doubled.status, doubled.data['error'], doubled.data['error_description']],
      [400, 'invalid_request', 'refresh_token parameter was sent more than once'],
    )
    tokensOf(await refresh(harness, client, token))
  })

  it('narrow their scope on demand, never widen it', async () => {
    const { harness, client } = await withClient()
    await must(harness, 'oidc/scope/a', { template: '{"a": "1"}' })
    await must(harness, 'oidc/scope/b', { template: '{"b": "1"}' })
    await must(harness, 'oidc/provider/default', { scopes_supported: 'a,b' })
    const { refresh: token } = await signIn(harness, client, { scope: 'openid a offline_access' })
    for (const scope of ['openid a b', 'b', 'openid,a', 'x'.repeat(100_000)]) {
      const refused = await refresh(harness, client, token, { scope })
      assert.deepEqual([refused.status, refused.data['error']], [400, 'invalid_scope'])
    }
    const bare = await refresh(harness, client, token, { scope: 'openid' })
    assert.equal(partOf(tokensOf(bare).id, 1)['a'], undefined)
    const whole = await refresh(harness, client, tokensOf(bare).refresh)
    assert.equal(partOf(tokensOf(whole).id, 1)['a'], '1')
    const mere = await refresh(harness, client, tokensOf(whole).refresh, { scope: 'a' })
    assert.deepEqual([mere.status, mere.data['id_token']], [200, undefined])
  })

  it('end when nobody uses them, and at last however often they are used', async () => {
    const { harness, client } = await withClient({
      refresh_token_idle_ttl: '2d',
      refresh_token_max_ttl: '5d',
    })
    let { refresh: token } = await signIn(harness, client)
    const idle = (await signIn(harness, client)).refresh
    for (const days of [1.9, 1.9, 1.1]) {
      harness.now += days * DAY
      token = tokensOf(await refresh(harness, client, token)).refresh
    }
    assert.deepEqual((await refresh(harness, client, idle)).data, SPENT)
    harness.now += 0.1 * DAY
    assert.deepEqual((await refresh(harness, client, token)).data, SPENT)
  })

  it('give access tokens that outlive no session', async () => {
    const { harness, client } = await withClient({ refresh_token_idle_ttl: 600 })
    const scoped = { scope: 'openid offline_access' }
    const { data } = await exchange(harness, client, await codeFor(harness, client, scoped))
    assert.equal(data['expires_in'], 600)
  })

  it('are dead as long as the entity is disabled or unassigned, the client barred or not allowed', async () => {
    const { harness, client } = await withClient()
    const signed = await signIn(harness, client)
    let token = signed.refresh
    const entity = `entity/id/${harness.entityId}`
    const cases: readonly (readonly [string, object, object])[] = [
      [entity, { disabled: true }, { disabled: false }],
      ['oidc/client/app', { assignments: '' }, { assignments: 'allow_all' }],
      ['oidc/client/app', { allow_refresh: false }, { allow_refresh: true }],
      ['oidc/provider/default', { allowed_client_ids: '' }, { allowed_client_ids: '*' }],
      ['oidc/key/ck', { allowed_client_ids: '' }, { allowed_client_ids: '*' }],
    ]
    for (const [path, bar, unbar] of cases) {
      await must(harness, path, bar as never)
      const { status, data } = await refresh(harness, client, token)
      assert.ok(status >= 400, JSON.stringify(bar))
      assert.deepEqual(Object.keys(data), ['error', 'error_description'])
      await must(harness, path, unbar as never)
      token = tokensOf(await refresh(harness, client, token)).refresh
    }
  })

  it('are dead for good when the entity or the client is deleted', async () => {
    const { harness, client } = await withClient()
    const { refresh: token } = await signIn(harness, client)
    await harness.request('delete', 'oidc/client/app')
    assert.equal((await refresh(harness, client, token)).status, 401)
    const again = await makeClient(harness, 'app', { allow_refresh: true })
    assert.deepEqual((await refresh(harness, again, token)).data, SPENT)
    const other = (await signIn(harness, again)).refresh
    await harness.request('delete', `entity/id/${harness.entityId}`)
    await must(harness, 'entity', { name: 'ann' })
    assert.deepEqual((await refresh(harness, again, other)).data, SPENT)
  })

  it('speak for the survivor of a merge, who has their sessions', async () => {
    const { harness, client } = await withClient()
    const { refresh: token } = await signIn(harness, client)
    const { data: survivor } = await must(harness, 'entity', { name: 'survivor' })
    const id = survivor['id'] as string
    await must(harness, 'entity/merge', {
      to_entity_id: id,
      from_entity_ids: harness.entityId,
    })
    const answer = await refresh(harness, client, token)
    assert.equal(partOf(tokensOf(answer).id, 1)['sub'], id)
    assert.equal((await listed(harness, id)).length, 1)
    await harness.request('delete', `oidc/offline-session/entity/${id}`)
    assert.deepEqual((await refresh(harness, client, tokensOf(answer).refresh)).data, SPENT)
  })

  it('end with a code that is brought again', async () => {
    const { harness, client } = await withClient()
    const code = await codeFor(harness, client, { scope: 'openid offline_access' })
    const tokens = tokensOf(await exchange(harness, client, code))
    assert.deepEqual(await userinfo(harness, tokens.access), ALIVE)
    const again = await exchange(harness, client, code)
    assert.equal(again.data['error_description'], 'authorization grant is invalid or expired')
    assert.deepEqual(await userinfo(harness, tokens.access), DEAD)
    assert.deepEqual((await refresh(harness, client, tokens.refresh)).data, SPENT)
  })

  it('have one successor, whichever processes are asked at once', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const store = createMemoryStore()
      const harness = await createOidcHarness(() => store)
      const client = await makeClient(harness, 'app', { allow_refresh: true })
      const { refresh: token } = await signIn(harness, client)
      const answers = await Promise.all(
        [1, 2, 3, 4].map((number) =>
          refresh(
            createHarness(() => interleaved(seed * 10 + number)(store)),
            client,
            token,
          ),
        ),
      )
      const next = new Set(answers.map((answer) => tokensOf(answer).refresh))
      assert.equal(next.size, 1, `seed ${seed}`)
    }
  })

  it('keep no text of a token, and leave nothing behind', async () => {
    const { harness, client } = await withClient({ refresh_token_idle_ttl: '1d' })
    const { refresh: token } = await signIn(harness, client)
    const next = tokensOf(await refresh(harness, client, token)).refresh
    const stored: string[] = []
    const count = async (): Promise<number> => {
      let found = 0
      for (const kind of [oidcSessions, oidcEntitySessions, oidcSignInSessions]) {
        for await (const page of harness.records.scan<unknown>(kind.under(0))) {
          found += page.length
          stored.push(...page.map(({ value }) => JSON.stringify(value)))
        }
      }
      return found
    }
    assert.equal(await count(), 3)
    for (const text of [token, next]) assert.ok(!stored.join().includes(text.slice(40)))
    harness.now += 0.6 * DAY
    tokensOf(await refresh(harness, client, next))
    harness.now += 0.6 * DAY
    await harness.background()
    assert.equal(await count(), 3)
    harness.now += 0.4 * DAY
    await harness.background()
    assert.equal(await count(), 0)
    let due = 0
    for await (const page of harness.records.scan(oidcDue.under(0))) due += page.length
    assert.equal(due, 2, 'the two keys')
  })

  it('refuses wrong lives of tokens', async () => {
    const { harness } = await withClient()
    for (const name of ['refresh_token_idle_ttl', 'refresh_token_max_ttl']) {
      const refused = await harness.request('update', 'oidc/client/app', { [name]: 0 })
      assert.equal(refused.error, `${name} must be greater than zero`)
    }
  })
})

describe('offline sessions', () => {
  it('are listed by entity, with client and times, and ended one by one or all', async () => {
    const { harness, client } = await withClient()
    const tokens = await Promise.all([1, 2, 3].map(() => signIn(harness, client)))
    const { data } = await harness.request(
      'list',
      `oidc/offline-session/entity/${harness.entityId}`,
    )
    const [id = ''] = data['keys'] as readonly string[]
    assert.deepEqual(data['key_info'][id], {
      entity_id: harness.entityId,
      client_id: client.id,
      client_name: 'app',
      provider: 'default',
      scopes: ['offline_access'],
      creation_time: '2026-01-02T03:04:05.678Z',
      last_used_time: '2026-01-02T03:04:05.678Z',
      expiration_time: '2026-01-09T03:04:05.678Z',
    })
    const read = await harness.request('read', `oidc/offline-session/id/${id}`)
    assert.deepEqual(read.data, { id, ...data['key_info'][id] })
    await harness.request('delete', `oidc/offline-session/id/${id}`)
    const alive = await Promise.all(tokens.map(({ access }) => userinfo(harness, access)))
    assert.equal(alive.filter(([status]) => status === 200).length, 2)
    await harness.request('delete', `oidc/offline-session/entity/${harness.entityId}`)
    for (const { access, refresh: token } of tokens) {
      assert.deepEqual(await userinfo(harness, access), DEAD)
      assert.deepEqual((await refresh(harness, client, token)).data, SPENT)
    }
    assert.deepEqual(await listed(harness), [])
  })

  it('answer for what is not there as for other objects', async () => {
    const { harness } = await withClient()
    for (const id of ['x', harness.entityId]) {
      assert.equal((await harness.request('read', `oidc/offline-session/id/${id}`)).status, 404)
      assert.equal((await harness.request('delete', `oidc/offline-session/id/${id}`)).status, 204)
      assert.equal((await harness.request('list', `oidc/offline-session/entity/${id}`)).status, 404)
      assert.equal(
        (await harness.request('delete', `oidc/offline-session/entity/${id}`)).status,
        204,
      )
    }
  })
})

describe('a client that may not refresh', () => {
  it('is told that there is no such grant', async () => {
    const harness = await createOidcHarness()
    const client = await makeClient(harness, 'app')
    const refused = await refresh(harness, client, 'x')
    assert.deepEqual([refused.status, refused.data['error']], [400, 'unsupported_grant_type'])
    assert.equal((await authorize(harness, client)).status, 200)
  })
})
