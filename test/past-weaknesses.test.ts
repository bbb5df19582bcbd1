import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { interpret } from '../src/http/interpret.ts'
import { httpLimits } from '../src/http/limits.ts'
import type { Json } from '../src/std/json.ts'
import { createMemoryStore } from '../src/storage/memory/memory-store.ts'
import type { Node, NodeAnswer } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'
import { authenticator, textOf, validate } from './support/second-factor.ts'

/*
 * A test for each class of weakness that Vault and OpenBao once had and that what is built here could have too. What they have in
 * common: a name is brought into its form in one place and not in the other, or a check stands on one way in and not on the other.
 */

/** Ways to write `root` that some reader somewhere takes for it. */
const ROOTS = ['root', 'ROOT', ' root', 'Root ', '\troot\n', 'root,default']

/** Of `pw`, cheap to check. */
const PASSWORD_HASH = '$2b$05$2NYH9g3feRGNS0WuMX4DIejd9SN.2h5b0UeKM4cQdJcrFjp9a3KwW'

const ALL = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'

describe('past weaknesses', () => {
  let node: Node
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5) }
  before(async () => {
    ;[node] = (await startNodes(1, {
      store: createMemoryStore({ clock: () => clock.now }),
    })) as unknown as [Node]
    await put('sys/auth/people', { type: 'userpass' })
    await put('sys/auth/machines', { type: 'approle' })
    await put('sys/mounts/secret', { type: 'kv' })
    await put('secret/probe', { v: 1 })
  })
  after(() => node.close())

  const put = async (path: string, data: Readonly<Record<string, Json>>): Promise<NodeAnswer> => {
    const answer = await node.write(path, data)
    assert.ok(answer.status < 300, `${path}: ${answer.errors.join()}`)
    return answer
  }
  const login = (user: string, password = 'pw') =>
    node.write(`auth/people/login/${user}`, { password }, '')
  let people = 0
  /** Somebody with a token. */
  const person = async () => {
    const name = `person${people++}`
    await put(`auth/people/users/${name}`, { password_hash: PASSWORD_HASH })
    const { auth } = await login(name)
    return { name, ...auth }
  }
  const isNotRoot = async (token: string, how: string): Promise<void> => {
    if (token === '') return
    for (const path of ['sys/mounts', 'secret/probe', 'auth/token/accessors/']) {
      assert.equal((await node.read(path, token)).status, 403, `${how}: ${path}`)
    }
    assert.equal((await node.write('secret/probe', { v: 2 }, token)).status, 403, how)
    const self = await node.read('auth/token/lookup-self', token)
    assert.ok(!((self.data['policies'] ?? []) as string[]).includes('root'), how)
  }

  describe('root by another name (CVE-2024-9180, CVE-2025-5999, CVE-2025-54996, CVE-2025-64761)', () => {
    it('is not had through the policies of an entity', async () => {
      for (const root of ROOTS) {
        const { name, token, entityId } = await person()
        await node.write(`identity/entity/id/${entityId}`, { policies: [root] })
        await isNotRoot(token, `an entity with ${JSON.stringify(root)}`)
        await isNotRoot((await login(name)).auth.token, 'a login after that')
        await node.write('identity/entity', { id: entityId, policies: root })
        await isNotRoot(token, `an entity with the text ${JSON.stringify(root)}`)
      }
    })

    it('is not had through the policies of a group, nor of one above it', async () => {
      for (const root of ROOTS) {
        const { name, token, entityId } = await person()
        const inner = await put('identity/group', { member_entity_ids: [entityId] })
        const outer = await put('identity/group', { member_group_ids: [inner.data['id']!] })
        for (const group of [inner, outer]) {
          await node.write('identity/group', { id: group.data['id']!, policies: [root] })
          await isNotRoot(token, `a group with ${JSON.stringify(root)}`)
          await isNotRoot((await login(name)).auth.token, 'a login after that')
        }
      }
    })

    it('is not had through a user, a role, or a token that may do anything else', async () => {
      await put('sys/policies/acl/all', { policy: ALL })
      const { auth } = await put('auth/token/create', { policies: ['all'] })
      for (const [at, root] of ROOTS.entries()) {
        for (const field of ['token_policies', 'policies']) {
          const name = `user-${at}-${field}`
          await node.write(`auth/people/users/${name}`, {
            password_hash: PASSWORD_HASH,
            [field]: [root],
          })
          await isNotRoot((await login(name)).auth.token, `a user with ${JSON.stringify(root)}`)
        }
        await node.write(`auth/machines/role/r${at}`, { token_policies: [root] })
        const roleId = (await node.read(`auth/machines/role/r${at}/role-id`)).data['role_id']!
        const secret = (await put(`auth/machines/role/r${at}/secret-id`, {})).data['secret_id']!
        const machine = { role_id: roleId, secret_id: secret }
        const logged = await node.write('auth/machines/login', machine, '')
        await isNotRoot(logged.auth.token, `a role with ${JSON.stringify(root)}`)
        const asks = [{ policies: [root] }, { policies: [root], no_default_policy: true }]
        for (const ask of asks) {
          const made = await node.write('auth/token/create', ask, auth.token)
          await isNotRoot(made.auth.token, `a token with ${JSON.stringify(root)}`)
        }
        for (const list of ['allowed_policies', 'allowed_policies_glob']) {
          await node.write(`auth/token/roles/t${at}`, { [list]: [root, '*'] })
          const asked = { policies: [root] }
          const made = await node.write(`auth/token/create/t${at}`, asked, auth.token)
          await isNotRoot(made.auth.token, `a token role with ${JSON.stringify(root)}`)
        }
      }
    })

    it('is nobody’s to write', async () => {
      for (const name of ['root', 'ROOT', 'Root']) {
        assert.equal((await node.write(`sys/policies/acl/${name}`, { policy: ALL })).status, 400)
        assert.equal((await node.write(`sys/policy/${name}`, { policy: ALL })).status, 400)
      }
    })
  })

  describe('one person by several spellings (CVE-2025-6004, CVE-2025-6013)', () => {
    it('has one count of failed logins, of users', async () => {
      await put('auth/people/users/mallory', { password_hash: PASSWORD_HASH })
      const spellings = ['mallory', 'Mallory', 'MALLORY', 'mAllory', 'malloRY']
      for (const name of spellings) assert.equal((await login(name, 'no')).status, 400)
      for (const name of spellings) assert.equal((await login(name)).status, 403, name)
    })

    it('has one count of failed logins, of machines', async () => {
      await put('auth/machines/role/locked', {})
      const id = (await node.read('auth/machines/role/locked/role-id')).data['role_id'] as string
      const { data } = await put('auth/machines/role/locked/secret-id', {})
      const spellings = [id, ` ${id}`, `${id} `, `\t${id}`, `${id}\n`]
      const log = (role_id: string, secret_id: Json) =>
        node.write('auth/machines/login', { role_id, secret_id }, '')
      for (const spelling of spellings) assert.equal((await log(spelling, 'no')).status, 400)
      for (const spelling of spellings) {
        assert.equal((await log(spelling, data['secret_id']!)).status, 403)
      }
    })

    it('is one entity, whichever way an alias was written', async () => {
      await put('auth/people/users/zoe', { password_hash: PASSWORD_HASH })
      const { entityId } = (await login('zoe')).auth
      for (const name of ['Zoe', 'ZOE']) assert.equal((await login(name)).auth.entityId, entityId)
      const { data } = await node.read(`identity/entity/id/${entityId}`)
      const [alias] = data['aliases'] as unknown as { readonly mount_accessor: string }[]
      const taken = await node.write('identity/entity-alias', {
        name: 'ZOE',
        mount_accessor: alias!.mount_accessor,
        canonical_id: (await person()).entityId,
      })
      assert.notEqual(taken.data['canonical_id'], entityId)
      const { data: now } = await node.read(`identity/entity/id/${entityId}`)
      const elsewhere = (await login('zoe')).auth.entityId
      assert.equal((now['aliases'] as unknown[]).length, elsewhere === entityId ? 1 : 0)
    })
  })

  it('a passcode is good once, however it is spelled (CVE-2025-6014, CVE-2025-6015)', async () => {
    await put('sys/auth/staff', { type: 'userpass' })
    await put('auth/staff/users/ann', { password_hash: PASSWORD_HASH })
    const enter = () => node.write('auth/staff/login/ann', { password: 'pw' }, '')
    const { entityId } = (await enter()).auth
    const method = await put('identity/mfa/method/totp', {
      issuer: 'acme',
      max_validation_attempts: 3,
    })
    const id = textOf(method, 'method_id')
    const app = authenticator(
      await put('identity/mfa/method/totp/admin-generate', { method_id: id, entity_id: entityId }),
    )
    const accessor = (await node.read('sys/auth')).data['staff/'] as Record<string, string>
    await put('identity/mfa/login-enforcement/staff', {
      mfa_method_ids: [id],
      auth_method_accessors: [accessor['accessor']!],
    })
    const code = app.at(clock.now)
    const first = await enter()
    assert.equal((await validate(node, first, { [id]: [code] })).status, 200)
    for (const again of [code, ` ${code}`, `${code} `, `passcode=${code}`]) {
      const answer = await validate(node, await enter(), { [id]: [again] })
      assert.deepEqual([answer.status, answer.auth.token], [403, ''], again)
    }
    // Those were more guesses than are allowed: the next right passcode comes too late.
    clock.now += 30_000
    await node.read('sys/mounts')
    const late = await validate(node, await enter(), { [id]: [app.at(clock.now)] })
    assert.deepEqual([late.status, late.auth.token], [403, ''])
  })

  it('a value in a template is no pattern (GHSA-59w7)', async () => {
    await put('sys/policies/acl/own', {
      policy: `path "secret/{{identity.entity.metadata.team}}/*" { capabilities = ["read"] }
        path "secret/{{identity.entity.name}}" { capabilities = ["read"] }`,
    })
    await put('secret/red/x', { v: 1 })
    for (const team of ['*', '+', 'r*', '+/..', 'red/x/../..', '']) {
      const { token, entityId } = await person()
      await put(`identity/entity/id/${entityId}`, { policies: ['own'], metadata: { team } })
      assert.equal((await node.read('secret/red/x', token)).status, 403, team)
      await node.write(`identity/entity/id/${entityId}`, { name: `${team}*`, policies: ['own'] })
      assert.equal((await node.read('secret/probe', token)).status, 403, team)
    }
    const { token, entityId } = await person()
    await put(`identity/entity/id/${entityId}`, { policies: ['own'], metadata: { team: 'red' } })
    assert.equal((await node.read('secret/red/x', token)).status, 200)
  })

  it('a list is denied where its path is, with the slash and without (GHSA-xp3c)', async () => {
    await put('secret/hidden/x', { v: 1 })
    for (const pattern of [
      'secret/hidden',
      'secret/hidden/',
      'secret/hidden*',
      'secret/hidden/*',
    ]) {
      await put('sys/policies/acl/lister', {
        policy: `path "secret/*" { capabilities = ["list"] }
          path "${pattern}" { capabilities = ["deny"] }`,
      })
      const { auth } = await put('auth/token/create', { policies: ['lister'] })
      for (const operation of ['list', 'scan'] as const) {
        const answer = await node.ask({ operation, path: 'secret/hidden/', token: auth.token })
        assert.equal(answer.status, 403, pattern)
      }
      const above = await node.ask({ operation: 'list', path: 'secret/', token: auth.token })
      assert.equal(above.status, 200)
    }
  })

  it('no request names an operation that only the server asks of itself (GHSA-rh46)', async () => {
    const methods = ['RENEW', 'REVOKE', 'ROLLBACK', 'RESOLVE-ROLE', 'ALIAS-LOOKAHEAD', 'HEADER']
    for (const method of [...methods, 'OPTIONS', 'CREATE', 'get', 'TRACE']) {
      const judged = interpret(
        { method, target: '/v1/auth/people/login/x', headers: {}, body: new Uint8Array(0) },
        { remoteAddress: '127.0.0.1', remotePort: 1, requestId: 'id' },
        { limits: httpLimits },
      )
      assert.ok('answer' in judged, method)
      assert.equal(judged.answer.status, method === 'OPTIONS' ? 400 : 405, method)
    }
    // Help is for all who have a token, and runs nothing.
    const { auth } = await put('auth/token/create', { policies: ['default'] })
    const help = { operation: 'help', path: 'secret/probe' } as const
    assert.equal((await node.ask({ ...help, token: auth.token })).status, 200)
    assert.equal((await node.ask({ ...help, token: 'none' })).status, 403)
  })

  it('a signature is checked with the key and the algorithm of the mount, not those of the token (CVE-2020-16250, CVE-2020-16251)', async () => {
    await put('sys/auth/jwt', { type: 'jwt' })
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
    await put('auth/jwt/config', { jwt_validation_pubkeys: [pem] })
    await put('auth/jwt/role/r', { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['us'] })
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: 'root', aud: 'us', exp: Math.floor(clock.now / 1000) + 60 }
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const forged = [
      { alg: 'none' },
      { alg: 'None' },
      { alg: 'HS256' },
      { alg: 'ES256', jwk: own.export({ format: 'jwk' }) },
      { alg: 'ES256', jku: 'http://127.0.0.1:1/keys', kid: '../../keys' },
      { alg: 'ES256', crit: ['exp'] },
    ].flatMap((header) => {
      const signed = `${part(header)}.${part(claims)}`
      const mac = createHmac('sha256', pem).update(signed).digest('base64url')
      return [
        `${signed}.`,
        `${signed}.${mac}`,
        `${signed}.${Buffer.alloc(64).toString('base64url')}`,
      ]
    })
    for (const jwt of forged) {
      const answer = await node.write('auth/jwt/login', { role: 'r', jwt }, '')
      assert.deepEqual([answer.status, answer.auth.token], [400, ''])
    }
    assert.equal(privateKey.type, 'private')
  })

  it('a token is worth nothing outside its addresses, on open paths too', async () => {
    const { data } = await put('auth/token/roles/near', { token_bound_cidrs: ['10.0.0.0/8'] })
    assert.deepEqual(data, {})
    const { auth } = await put('auth/token/create/near', { policies: ['default'] })
    const read = (path: string, remoteAddress: string) =>
      node.ask({ path, token: auth.token, remoteAddress })
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3']) {
      assert.equal((await read('auth/token/lookup-self', address)).status, 200, address)
      assert.equal((await read('sys/internal/ui/mounts/secret', address)).status, 403)
      assert.equal((await read('sys/internal/ui/mounts', address)).status, 200, address)
    }
    for (const address of ['11.1.2.3', '::1', '', 'unknown', '10.1.2.3, 11.1.1.1']) {
      assert.equal((await read('auth/token/lookup-self', address)).status, 403, address)
      assert.equal((await read('sys/internal/ui/mounts', address)).status, 403, address)
    }
  })

  it('a path of very many segments is looked up at no more cost than it is long', async () => {
    const path = `nowhere/${'a/'.repeat(500_000)}a`
    assert.equal((await node.read(path)).status, 404)
  })
})
