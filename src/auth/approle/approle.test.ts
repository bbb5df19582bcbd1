import assert from 'node:assert/strict'
import { it } from 'node:test'
import { fakeMount } from '../shared/fake-mount.ts'
import type { FakeBody, FakeMount } from '../shared/fake-mount.ts'
import { allFailures, createLockout } from '../shared/lockout.ts'
import { allAccessors, allDeadGenerations, allRoles, dropMount } from './approle-records.ts'
import { approle } from './index.ts'

const mounted = (): FakeMount => fakeMount(approle({ lockout: createLockout() }))

const withRole = async (body: FakeBody = {}): Promise<FakeMount> => {
  const mount = mounted()
  assert.equal((await mount.ask('write', 'role/R', { role_id: 'rid', ...body })).status, 204)
  return mount
}

const makeId = async (mount: FakeMount, body: FakeBody = {}) => {
  const answer = await mount.ask('write', 'role/r/secret-id', body)
  assert.equal(answer.status, 200)
  return answer.data as { secret_id: string; secret_id_accessor: string }
}

const logIn = (mount: FakeMount, secretId?: string, roleId = 'rid') =>
  mount.ask('write', 'login', {
    role_id: roleId,
    ...(secretId === undefined ? {} : { secret_id: secretId }),
  })

const WRONG = { status: 400, error: 'invalid role or secret ID', warnings: [] }

it('logs in with a role id and a secret id', async () => {
  const mount = await withRole({ token_policies: 'p', token_ttl: '10m', token_num_uses: 3 })
  const { secret_id: secretId } = await makeId(mount, { metadata: '{"env":"test"}' })
  const { login } = await logIn(mount, ` ${secretId} `)
  const metadata = { env: 'test', role_name: 'r' }
  assert.deepEqual(login, {
    token: { ...login!.token, policies: ['p'], ttl: 600, numUses: 3 },
    displayName: '',
    metadata,
    alias: { name: 'rid', metadata },
    internal: { role_name: 'r' },
  })
})

it('refuses what is missing or wrong', async () => {
  const mount = await withRole()
  assert.deepEqual((await mount.ask('write', 'login', {})).error, 'missing role_id')
  assert.deepEqual((await mount.ask('read', 'login')).error, 'missing role_id')
  assert.equal((await mount.ask('read', 'login', { role_id: 'x' })).status, 405)
  assert.deepEqual((await logIn(mount)).error, 'missing secret_id')
  assert.deepEqual(await logIn(mount, 'bad'), WRONG)
  assert.deepEqual(await logIn(mount, 'bad', 'nobody'), WRONG)
})

it('gives the last use of a secret id to exactly one of two logins at once', async () => {
  const mount = await withRole()
  for (let round = 0; round < 20; round++) {
    const { secret_id: secretId } = await makeId(mount, { num_uses: 1 })
    const answers = await Promise.all([logIn(mount, secretId), logIn(mount, secretId)])
    assert.equal(answers.filter(({ login }) => login !== undefined).length, 1)
    assert.deepEqual(
      answers.find(({ login }) => login === undefined),
      WRONG,
    )
  }
  assert.equal(await mount.count(allAccessors(mount.place)), 0)
})

it('spends as many uses as were given, however many logins come at once', async () => {
  const mount = await withRole({ secret_id_num_uses: 5 })
  const { secret_id: secretId } = await makeId(mount, { num_uses: 3 })
  const answers = await Promise.all(Array.from({ length: 8 }, () => logIn(mount, secretId)))
  assert.equal(answers.filter(({ login }) => login !== undefined).length, 3)
})

it('writes nothing for an unlimited secret id', async () => {
  const mount = await withRole()
  const { secret_id: secretId } = await makeId(mount)
  const pages = []
  for (const range of [allRoles(mount.place), allAccessors(mount.place)]) {
    for await (const page of mount.records.scan<unknown>(range)) pages.push(...page)
  }
  const versions = pages.map(({ version }) => version)
  assert.ok((await logIn(mount, secretId)).login)
  const after = []
  for (const range of [allRoles(mount.place), allAccessors(mount.place)]) {
    for await (const page of mount.records.scan<unknown>(range)) after.push(...page)
  }
  assert.deepEqual(
    after.map(({ version }) => version),
    versions,
  )
})

it('refuses an expired secret id, wherever it is asked for', async () => {
  const mount = await withRole({ secret_id_ttl: '1s' })
  const made = await makeId(mount)
  mount.now += 999
  assert.ok((await logIn(mount, made.secret_id)).login)
  mount.now += 1
  assert.deepEqual(await logIn(mount, made.secret_id), WRONG)
  assert.equal((await mount.ask('list', 'role/r/secret-id')).status, 404)
  const byId = await mount.ask('write', 'role/r/secret-id/lookup', { secret_id: made.secret_id })
  assert.equal(byId.status, 204)
  const byAccessor = await mount.ask('write', 'role/r/secret-id-accessor/lookup', {
    secret_id_accessor: made.secret_id_accessor,
  })
  assert.equal(byAccessor.status, 404)
})

