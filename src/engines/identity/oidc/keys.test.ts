import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { createHarness, interleaved } from '../testing.ts'
import {
  createOidcHarness,
  faultOf,
  makeRole,
  must,
  partOf,
  publishedIds,
  tokenOf,
} from './testing.ts'

const HOUR = 3_600_000

describe('named signing keys', () => {
  it('publish the key that signs and the one that will, and old ones until their tokens have ended', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { rotation_period: '1h', verification_ttl: '2h' }, { ttl: '1h' })
    const [first, second] = await publishedIds(harness)
    const token = await tokenOf(harness)
    assert.equal(partOf(token, 0)['kid'], first)
    await must(harness, 'oidc/key/k/rotate')
    const [old, current, next] = await publishedIds(harness)
    assert.deepEqual([old, current], [first, second])
    assert.equal(partOf(await tokenOf(harness), 0)['kid'], second)
    await must(harness, 'oidc/key/k/rotate')
    assert.equal(partOf(await tokenOf(harness), 0)['kid'], next)
    assert.equal((await publishedIds(harness)).length, 4)
    harness.now += HOUR - 1000
    assert.equal(await faultOf(harness, token), '')
    harness.now += HOUR + 1000
    assert.deepEqual(await publishedIds(harness), (await publishedIds(harness)).slice(-2))
    assert.equal(await faultOf(harness, token), 'unable to validate the token signature')
  })

  it('end at once when they are rotated with a verification_ttl of 0', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const token = await tokenOf(harness)
    await must(harness, 'oidc/key/k/rotate', { verification_ttl: 0 })
    assert.equal(await faultOf(harness, token), 'unable to validate the token signature')
    assert.equal((await publishedIds(harness)).length, 2)
  })

  it('stay published for tokens of a longer verification_ttl that was shortened since', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { verification_ttl: '10h' }, { ttl: '10h' })
    const token = await tokenOf(harness)
    await must(harness, 'oidc/role/r', { ttl: '1h' })
    await must(harness, 'oidc/key/k', { verification_ttl: '1h' })
    await must(harness, 'oidc/key/k/rotate')
    harness.now += 9 * HOUR
    assert.equal(await faultOf(harness, token), '')
    harness.now += HOUR
    assert.equal(await faultOf(harness, token), 'unable to validate the token signature')
  })

  it('verify tokens of the algorithm they had before, for a while and not for ever', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    const token = await tokenOf(harness)
    await must(harness, 'oidc/key/k', { algorithm: 'EdDSA' })
    assert.equal(partOf(await tokenOf(harness), 0)['alg'], 'EdDSA')
    assert.equal(await faultOf(harness, token), '')
    harness.now += 24 * HOUR
    assert.equal((await publishedIds(harness)).length, 2)
  })

  it('are rotated by the background once a period, and not before', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { rotation_period: '1h', verification_ttl: '1h' }, { ttl: '1h' })
    const before = await publishedIds(harness)
    harness.now += HOUR - 1
    await harness.background()
    assert.deepEqual(await publishedIds(harness), before)
    harness.now += 1
    await harness.background()
    await harness.background()
    const after = await publishedIds(harness)
    assert.deepEqual(after.slice(0, 2), before)
    assert.equal(after.length, 3)
  })

  it('are rotated when they are used, where no background came', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { rotation_period: '1h', verification_ttl: '1h' }, { ttl: '1h' })
    const [, second] = await publishedIds(harness)
    harness.now += 50 * HOUR
    assert.equal(partOf(await tokenOf(harness), 0)['kid'], second)
    assert.equal((await publishedIds(harness)).length, 3)
  })

  it('get exactly one new key a period from any number of processes at once', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const store = createMemoryStore()
      const harness = await createOidcHarness(() => store)
      await makeRole(harness, { rotation_period: '1h', verification_ttl: '1h' }, { ttl: '1h' })
      await harness.background()
      harness.now += HOUR
      const others = [seed, seed + 10, seed + 20].map((number) =>
        createHarness(() => interleaved(number)(store)),
      )
      for (const other of others) other.now = harness.now
      await Promise.all([tokenOf(harness), ...others.map((other) => other.background())])
      assert.equal((await publishedIds(harness)).length, 3, `seed ${seed}`)
    }
  })

  it('are pulled forward by a shorter period and not pushed back by a longer one', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { rotation_period: '10h', verification_ttl: '1h' }, { ttl: '1h' })
    await must(harness, 'oidc/key/k', { rotation_period: '1h' })
    await must(harness, 'oidc/key/k', { rotation_period: '20h' })
    harness.now += HOUR
    await harness.background()
    assert.equal((await publishedIds(harness)).length, 3)
  })

  it('refuse a verification_ttl below what roles or clients need', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, {}, { ttl: '2h' })
    const refused = await harness.request('update', 'oidc/key/k', { verification_ttl: '1h' })
    assert.equal(
      refused.error,
      'unable to update key "k" because it is currently referenced by one or more roles with a token ttl greater than 3600 seconds',
    )
    await harness.request('delete', 'oidc/role/r')
    await must(harness, 'oidc/client/c', { key: 'k', id_token_ttl: '2h' })
    const again = await harness.request('update', 'oidc/key/k', { verification_ttl: '1h' })
    assert.match(again.error, /clients with an id_token_ttl greater than 3600 seconds$/)
  })

  it('are never deleted under a role that comes at the same moment', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const harness = createHarness(interleaved(seed))
      await must(harness, 'oidc/key/k', { algorithm: 'EdDSA' })
      const [role, deleted] = await Promise.all([
        harness.request('update', 'oidc/role/r', { key: 'k' }),
        harness.request('delete', 'oidc/key/k'),
      ])
      assert.equal(Number(role.status === 204) + Number(deleted.status === 204), 1, `seed ${seed}`)
    }
  })

  it('follow a role that changes its key', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness)
    await must(harness, 'oidc/key/other', { algorithm: 'EdDSA', allowed_client_ids: '*' })
    await must(harness, 'oidc/role/r', { key: 'other' })
    assert.equal((await harness.request('delete', 'oidc/key/k')).status, 204)
    assert.match((await harness.request('delete', 'oidc/key/other')).error, /these roles: r$/)
  })

  it('keep a bounded number of old keys, and say how to go on', async () => {
    const harness = await createOidcHarness()
    await makeRole(harness, { algorithm: 'EdDSA' })
    let refused = ''
    for (let count = 0; count < 300 && refused === ''; count++) {
      refused = (await harness.request('update', 'oidc/key/k/rotate')).error
    }
    assert.match(refused, /rotate it with a verification_ttl of 0/)
    await must(harness, 'oidc/key/k/rotate', { verification_ttl: 0 })
  })

  it('are rotated by time however many old keys there are', async () => {
    const harness = await createOidcHarness()
    await makeRole(
      harness,
      { algorithm: 'EdDSA', rotation_period: '1h', verification_ttl: '10h' },
      { ttl: '10h' },
    )
    while ((await harness.request('update', 'oidc/key/k/rotate')).status === 204);
    const before = await publishedIds(harness)
    harness.now += HOUR
    await tokenOf(harness)
    assert.equal((await publishedIds(harness)).length, before.length + 1)
  })

  it('are stored with the objects that always exist, once, however many processes start', async () => {
    const store = createMemoryStore()
    const processes = [1, 2, 3].map((seed) => createHarness(() => interleaved(seed)(store)))
    await Promise.all(processes.map((one) => one.background()))
    const [harness] = processes
    for (const list of ['key', 'assignment', 'provider']) {
      assert.equal((await harness!.request('list', `oidc/${list}`)).data['keys'].length, 1)
    }
  })
})
