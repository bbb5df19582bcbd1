import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../../../std/json.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Answer, Sender } from '../testing.ts'
import { createHarness, interleaved } from '../testing.ts'
import { DEVICE_GRANT } from './device-grant.ts'
import { oidcDevices, oidcDue, oidcGuesses, oidcUserCodes } from './records.ts'
import type { OidcHarness, TestClient } from './testing.ts'
import {
  clientAsks,
  createOidcHarness,
  exchange,
  makeClient,
  must,
  partOf,
  refresh,
  tokensOf,
  userinfo,
} from './testing.ts'
import { drawUserCode, readUserCode, shownUserCode } from './user-code.ts'

const MINUTE = 60_000
const PAGE = 'https://signet.example:8200/ui/vault/identity/oidc/provider/default/device'
const NOBODY = 'no device waits with this user code (any more)'

const withDevice = async (body: Readonly<Record<string, Json>> = {}) => {
  const harness = await createOidcHarness()
  const client = await makeClient(harness, 'tv', {
    client_type: 'public',
    device_code: true,
    ...body,
  })
  return { harness, client }
}

interface Codes {
  readonly device: string
  readonly user: string
}

const start = async (
  harness: OidcHarness,
  client: TestClient,
  scope = 'openid offline_access',
): Promise<Codes> => {
  const { status, data } = await clientAsks(harness, client, 'device_authorization', { scope })
  assert.equal(status, 200, JSON.stringify(data))
  return { device: data['device_code'] as string, user: data['user_code'] as string }
}

const poll = (
  harness: Parameters<typeof exchange>[0],
  client: TestClient,
  device: string,
  body = {},
) =>
  clientAsks(harness, client, 'token', { grant_type: DEVICE_GRANT, device_code: device, ...body })

const look = (harness: OidcHarness, user: string, sender: Sender = harness): Promise<Answer> =>
  harness.request('read', 'oidc/provider/default/device', { user_code: user }, sender)

const decide = (
  harness: OidcHarness,
  user: string,
  decision: Json = 'approve',
  sender: Sender = harness,
): Promise<Answer> =>
  harness.request('update', 'oidc/provider/default/device', { user_code: user, decision }, sender)

const errorOf = ({ status, data }: Answer): readonly unknown[] => [status, data['error']]

describe('a user code', () => {
  it('has eight letters without vowels, and is read however people write it', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(255)), (stream) => {
        const code = drawUserCode((length) => Buffer.from([...stream.take(length)]))
        assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/)
        const shown = shownUserCode(code)
        for (const text of [
          shown,
          shown.toLowerCase(),
          code,
          ` ${shown} `,
          code.split('').join(' '),
        ])
          assert.equal(readUserCode(text), code)
      }),
      { numRuns: 50 },
    )
    for (const text of [
      '',
      'BCDF',
      'BCDFGHJA',
      'BCDFGHJ1',
      'BCDF-GHJKL',
      'ſCDFGHJK',
      'B'.repeat(1e6),
    ])
      assert.equal(readUserCode(text), undefined)
  })
})

