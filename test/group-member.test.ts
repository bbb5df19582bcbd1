import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { InProcess } from './support/in-process.ts'
import { startInProcess } from './support/in-process.ts'
import { startTestServer } from './support/server.ts'

describe('who may change the members of a group', () => {
  let send: (method: string, path: string, token: string, body?: unknown) => Promise<any>
  let stop: () => Promise<void>
  before(async () => {
    const server = await startTestServer()
    stop = () => server.stop()
    send = async (method, path, token, body) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/v1/${path}`, {
        method,
        headers: { 'X-Vault-Token': token },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, ...(text === '' ? {} : JSON.parse(text)) }
    }
  })
  after(() => stop())

  const root = (method: string, path: string, body?: unknown) => send(method, path, 'root', body)
  const login = async (name: string): Promise<string> =>
    (await send('POST', `auth/people/login/${name}`, '', { password: 'p' })).auth.client_token

  it('is said by policies: a lead opens only their own group, and each verb by itself', async () => {
    await root('POST', 'sys/auth/people', { type: 'userpass' })
    for (const name of ['lead', 'ann', 'guest', 'auditor']) {
      await root('POST', `auth/people/users/${name}`, { password: 'p' })
    }
    const path = 'identity/group-member/name/{{identity.entity.metadata.team}}'
    await root('POST', 'sys/policies/acl/lead', {
      policy: `
        path "${path}" { capabilities = ["update", "delete", "list"] }
        path "${path}/*" { capabilities = ["read"] }
        path "identity/group-member/name/{{identity.groups.names.guild.name}}" { capabilities = ["update"] }
      `,
    })
    await root('POST', 'sys/policies/acl/look', {
      policy: 'path "identity/group-member/name/eng" { capabilities = ["list"] }',
    })
    for (const name of ['eng', 'ops', 'guild']) await root('POST', 'identity/group', { name })
    const tokens = new Map<string, string>()
    for (const name of ['lead', 'ann', 'guest', 'auditor']) tokens.set(name, await login(name))
    const entity = async (name: string): Promise<string> =>
      (await send('GET', 'auth/token/lookup-self', tokens.get(name)!)).data.entity_id
    for (const [name, more] of [
      ['lead', { policies: ['lead'], metadata: { team: 'eng' } }],
      ['auditor', { policies: ['look'] }],
      ['ann', {}],
      ['guest', {}],
    ] as const) {
      await root('POST', `identity/entity/id/${await entity(name)}`, { name, ...more })
    }
    const lead = tokens.get('lead')!
    const added = await send('POST', 'identity/group-member/name/eng', lead, {
      entity_names: ['ann'],
      ttl: '8h',
    })
    assert.equal(added.status, 200)
    assert.equal(added.data.added[0].name, 'ann')
    const listed = await send('LIST', 'identity/group-member/name/eng', lead)
    assert.deepEqual(listed.data.keys, [await entity('ann')])
    assert.equal(listed.data.key_info[listed.data.keys[0]].added_by, await entity('lead'))
    assert.equal(
      (await send('GET', 'identity/group-member/name/eng/ann', lead)).data.type,
      'entity',
    )

    const denied = async (method: string, where: string, token = lead): Promise<void> => {
      const body = method === 'POST' ? { entity_names: 'guest' } : undefined
      const answer = await send(method, `identity/${where}`, token, body)
      assert.equal(answer.status, 403, `${method} ${where}`)
    }
    await denied('POST', 'group-member/name/ops')
    await denied('DELETE', 'group-member/name/ops?entity_names=ann')
    await denied('LIST', 'group-member/name/ops')
    await denied('GET', 'group-member/name/ops/ann')
    await denied('POST', `group-member/id/${added.data.group_id}`)
    await denied('POST', 'group/name/eng')
    // Of a group by whose name the rule is made, only members have it.
    await denied('POST', 'group-member/name/guild')
    await root('POST', 'identity/group-member/name/guild', { entity_names: 'lead' })
    const guild = await send('PUT', 'identity/group-member/name/guild', lead, {
      entity_names: 'guest',
    })
    assert.equal(guild.status, 200)
    await denied('DELETE', 'group-member/name/guild?entity_names=guest')

    const auditor = tokens.get('auditor')!
    assert.equal((await send('LIST', 'identity/group-member/name/eng', auditor)).status, 200)
    await denied('POST', 'group-member/name/eng', auditor)
    await denied('DELETE', 'group-member/name/eng?entity_names=ann', auditor)

    const none = await send('DELETE', 'identity/group-member/name/eng', lead)
    assert.equal(none.status, 400)
    const removed = await send('DELETE', 'identity/group-member/name/eng?entity_names=ann', lead)
    assert.equal(removed.data.removed[0].name, 'ann')
    assert.equal((await send('LIST', 'identity/group-member/name/eng', lead)).status, 404)
  })
})

describe('a membership that ends', () => {
  let server: InProcess
  before(async () => {
    server = await startInProcess()
  })
  after(async () => {
    assert.deepEqual(server.faults, [])
    await server.stop()
  })

  it('opens nothing from that instant on, for a token that was asked just before', async () => {
    await server.write('sys/policies/acl/secret', {
      policy: 'path "secret/data/x" { capabilities = ["read"] }',
    })
    await server.write('secret/data/x', { data: { a: '1' } })
    await server.write('identity/group', { name: 'eng', policies: ['secret'] })
    await server.write('sys/auth/people', { type: 'userpass' })
    await server.write('auth/people/users/ann', { password: 'p' })
    const { auth } = await server.write('auth/people/login/ann', { password: 'p' }, '')
    const token = auth['client_token'] as string
    const ask = async () => (await server.read('secret/data/x', token)).status
    assert.equal(await ask(), 403)
    const added = { entity_ids: auth['entity_id'], ttl: '1h' }
    await server.write('identity/group-member/name/eng', added)
    assert.equal(await ask(), 200)
    // A write goes to the store, whose answer tells the time.
    const forward = async (time: number): Promise<void> => {
      await server.forward(time)
      await server.write('identity/group', { name: 'tick' })
    }
    await forward(3_600_000 - 60_000)
    assert.equal(await ask(), 200)
    await forward(60_000)
    assert.equal(await ask(), 403)
  })
})
