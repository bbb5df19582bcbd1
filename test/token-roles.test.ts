import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { InProcess } from './support/in-process.ts'
import { startInProcess } from './support/in-process.ts'

const SELF = 'auth/token/lookup-self'

describe('a token role', () => {
  let server: InProcess
  before(async () => {
    server = await startInProcess()
  })
  after(async () => {
    assert.deepEqual(server.faults, [])
    await server.stop()
  })

  const role = async (name: string, body = {}) => {
    const answer = await server.write(`auth/token/roles/${name}`, body)
    assert.equal(answer.status, 204, answer.errors.join())
  }
  const create = (name: string, body = {}, token = 'root') =>
    server.write(`auth/token/create/${name}`, { policies: ['default'], ...body }, token)

  it('is asked anew at each renewal', async () => {
    await role('renewing', { token_period: '1h' })
    const { auth } = await create('renewing')
    const renew = () => server.write('auth/token/renew-self', {}, auth['client_token'])
    assert.equal((await renew()).auth['lease_duration'], 3_600)
    await role('renewing', { token_period: '2h' })
    assert.equal((await renew()).auth['lease_duration'], 7_200)
    await role('renewing', { token_explicit_max_ttl: '90m' })
    assert.equal((await renew()).auth['lease_duration'], 5_400)
    await server.remove('auth/token/roles/renewing')
    const gone = await renew()
    assert.equal(gone.status, 500)
    assert.match(gone.errors[0]!, /original token role "renewing" could not be found/)
  })

  it('limits uses to the smaller of what it and the request say', async () => {
    await role('uses', { token_num_uses: 2 })
    for (const [asked, is] of [
      [0, 2],
      [1, 1],
      [5, 2],
    ]) {
      assert.equal((await create('uses', { num_uses: asked })).auth['num_uses'], is)
    }
    const { auth } = await create('uses')
    const seen = []
    for (let time = 0; time < 3; time++) {
      seen.push((await server.read(SELF, auth['client_token'])).status)
    }
    assert.deepEqual(seen, [200, 200, 403])
  })

  it('decides alone whether a token is an orphan', async () => {
    await role('child', {})
    await role('orphan', { orphan: true })
    assert.equal((await create('child', { no_parent: true })).auth['orphan'], false)
    assert.equal((await create('orphan')).auth['orphan'], true)
  })

  it('gives the type unless it leaves it to the request', async () => {
    const batch = { orphan: true, renewable: false }
    for (const [type, asked, is] of [
      ['service', 'batch', 'service'],
      ['batch', 'service', 'batch'],
      ['default-service', undefined, 'service'],
      ['default-service', 'batch', 'batch'],
      ['default-batch', undefined, 'batch'],
      ['default-batch', 'service', 'service'],
    ] as const) {
      await role('typed', { ...batch, token_type: type })
      const made = await create('typed', asked === undefined ? {} : { type: asked })
      assert.equal(made.auth['token_type'], is, `${type} ${asked}`)
    }
  })

  it('says in a hint that a batch token has none of its limits', async () => {
    await role('limited', { token_type: 'default-batch', period: '1h' })
    assert.deepEqual((await create('limited')).hints, ['batch-token-limits'])
    assert.deepEqual((await create('limited', { type: 'service' })).hints, [])
  })

  it('makes one entity for an alias, however many ask at once', async () => {
    await role('aliased', { allowed_entity_aliases: ['svc-*'] })
    const made = await Promise.all(
      Array.from({ length: 8 }, () => create('aliased', { entity_alias: 'svc-one' })),
    )
    const ids = new Set(made.map(({ auth }) => auth['entity_id']))
    assert.equal(ids.size, 1)
    const [id] = ids
    await server.write('identity/group', { name: 'team', member_entity_ids: [id] })
    await create('aliased', { entity_alias: 'SVC-one' })
    const entity = await server.read(`identity/entity/id/${id}`)
    assert.equal(entity.data['direct_group_ids'].length, 1)
    assert.equal(entity.data['aliases'].length, 1)
  })

  it('makes no entity when the token is refused', async () => {
    await role('refusing', { allowed_entity_aliases: '*', disallowed_policies: 'bad' })
    const answer = await create('refusing', { entity_alias: 'never', policies: ['bad'] })
    assert.equal(answer.status, 400)
    const made = await create('refusing', { entity_alias: 'other' })
    const entity = await server.read(`identity/entity/id/${made.auth['entity_id']}`)
    assert.equal(entity.data['aliases'][0].name, 'other')
    const found = await server.write('identity/lookup/entity', {
      alias_name: 'never',
      alias_mount_accessor: entity.data['aliases'][0].mount_accessor,
    })
    assert.equal(found.status, 204)
  })

  it('is too large beyond its bound, and stays as it was', async () => {
    await role('large', { allowed_policies: ['a'] })
    const names = Array.from({ length: 20_000 }, (_, index) => `policy-${index}`)
    const answer = await server.write('auth/token/roles/large', { allowed_policies: names })
    assert.equal(answer.status, 400)
    assert.match(answer.errors[0]!, /at most 131072 are kept/)
    assert.deepEqual((await server.read('auth/token/roles/large')).data['allowed_policies'], ['a'])
  })
})

it('a token that is renewed and revoked at once stays revoked', async () => {
  const server = await startInProcess()
  for (let round = 0; round < 20; round++) {
    const { auth } = await server.write('auth/token/create', { policies: ['default'] })
    const token = auth['client_token']
    await Promise.all([
      server.write('auth/token/renew', { token }),
      server.write('auth/token/revoke', { token }),
      server.write('auth/token/renew', { token }),
    ])
    assert.equal((await server.read(SELF, token)).status, 403)
  }
  assert.deepEqual(server.faults, [])
  await server.stop()
})
