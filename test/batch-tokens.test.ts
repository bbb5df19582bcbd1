import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { limits } from '../src/limits.ts'
import type { InProcess } from './support/in-process.ts'
import { startInProcess } from './support/in-process.ts'

const SELF = 'auth/token/lookup-self'

describe('a batch token', () => {
  let server: InProcess
  before(async () => {
    server = await startInProcess()
    await server.write('sys/policies/acl/maker', {
      policy: 'path "auth/token/*" { capabilities = ["update", "sudo"] }',
    })
    await server.write('sys/auth/people', { type: 'userpass' })
    await server.write('auth/people/users/ann', { password: 'p' })
  })
  after(async () => {
    assert.deepEqual(server.faults, [])
    await server.stop()
  })

  const create = async (token = 'root', body = {}, path = 'auth/token/create') =>
    (await server.write(path, { policies: ['default', 'maker'], ...body }, token)).auth
  const status = async (token: string) => (await server.read(SELF, token)).status
  const service = async (token = 'root') => (await create(token))['client_token'] as string
  const batch = async (token = 'root', path?: string) =>
    (await create(token, { type: 'batch' }, path))['client_token'] as string

  describe('ends with', () => {
    it('its parent, at once', async () => {
      const parent = await service()
      const child = await batch(parent)
      assert.equal(await status(child), 200)
      await server.write('auth/token/revoke', { token: parent })
      assert.equal(await status(child), 403)
    })

    it('an ancestor of its parent', async () => {
      const first = await service()
      const child = await batch(await service(await service(first)))
      assert.equal(await status(child), 200)
      await server.write('auth/token/revoke', { token: first })
      assert.equal(await status(child), 403)
    })

    it('a parent that expires', async () => {
      const { client_token: parent } = await create('root', { ttl: '1h' })
      const { client_token: child } = await create(parent, { type: 'batch', ttl: '10h' })
      assert.equal(await status(child), 200)
      await server.forward(3_601_000)
      assert.equal(await status(child), 403)
    })

    it('its parent, also when another token gets the id that was free again', async () => {
      const parent = { id: 'chosen', policies: ['default', 'maker'] }
      await server.write('auth/token/create', parent)
      const child = await batch('chosen')
      assert.equal(await status(child), 200)
      await server.write('auth/token/revoke', { token: 'chosen' })
      await server.forward(10)
      assert.equal((await server.write('auth/token/create', parent)).status, 200)
      assert.equal(await status('chosen'), 200)
      assert.equal(await status(child), 403)
      assert.equal(await status(await batch('chosen')), 200)
    })

    it('its own time', async () => {
      const { client_token: token } = await create('root', { type: 'batch', ttl: '1h' })
      await server.forward(3_599_000 - 5_000)
      assert.equal(await status(token), 200)
      await server.forward(6_000)
      assert.equal(await status(token), 403)
    })

    it('a parent that is revoked alone, before and after the clean-up', async () => {
      const parent = await service()
      const child = await batch(parent)
      const other = await service(parent)
      await server.write('auth/token/revoke-orphan', { token: parent })
      assert.equal(await status(child), 403)
      assert.equal(await status(other), 200)
      await server.write('auth/token/tidy')
      assert.equal(await status(child), 403)
    })

    it('not with an ancestor of which its parent became an orphan', async () => {
      const first = await service()
      const parent = await service(first)
      const child = await batch(parent)
      await server.write('auth/token/revoke-orphan', { token: first })
      assert.equal(await status(child), 200)
      await server.write('auth/token/tidy')
      assert.equal(await status(child), 200)
      await server.write('auth/token/revoke', { token: parent })
      assert.equal(await status(child), 403)
    })

    it('not with the token that made it as an orphan', async () => {
      const maker = await service()
      const orphan = await batch(maker, 'auth/token/create-orphan')
      await server.write('auth/token/revoke', { token: maker })
      assert.equal(await status(orphan), 200)
    })

    it('its entity, and rests while that is disabled', async () => {
      await server.write('auth/people/users/bob', { password: 'p', token_type: 'batch' })
      const { auth } = await server.write('auth/people/login/bob', { password: 'p' }, '')
      assert.equal(auth['token_type'], 'batch')
      const entity = `identity/entity/id/${auth['entity_id']}`
      await server.write(entity, { disabled: true })
      assert.equal(await status(auth['client_token']), 403)
      await server.write(entity, { disabled: false })
      assert.equal(await status(auth['client_token']), 200)
      await server.remove(entity)
      assert.equal(await status(auth['client_token']), 403)
    })

    it('the mount that issued it, also when another comes to its path', async () => {
      await server.write('sys/auth/gone', { type: 'userpass' })
      await server.write('auth/gone/users/cy', { password: 'p', token_type: 'batch' })
      const { auth } = await server.write('auth/gone/login/cy', { password: 'p' }, '')
      assert.equal(await status(auth['client_token']), 200)
      await server.remove('sys/auth/gone')
      assert.equal(await status(auth['client_token']), 403)
      await server.write('sys/auth/gone', { type: 'userpass' })
      assert.equal(await status(auth['client_token']), 403)
    })
  })

  describe('whose text was changed', () => {
    it('is refused whatever character it is', async () => {
      const token = await batch()
      for (let at = 2; at < token.length; at++) {
        const other = token[at] === 'A' ? 'B' : 'A'
        const changed = token.slice(0, at) + other + token.slice(at + 1)
        const answer = await server.read(SELF, changed)
        assert.deepEqual([answer.status, answer.errors], [403, ['permission denied']], `at ${at}`)
      }
      assert.equal(await status(token), 200)
    })

    it('is refused when only unused bits of the last character differ', async () => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      let tried = 0
      // Of three lengths of a display name, one gives a text without unused bits.
      for (const name of ['a', 'aa', 'aaa']) {
        const { client_token: token } = await create('root', { type: 'batch', display_name: name })
        const bytes = Buffer.from(token.slice(2), 'base64url')
        for (const last of alphabet) {
          const other = token.slice(0, -1) + last
          if (other === token || !Buffer.from(other.slice(2), 'base64url').equals(bytes)) continue
          assert.equal(await status(other), 403)
          tried++
        }
      }
      assert.ok(tried >= 4)
    })

    it('is refused cut or longer, and told apart from what is no base64url', async () => {
      const token = await batch()
      assert.equal(await status(token.slice(0, -4)), 403)
      assert.equal(await status(`${token}AAAA`), 403)
      assert.equal(await status('b.'), 403)
      assert.equal(await status('b.AAAA'), 403)
      for (const [text, at] of [
        ['b.AB*D', 2],
        ['b.AAAAA', 4],
        [`${token}.x`, token.length - 2],
      ] as const) {
        const answer = await server.read(SELF, text)
        const said = `error performing token check: illegal base64 data at input byte ${at}`
        assert.deepEqual([answer.status, answer.errors], [500, [said]], text)
      }
    })

    it('is ignored where no token is needed', async () => {
      const { status: answered } = await server.write(
        'auth/people/login/ann',
        { password: 'p' },
        'b.*',
      )
      assert.equal(answered, 200)
    })
  })

  describe('that is used while its parent is revoked', () => {
    it('works before the answer to the revocation or not at all, and never after it', async () => {
      for (let round = 0; round < 20; round++) {
        const parent = await service()
        const child = await batch(parent)
        let revoked = false
        const use = async (): Promise<void> => {
          const late = revoked
          const seen = await status(child)
          assert.ok(seen === 403 || (seen === 200 && !late), `round ${round}: ${seen}`)
        }
        const revoke = async (): Promise<void> => {
          await server.write('auth/token/revoke', { token: parent })
          revoked = true
        }
        await Promise.all([use(), use(), revoke(), use(), use()])
        await Promise.all([use(), use()])
      }
    })

    it('changes nothing afterwards', async () => {
      await server.write('sys/policies/acl/writer', {
        policy: 'path "secret/*" { capabilities = ["create", "update"] }',
      })
      for (let round = 0; round < 20; round++) {
        const { client_token: parent } = await create('root', { policies: ['writer', 'maker'] })
        const { client_token: child } = await create(parent, {
          type: 'batch',
          policies: ['writer'],
        })
        let revoked = false
        const write = async (): Promise<void> => {
          const late = revoked
          const { status: seen } = await server.write(`secret/data/${round}`, { data: {} }, child)
          assert.ok(seen === 403 || (seen === 200 && !late), `round ${round}: ${seen}`)
        }
        const revoke = async (): Promise<void> => {
          await server.write('auth/token/revoke', { token: parent })
          revoked = true
        }
        await Promise.all([write(), revoke(), write()])
        await write()
      }
    })
  })

  it('is made by no revoked token, and an orphan neither', async () => {
    for (const path of ['auth/token/create', 'auth/token/create-orphan']) {
      const maker = await service()
      const [made] = await Promise.all([
        server.write(path, { type: 'batch' }, maker),
        server.write('auth/token/revoke', { token: maker }),
      ])
      assert.ok([200, 400, 403].includes(made.status))
      assert.equal((await server.write(path, { type: 'batch' }, maker)).status, 403)
    }
  })

  it('is refused when its text would not fit in a header, and nothing is made', async () => {
    const { status: answered, errors } = await server.write('auth/token/create', {
      type: 'batch',
      policies: ['default'],
      meta: { long: 'x'.repeat(limits.batchTokenBytes) },
    })
    assert.equal(answered, 400)
    assert.match(errors[0]!, /at most 32768 fit in a header/)
    const { auth } = await server.write('auth/token/create', {
      type: 'batch',
      policies: ['default'],
      meta: { long: 'x'.repeat(20_000) },
    })
    assert.ok(auth['client_token'].length <= limits.batchTokenBytes)
    assert.equal(await status(auth['client_token']), 200)
  })

  it('comes from a mount that is tuned to it, with a hint when that drops a limit', async () => {
    await server.write('sys/auth/tuned', {
      type: 'userpass',
      config: { token_type: 'default-batch' },
    })
    const login = async (user: object) => {
      await server.write('auth/tuned/users/dee', { ...user })
      return server.write('auth/tuned/login/dee', { password: 'p' }, '')
    }
    const plain = await login({ password: 'p' })
    assert.equal(plain.auth['token_type'], 'batch')
    assert.deepEqual(plain.hints, [])
    assert.equal((await login({ token_type: 'service' })).auth['token_type'], 'service')
    await server.write('sys/auth/tuned/tune', { token_type: 'batch' })
    const limited = await login({ token_type: 'service', token_num_uses: 3 })
    assert.deepEqual(
      [limited.auth['token_type'], limited.auth['num_uses'], limited.hints],
      ['batch', 0, ['batch-token-limits']],
    )
  })

  it('is bound to the addresses of its maker', async () => {
    await server.write('auth/token/roles/near', {
      token_type: 'batch',
      orphan: true,
      renewable: false,
      token_bound_cidrs: '10.0.0.0/8',
    })
    const { auth } = await server.write('auth/token/create/near', { policies: ['default'] })
    assert.equal((await server.read(SELF, auth['client_token'])).status, 403)
    const answer = await server.read(SELF, auth['client_token'], '10.1.2.3')
    assert.deepEqual(answer.data['bound_cidrs'], ['10.0.0.0/8'])
  })

  it('keeps metadata of any name', async () => {
    const meta = JSON.parse('{"__proto__":"a","constructor":"b","é":"c"}') as Record<string, string>
    const { auth } = await server.write('auth/token/create', {
      type: 'batch',
      policies: ['default'],
      meta,
    })
    const { data } = await server.read(SELF, auth['client_token'])
    assert.equal(JSON.stringify(Object.entries(data['meta'])), JSON.stringify(Object.entries(meta)))
  })
})
