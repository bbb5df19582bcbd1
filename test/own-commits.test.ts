import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { withFaults } from '../src/storage/faults/fault-store.ts'
import type { Node } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'

/*
 * What the server commits for itself (a use spent, an answer wrapped) rests on the keyring alone, and goes on with the new one when
 * another node has rotated it.
 */
describe('a node that has not heard of a rotation', () => {
  let a: Node
  let b: Node
  /** Runs once, before the next commit of node B. */
  let interrupt: (() => Promise<unknown>) | undefined
  before(async () => {
    ;[a, b] = (await startNodes(2, {
      storeOf: (node, store) =>
        node === 0
          ? store
          : withFaults(store, ({ operation }) => {
              if (operation !== 'commit' || interrupt === undefined) return undefined
              const run = interrupt
              interrupt = undefined
              return { before: async () => void (await run()) }
            }),
    })) as [Node, Node]
    await a.write('sys/policies/acl/all', {
      policy: 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }',
    })
  })
  after(async () => {
    await a.close()
    await b.close()
  })

  const rotate = async (): Promise<void> => {
    assert.equal((await a.write('sys/rotate')).status, 204)
  }
  const limited = async (uses: number): Promise<string> =>
    (await a.write('auth/token/create', { num_uses: uses, policies: ['all'] })).auth.token

  it('takes a token that is limited in uses', async () => {
    const token = await limited(2)
    await b.read('sys/mounts')
    await rotate()
    assert.equal((await b.read('sys/mounts', token)).status, 200)
    assert.equal((await b.read('sys/mounts', token)).status, 200)
    assert.equal((await b.read('sys/mounts', token)).status, 403)
  })

  it('carries out a request although the last use of its token was spent when it was decided anew', async () => {
    const token = await limited(1)
    // The first commit of node B spends the use, the second is the request's own.
    interrupt = async () => void (interrupt = rotate)
    const answer = await b.write('identity/entity', { name: 'last-use' }, token)
    assert.deepEqual([answer.status, answer.errors], [200, []])
    assert.equal((await b.read('sys/mounts', token)).status, 403)
  })

  it('gives out what was wrapped, once', async () => {
    const wrapped = await a.ask({
      operation: 'update',
      path: 'sys/wrapping/wrap',
      data: { secret: 'kept' },
      wrapTtlSeconds: 60,
    })
    interrupt = async () => void (interrupt = rotate)
    const answer = await b.write('sys/wrapping/unwrap', {}, wrapped.wrapToken!)
    assert.deepEqual([answer.status, answer.errors], [200, []])
    assert.equal((await b.write('sys/wrapping/unwrap', {}, wrapped.wrapToken!)).status, 400)
  })

  it('spends one use of a secret id for a login whose answer is wrapped', async () => {
    await a.write('sys/auth/approle', { type: 'approle' })
    await a.write('auth/approle/role/app', { secret_id_num_uses: 3 })
    const roleId = (await a.read('auth/approle/role/app/role-id')).data['role_id']!
    const { data } = await a.write('auth/approle/role/app/secret-id')
    const login = { role_id: roleId, secret_id: data['secret_id']! }
    await b.write('identity/entity', { name: 'in-step-again' })
    interrupt = async () => void (interrupt = rotate)
    const answer = await b.ask({
      operation: 'update',
      path: 'auth/approle/login',
      token: '',
      data: login,
      wrapTtlSeconds: 60,
    })
    assert.equal(answer.status, 200)
    const left = await a.write('auth/approle/role/app/secret-id/lookup', {
      secret_id: login.secret_id,
    })
    assert.equal(Number(left.data['secret_id_num_uses']), 2)
  })
})
