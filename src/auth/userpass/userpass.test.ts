import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countedBcrypt, fakeMount } from '../shared/fake-mount.ts'
import type { FakeBody, FakeMount } from '../shared/fake-mount.ts'
import { allFailures, createLockout } from '../shared/lockout.ts'
import { createPasswords } from '../shared/password.ts'
import { userpass } from './index.ts'
import { allUsers, dropMount, userRef } from './user-record.ts'

const bcrypt = countedBcrypt()

const mounted = (): FakeMount =>
  fakeMount(userpass({ passwords: createPasswords({ bcrypt }), lockout: createLockout() }))

const withUser = async (body: FakeBody = {}): Promise<FakeMount> => {
  const mount = mounted()
  assert.equal((await mount.ask('write', 'users/ann', { password: 'right', ...body })).status, 204)
  return mount
}

const logIn = (mount: FakeMount, password: string, name = 'ann') =>
  mount.ask('write', `login/${name}`, { password })

it('logs in a user by the name in any case', async () => {
  const mount = await withUser({ token_policies: 'p1', token_ttl: '30m' })
  const { login } = await logIn(mount, 'right', 'ANN')
  assert.deepEqual(login, {
    token: { ...login!.token, policies: ['p1'], ttl: 1800 },
    displayName: 'ann',
    metadata: { username: 'ann' },
    alias: { name: 'ann' },
    internal: { username: 'ann' },
  })
})

it('says the same to a wrong password and an unknown user, after the same work', async () => {
  const mount = await withUser()
  for (const name of ['ann', 'nobody']) {
    const before = bcrypt.checks
    const answer = await logIn(mount, 'wrong', name)
    assert.deepEqual(answer, { status: 400, error: 'invalid username or password', warnings: [] })
    assert.equal(bcrypt.checks, before + 1)
  }
  assert.equal(await mount.count(allFailures(mount.place.namespace, mount.place.mount)), 2)
  assert.equal((await mount.ask('write', 'login/ann', {})).error, 'missing password')
  assert.equal((await mount.ask('write', 'login/ann', {})).status, 500)
})

it('refuses a login whose password was changed while it was checked', async () => {
  let changed: Promise<unknown> | undefined
  const mount = fakeMount(
    userpass({
      lockout: createLockout(),
      passwords: {
        hash: async (password) => password,
        verifyOrDummy: async (hash, password) => {
          changed ??= mount.ask('write', 'users/ann/password', { password: 'newer' })
          await changed
          return hash === password
        },
      },
    }),
  )
  await mount.ask('write', 'users/ann', { password: 'right' })
  assert.equal((await logIn(mount, 'right')).error, 'invalid username or password')
  assert.ok((await logIn(mount, 'newer')).login)
})

it('refuses logins from outside the bounds of the user', async () => {
  const mount = await withUser({ token_bound_cidrs: '10.0.0.0/8' })
  const answer = await logIn(mount, 'right')
  assert.deepEqual([answer.status, answer.error], [403, 'permission denied'])
  mount.remoteAddress = '10.1.2.3'
  assert.ok((await logIn(mount, 'right')).login)
})

it('needs one password or hash to create a user, and none to change one', async () => {
  const mount = mounted()
  for (const body of [{}, { password: '' }]) {
    assert.equal(
      (await mount.ask('write', 'users/ann', body)).error,
      'must provide either password or password_hash',
    )
  }
  const hash = '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
  const both = await mount.ask('write', 'users/ann', { password: 'p', password_hash: hash })
  assert.equal(both.error, 'only one of password or password_hash may be provided')
  assert.equal((await mount.ask('write', 'users/ann', { password_hash: hash })).status, 204)
  assert.equal((await mount.ask('write', 'users/ann', { token_ttl: '20m' })).status, 204)
  const user = await mount.records.get(userRef(mount.place, 'ann'))
  assert.equal(user?.passwordHash, hash)
  assert.equal(user?.token.parameters.ttl, 1200)
})

it('changes nothing when it refuses', async () => {
  const mount = await withUser()
  const before = await mount.ask('read', 'users/ann')
  const answer = await mount.ask('write', 'users/ann', {
    password: 'newer',
    token_ttl: '2h',
    token_max_ttl: '1h',
  })
  assert.equal(answer.status, 400)
  assert.deepEqual(await mount.ask('read', 'users/ann'), before)
  assert.ok((await logIn(mount, 'right')).login)
})