it('lets an expired custom secret id be registered anew, and tidy leaves the new one', async () => {
  const mount = await withRole({ secret_id_ttl: '1s' })
  const custom = () => mount.ask('write', 'role/r/custom-secret-id', { secret_id: 'mine' })
  assert.equal((await custom()).status, 200)
  assert.equal((await custom()).error, 'failed to store secret_id: SecretID is already registered')
  mount.now += 1000
  assert.equal((await custom()).status, 200)
  await mount.ask('write', 'tidy/secret-id')
  assert.ok((await logIn(mount, 'mine')).login)
  assert.equal(await mount.count(allAccessors(mount.place)), 1)
})

it('kills all secret ids with their role, and sweeps them', async () => {
  const mount = await withRole()
  const { secret_id: secretId } = await makeId(mount)
  for (let made = 0; made < 200; made++) await makeId(mount)
  assert.equal((await mount.ask('delete', 'role/r')).status, 204)
  assert.equal(await mount.count(allAccessors(mount.place)), 0)
  assert.equal(await mount.count(allDeadGenerations(mount.place)), 0)
  assert.deepEqual(await logIn(mount, secretId), WRONG)
  await mount.ask('write', 'role/r', { role_id: 'rid' })
  assert.deepEqual(await logIn(mount, secretId), WRONG)
})

it('tidies up expired secret ids and leaves the others', async () => {
  const mount = await withRole()
  await makeId(mount, { ttl: '1s' })
  await makeId(mount, { ttl: '1h' })
  await makeId(mount)
  mount.now += 2000
  const answer = await mount.ask('write', 'tidy/secret-id')
  assert.equal(answer.status, 202)
  assert.match(answer.warnings[0]!, /^Tidy operation successfully started/)
  assert.equal(await mount.count(allAccessors(mount.place)), 2)
  const both = await Promise.all([
    mount.ask('write', 'tidy/secret-id'),
    mount.ask('write', 'tidy/secret-id'),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    [202, 200],
  )
})

it('holds role ids unique, also when two are written at once', async () => {
  const mount = await withRole()
  const taken = await mount.ask('write', 'role/other', { role_id: 'rid' })
  assert.deepEqual([taken.status, taken.error], [500, 'role_id already in use'])
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((name) => mount.ask('write', `role/${name}`, { role_id: 'same' })),
  )
  assert.equal(answers.filter(({ status }) => status === 204).length, 1)
  assert.equal(answers.filter(({ status }) => status === 500).length, 2)
  await mount.ask('write', 'role/r/role-id', { role_id: 'new' })
  assert.equal((await mount.ask('write', 'role/other', { role_id: 'rid' })).status, 204)
})

it('keeps a login inside the CIDRs of role and secret id', async () => {
  const mount = await withRole({ secret_id_bound_cidrs: '10.0.0.0/8' })
  const { secret_id: any } = await makeId(mount)
  const { secret_id: one } = await makeId(mount, { cidr_list: '10.1.0.0/16', num_uses: 1 })
  const { secret_id: free } = await makeId(mount, { cidr_list: '10.1.0.0/16' })
  assert.equal(
    (await logIn(mount, any)).error,
    'source address "127.0.0.1" unauthorized by CIDR restrictions on the role: %!w(<nil>)',
  )
  assert.equal(
    (await logIn(mount, one)).error,
    'source address "127.0.0.1" unauthorized by CIDR restrictions on the secret ID: %!w(<nil>)',
  )
  assert.equal(
    (await logIn(mount, free)).error,
    'source address "127.0.0.1" unauthorized through CIDR restrictions on the secret ID',
  )
  mount.remoteAddress = '10.1.2.3'
  for (const secretId of [any, one, free]) assert.ok((await logIn(mount, secretId)).login)
  const outside = await mount.ask('write', 'role/r/secret-id', { cidr_list: '11.0.0.0/8' })
  assert.equal(outside.status, 500)
  assert.equal(
    outside.error,
    'failed to verify subset relationship between CIDR blocks on the role ["10.0.0.0/8"] and CIDR blocks on the secret ID ["11.0.0.0/8"]: %!w(<nil>)',
  )
})

it('binds the token to the secret id before the role', async () => {
  const mount = await withRole({ token_bound_cidrs: '127.0.0.0/8' })
  const { secret_id: own } = await makeId(mount, { token_bound_cidrs: '127.0.0.1/32' })
  const { secret_id: plain } = await makeId(mount)
  assert.deepEqual((await logIn(mount, own)).login?.token.boundCidrs, ['127.0.0.1'])
  assert.deepEqual((await logIn(mount, plain)).login?.token.boundCidrs, ['127.0.0.0/8'])
})