describe('the device flow', () => {
  it('waits until somebody who sees client and place lets the device in', async () => {
    const { harness, client } = await withDevice({ allow_refresh: true })
    const scope = 'openid offline_access'
    const asked = await clientAsks(harness, client, 'device_authorization', { scope })
    assert.deepEqual(asked.headers, { 'Cache-Control': 'no-store', Pragma: 'no-cache' })
    const user = asked.data['user_code'] as string
    assert.deepEqual(asked.data, {
      device_code: asked.data['device_code'],
      user_code: user,
      verification_uri: PAGE,
      verification_uri_complete: `${PAGE}?user_code=${user}`,
      expires_in: 900,
      interval: 5,
    })
    const device = asked.data['device_code'] as string
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'authorization_pending'])
    const shown = await look(harness, user)
    assert.deepEqual(shown.data, {
      user_code: user,
      status: 'pending',
      client_id: client.id,
      client_name: 'tv',
      provider: 'default',
      scopes: ['openid', 'offline_access'],
      remote_address: '127.0.0.1',
      creation_time: '2026-01-02T03:04:05.678Z',
      expiration_time: '2026-01-02T03:19:05.678Z',
    })
    assert.equal((await decide(harness, user)).status, 204)
    assert.equal((await look(harness, user)).data['status'], 'approved')
    const tokens = tokensOf(await poll(harness, client, device))
    const claims = partOf(tokens.id, 1)
    assert.deepEqual([claims['sub'], claims['aud']], [harness.entityId, client.id])
    assert.deepEqual(await userinfo(harness, tokens.access), [200, undefined])
    tokensOf(await refresh(harness, client, tokens.refresh))
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'invalid_grant'])
    const again = await decide(harness, user)
    assert.equal(again.error, NOBODY)
  })

  it('tells a device that was turned away, once', async () => {
    const { harness, client } = await withDevice()
    const { device, user } = await start(harness, client)
    assert.equal((await decide(harness, user, 'deny')).status, 204)
    assert.equal((await decide(harness, user)).error, 'somebody has denied the device already')
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'access_denied'])
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'invalid_grant'])
  })

  it('slows down a device that polls too fast, five seconds more each time', async () => {
    const { harness, client } = await withDevice()
    const { device } = await start(harness, client)
    const after = async (ms: number): Promise<unknown> => {
      harness.now += ms
      return (await poll(harness, client, device)).data['error']
    }
    assert.equal(await after(0), 'authorization_pending')
    assert.equal(await after(5_000), 'authorization_pending')
    assert.equal(await after(4_999), 'slow_down')
    assert.equal(await after(9_999), 'slow_down')
    assert.equal(await after(15_000), 'authorization_pending')
  })

  it('ends after fifteen minutes, for both sides, and leaves nothing behind', async () => {
    const { harness, client } = await withDevice()
    const { device, user } = await start(harness, client)
    const approved = await start(harness, client)
    await decide(harness, approved.user)
    harness.now += 15 * MINUTE
    for (const code of [device, approved.device])
      assert.deepEqual(errorOf(await poll(harness, client, code)), [400, 'expired_token'])
    assert.equal((await decide(harness, user)).error, NOBODY)
    harness.now += 15 * MINUTE
    await harness.background()
    for (const kind of [oidcDevices, oidcUserCodes, oidcGuesses])
      for await (const page of harness.records.scan<unknown>(kind.under(0)))
        assert.deepEqual(page, [], kind.prefix)
    let due = 0
    for await (const page of harness.records.scan(oidcDue.under(0))) due += page.length
    assert.equal(due, 2, 'the two keys')
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'invalid_grant'])
  })

  it('gives a device code to nobody but its client, at its provider', async () => {
    const { harness, client } = await withDevice()
    const other = await makeClient(harness, 'radio', { client_type: 'public', device_code: true })
    await must(harness, 'oidc/provider/second', { allowed_client_ids: '*' })
    const { device, user } = await start(harness, client)
    await decide(harness, user)
    assert.deepEqual(errorOf(await poll(harness, other, device)), [400, 'invalid_grant'])
    const body = { grant_type: DEVICE_GRANT, device_code: device }
    const foreign = await clientAsks(harness, client, 'token', body, 'second')
    assert.deepEqual(errorOf(foreign), [400, 'invalid_grant'])
    tokensOf(await poll(harness, client, device))
  })

  it('is given to one of many polls, at whichever process', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const store = createMemoryStore()
      const harness = await createOidcHarness(() => store)
      const client = await makeClient(harness, 'tv', { client_type: 'public', device_code: true })
      const { device, user } = await start(harness, client)
      await decide(harness, user)
      const answers = await Promise.all(
        [1, 2, 3, 4].map((number) =>
          poll(
            createHarness(() => interleaved(seed * 10 + number)(store)),
            client,
            device,
          ),
        ),
      )
      const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
      assert.deepEqual(statuses, [200, 400, 400, 400], `seed ${seed}`)
    }
  })

  it('asks a confidential client for its secret', async () => {
    const { harness, client } = await withDevice({ client_type: 'confidential' })
    const { device, user } = await start(harness, client)
    await decide(harness, user)
    const unproven = { ...client, secret: 'wrong' }
    const scope = 'openid'
    for (const answer of [
      await poll(harness, unproven, device),
      await clientAsks(harness, unproven, 'device_authorization', { scope }),
    ])
      assert.deepEqual(errorOf(answer), [401, 'invalid_client'])
    tokensOf(await poll(harness, client, device))
  })

  it('refuses what is wrong, missing, doubled or too long, in the words of the RFC', async () => {
    const { harness, client } = await withDevice()
    const ask = (body: Readonly<Record<string, Json>>, provider?: string) =>
      clientAsks(harness, client, 'device_authorization', body, provider)
    const none = await makeClient(harness, 'plain')
    for (const [answer, ...wanted] of [
      [await ask({}), 400, 'invalid_request'],
      [await ask({ scope: 'profile' }), 400, 'invalid_request'],
      [await ask({ scope: 'openid,openid' }), 400, 'invalid_request'],
      [await ask({ scope: `openid ${'x'.repeat(20_000)}` }), 400, 'invalid_request'],
      [await ask({ scope: 'openid', client_id: '' }), 400, 'invalid_request'],
      [await ask({ scope: 'openid', client_id: 'nobody' }), 401, 'invalid_client'],
      [await ask({ scope: 'openid' }, 'missing'), 400, 'invalid_request'],
      [
        await clientAsks(harness, none, 'device_authorization', { scope: 'openid' }),
        400,
        'unauthorized_client',
      ],
      [await poll(harness, none, 'x'), 400, 'unsupported_grant_type'],
      [await poll(harness, client, ''), 400, 'invalid_request'],
      [await poll(harness, client, 'x,x'), 400, 'invalid_request'],
      [await poll(harness, client, 'x'.repeat(1_000_000)), 400, 'invalid_grant'],
    ] as const)
      assert.deepEqual(errorOf(answer), wanted)
    for await (const page of harness.records.scan(oidcDevices.under(0))) assert.deepEqual(page, [])
  })
})