it('lists names in their order, by pages', async () => {
  const mount = mounted()
  assert.equal((await mount.ask('list', 'users')).status, 404)
  for (const name of ['u10', 'U2', 'u1', 'zoe']) {
    await mount.ask('write', `users/${name}`, { password: 'p' })
  }
  const keys = async (body?: FakeBody) => (await mount.ask('list', 'users', body)).data?.['keys']
  assert.deepEqual(await keys(), ['u1', 'u10', 'u2', 'zoe'])
  assert.deepEqual(await keys({ limit: 2 }), ['u1', 'u10'])
  assert.deepEqual(await keys({ after: 'u10', limit: 1 }), ['u2'])
  assert.deepEqual(await keys({ after: 'u10', limit: -1 }), ['u2', 'zoe'])
  assert.equal(await keys({ after: 'zoe' }), undefined)
})

it('forgets a deleted user', async () => {
  const mount = await withUser()
  await logIn(mount, 'wrong')
  for (let times = 0; times < 2; times++) {
    assert.equal((await mount.ask('delete', 'users/ann')).status, 204)
  }
  assert.equal((await mount.ask('read', 'users/ann')).status, 404)
  assert.equal((await logIn(mount, 'right')).status, 400)
  for (const path of ['users/ann/password', 'users/ann/policies']) {
    const answer = await mount.ask('write', path, { password: 'x', policies: 'x' })
    assert.deepEqual([answer.status, answer.error], [500, 'username does not exist'])
  }
})

it('renews with the lifetimes of now, unless user or policies have changed', async () => {
  const mount = await withUser({ token_policies: 'b,a', token_ttl: '1h' })
  const renew = () => mount.renew({ username: 'ann' }, ['default', 'a', 'b'])
  await mount.ask('write', 'users/ann', { token_ttl: '2h', token_max_ttl: '3h' })
  assert.deepEqual(await renew(), { ttl: 7200, maxTtl: 10_800, period: 0 })
  await mount.ask('write', 'users/ann/policies', { token_policies: 'a' })
  await assert.rejects(renew(), { message: 'policies have changed, not renewing' })
  await mount.ask('delete', 'users/ann')
  assert.equal(await renew(), undefined)
})

it('locks after five failures, for all, until the lock lapses', async () => {
  const mount = await withUser()
  for (let times = 0; times < 5; times++) {
    assert.equal((await logIn(mount, 'wrong')).status, 400)
  }
  const checks = bcrypt.checks
  assert.equal((await logIn(mount, 'right')).status, 403)
  assert.equal((await logIn(mount, 'right', 'ANN')).status, 403)
  assert.equal(bcrypt.checks, checks)
  mount.now += 15 * 60_000
  assert.ok((await logIn(mount, 'right')).login)
})

it('counts failures anew after a success, after a pause and after a lock', async () => {
  const mount = await withUser()
  const fail = async (times: number) => {
    for (let done = 0; done < times; done++) assert.equal((await logIn(mount, 'no')).status, 400)
  }
  await fail(4)
  assert.ok((await logIn(mount, 'right')).login)
  await fail(4)
  mount.now += 15 * 60_000 + 1
  await fail(5)
  assert.equal((await logIn(mount, 'right')).status, 403)
  mount.now += 15 * 60_000
  await fail(4)
  assert.ok((await logIn(mount, 'right')).login)
})

it('tells at most as many guesses made at once as the lock allows', async () => {
  const mount = await withUser()
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => logIn(mount, `guess ${index}`)),
  )
  const wrong = answers.filter(({ status }) => status === 400)
  assert.equal(wrong.length, 5)
  assert.equal(answers.filter(({ status }) => status === 403).length, 7)
})

it('does not count where lockout is off', async () => {
  const off = { disabled: true, threshold: 1, durationMs: 1, counterResetMs: 1 }
  const mount = fakeMount(
    userpass({ passwords: createPasswords({ bcrypt }), lockout: createLockout(() => off) }),
  )
  await mount.ask('write', 'users/ann', { password: 'right' })
  for (let times = 0; times < 6; times++) await logIn(mount, 'wrong')
  assert.ok((await logIn(mount, 'right')).login)
  assert.equal(await mount.count(allFailures(mount.place.namespace, mount.place.mount)), 0)
})

it('leaves nothing of a disabled mount', async () => {
  const mount = await withUser()
  await logIn(mount, 'wrong')
  const { namespace, mount: place } = mount.place
  await dropMount(mount.records, namespace, place)
  assert.equal(await mount.count(allUsers(namespace, place)), 0)
  assert.equal(await mount.count(allFailures(namespace, place)), 0)
})