it('needs some bound on every role', async () => {
  const mount = await withRole({ bind_secret_id: false, token_bound_cidrs: '127.0.0.1' })
  assert.ok((await logIn(mount)).login)
  for (const [verb, path, body] of [
    ['delete', 'role/r/token-bound-cidrs', undefined],
    ['write', 'role/new', { bind_secret_id: false }],
    ['write', 'role/r', { token_bound_cidrs: [] }],
  ] as const) {
    const answer = await mount.ask(verb, path, body as FakeBody | undefined)
    assert.equal(answer.error, 'at least one constraint should be enabled on the role')
  }
  assert.ok((await logIn(mount)).login)
})

it('holds secret ids to the limits of the role', async () => {
  const mount = await withRole({ secret_id_num_uses: 5, secret_id_ttl: '1h' })
  for (const [body, error] of [
    [{ ttl: 0 }, "ttl cannot be longer than the role's secret_id_ttl"],
    [{ ttl: '2h' }, "ttl cannot be longer than the role's secret_id_ttl"],
    [{ num_uses: 0 }, "num_uses cannot be higher than the role's secret_id_num_uses"],
    [{ num_uses: 9 }, "num_uses cannot be higher than the role's secret_id_num_uses"],
    [{ num_uses: -1 }, 'num_uses cannot be negative'],
  ] as const) {
    assert.equal((await mount.ask('write', 'role/r/secret-id', body)).error, error)
  }
})

it('lists accessors by pages', async () => {
  const mount = await withRole()
  const made: string[] = []
  for (let count = 0; count < 5; count++) made.push((await makeId(mount)).secret_id_accessor)
  made.sort()
  const keys = async (body?: FakeBody) =>
    (await mount.ask('list', 'role/r/secret-id', body)).data?.['keys']
  assert.deepEqual(await keys(), made)
  assert.deepEqual(await keys({ limit: 2 }), made.slice(0, 2))
  assert.deepEqual(await keys({ after: made[1]!, limit: 2 }), made.slice(2, 4))
  assert.deepEqual(await keys({ after: 'zzz' }), undefined)
})

it('has every setting under a path of its own', async () => {
  const mount = await withRole()
  const settings: readonly (readonly [
    string,
    string,
    Exclude<FakeBody[string], undefined>,
    unknown,
    unknown,
  ])[] = [
    ['policies', 'token_policies', 'x,y', ['x', 'y'], []],
    ['bind-secret-id', 'bind_secret_id', true, true, true],
    ['secret-id-num-uses', 'secret_id_num_uses', 7, 7, 0],
    ['secret-id-ttl', 'secret_id_ttl', '1h', 3600, 0],
    ['token-num-uses', 'token_num_uses', 3, 3, 0],
    ['token-max-ttl', 'token_max_ttl', '2h', 7200, 0],
    ['token-ttl', 'token_ttl', '1h', 3600, 0],
    ['period', 'token_period', '1h', 3600, 0],
    ['secret-id-bound-cidrs', 'secret_id_bound_cidrs', '10.0.0.0/8', ['10.0.0.0/8'], null],
    ['token-bound-cidrs', 'token_bound_cidrs', '127.0.0.1/32', ['127.0.0.1'], null],
  ]
  for (const [path, name, sent, shown, cleared] of settings) {
    const at = `role/r/${path}`
    assert.equal((await mount.ask('write', at, { [name]: sent })).status, 204, path)
    assert.deepEqual((await mount.ask('read', at)).data, { [name]: shown })
    assert.equal((await mount.ask('delete', at)).status, 204)
    assert.deepEqual((await mount.ask('read', at)).data, { [name]: cleared })
    assert.equal((await mount.ask('read', `role/none/${path}`)).status, 404)
    const unknown = await mount.ask('write', `role/none/${path}`, { [name]: sent })
    assert.deepEqual([unknown.status, unknown.error], [404, 'unsupported path'])
  }
})

it('renews with the lifetimes of now, and not without the role', async () => {
  const mount = await withRole({ token_period: '5m' })
  const renew = () => mount.renew({ role_name: 'r' }, [])
  assert.deepEqual(await renew(), { ttl: 0, maxTtl: 0, period: 300 })
  await mount.ask('delete', 'role/r')
  await assert.rejects(renew(), { message: 'role "r" does not exist during renewal' })
})

it('locks a role id out after five unknown secret ids', async () => {
  const mount = await withRole()
  const { secret_id: secretId } = await makeId(mount)
  for (let times = 0; times < 5; times++) assert.deepEqual(await logIn(mount, 'bad'), WRONG)
  assert.equal((await logIn(mount, secretId)).status, 403)
  mount.now += 15 * 60_000
  assert.ok((await logIn(mount, secretId)).login)
})

it('leaves nothing of a disabled mount', async () => {
  const mount = await withRole()
  await makeId(mount)
  await logIn(mount, 'bad')
  const { namespace, mount: place } = mount.place
  await dropMount(mount.records, namespace, place)
  for (const range of [
    allRoles(mount.place),
    allAccessors(mount.place),
    allFailures(namespace, place),
  ]) {
    assert.equal(await mount.count(range), 0)
  }
})