describe('letting a device in', () => {
  it('takes an entity that may log in to the client', async () => {
    const { harness, client } = await withDevice()
    await must(harness, 'oidc/assignment/few', { entity_ids: 'someone' })
    await must(harness, 'oidc/client/tv', { assignments: 'few' })
    const { device, user } = await start(harness, client)
    const refused = await decide(harness, user)
    assert.deepEqual(
      [refused.status, refused.error],
      [403, 'identity entity not authorized by client assignment'],
    )
    const nobody = await decide(harness, user, 'approve', { caller: harness.callerOf('') })
    assert.equal(nobody.error, 'identity entity must be associated with the request')
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'authorization_pending'])
    await must(harness, 'oidc/assignment/few', { entity_ids: harness.entityId })
    assert.equal((await decide(harness, user)).status, 204)
    await must(harness, 'oidc/assignment/few', { entity_ids: 'someone' })
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'access_denied'])
  })

  it('takes five wrong codes in fifteen minutes, of all that an entity tries', async () => {
    const { harness, client } = await withDevice()
    const { user } = await start(harness, client)
    const wrong = user.startsWith('B') ? `C${user.slice(1)}` : `B${user.slice(1)}`
    for (let tried = 0; tried < 4; tried++) assert.equal((await look(harness, wrong)).error, NOBODY)
    for (const typo of ['', 'BCDF', 'AAAA-AAAA'])
      assert.equal((await look(harness, typo)).status, 400)
    assert.equal((await look(harness, user)).status, 200, 'typing errors do not count')
    assert.equal((await decide(harness, wrong)).error, NOBODY)
    for (const answer of [await look(harness, user), await decide(harness, user)]) {
      assert.deepEqual(
        [answer.status, answer.error],
        [429, 'too many wrong user codes: try again in 15 minutes'],
      )
    }
    const { data } = await must(harness, 'entity', { name: 'bob' })
    const bob = { caller: harness.callerOf(data['id'] as string) }
    assert.equal((await look(harness, user, bob)).status, 200)
    harness.now += 15 * MINUTE
    const later = await start(harness, client)
    assert.equal((await look(harness, later.user)).status, 200)
  })

  it('counts guesses that are made at once', async () => {
    const { harness, client } = await withDevice()
    await start(harness, client)
    const codes = ['BBBB-BBBB', 'CCCC-CCCC', 'DDDD-DDDD', 'FFFF-FFFF', 'GGGG-GGGG', 'HHHH-HHHH']
    const answers = await Promise.all(codes.map((code) => look(harness, code)))
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b)
    assert.deepEqual(statuses, [400, 400, 400, 400, 400, 429])
  })

  it('needs a clear word', async () => {
    const { harness, client } = await withDevice()
    const { device, user } = await start(harness, client)
    for (const decision of ['', 'yes', 'APPROVE', true, 'approve,approve', null]) {
      const refused = await decide(harness, user, decision)
      assert.deepEqual(
        [refused.status, refused.error],
        [400, 'decision parameter must be approve or deny'],
      )
    }
    assert.equal((await decide(harness, user, ['approve'])).status, 400)
    assert.deepEqual(errorOf(await poll(harness, client, device)), [400, 'authorization_pending'])
  })

  it('is over when the client is deleted or barred meanwhile', async () => {
    const { harness, client } = await withDevice()
    const { user } = await start(harness, client)
    await must(harness, 'oidc/provider/default', { allowed_client_ids: 'other' })
    assert.equal((await decide(harness, user)).error, NOBODY)
    await must(harness, 'oidc/provider/default', { allowed_client_ids: '*' })
    await must(harness, 'oidc/client/tv', { device_code: false })
    assert.equal((await decide(harness, user)).error, NOBODY)
    await harness.request('delete', 'oidc/client/tv')
    assert.equal((await decide(harness, user)).error, NOBODY)
  })
})
