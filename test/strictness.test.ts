import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openPostgresStore } from '../src/storage/postgres/postgres-store.ts'
import type { Node, NodeAnswer } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'
import { skipWithout, startPostgres } from './support/postgres.ts'

/*
 * Whatever is acknowledged by one node binds every other at its next request: each change that can alter an answer is made
 * on node A, and node B, whose caches are warm, is asked at once. The table keeps the caller's dependencies honest as
 * engines are added (architecture.md (c) 6).
 */

const READER = 'path "secret/*" { capabilities = ["read", "update", "create"] }'

interface World {
  readonly a: Node
  readonly b: Node
  /** A token of alice, who is a member of eng. */
  readonly token: string
  readonly accessor: string
  readonly entityId: string
  readonly aliasId: string
  readonly groupId: string
  readonly childGroupId: string
}

let count = 0

const idOf = ({ data }: NodeAnswer): string => data['id'] as string

/** A person with a policy by her group's parent, asked for once by node B so that its caches are warm. */
const world = async (
  [a, b]: readonly Node[],
  policiesBy: 'token' | 'entity' | 'group' | 'parent',
) => {
  const name = `alice${count++}`
  const policy = `reader-${name}`
  const ok = (answer: { status: number; errors: readonly string[] }) =>
    assert.ok(answer.status < 300, answer.errors.join())
  ok(await a!.write(`sys/policies/acl/${policy}`, { policy: READER }))
  ok(
    await a!.write(`auth/up-${name}/users/${name}`, {
      password: 'pw',
      token_policies: policiesBy === 'token' ? policy : '',
    }),
  )
  const login = await a!.ask({
    operation: 'update',
    path: `auth/up-${name}/login/${name}`,
    data: { password: 'pw' },
    token: '',
  })
  ok(login)
  const { token, accessor, entityId } = login.auth
  const entity = await a!.read(`identity/entity/id/${entityId}`)
  const [alias] = entity.data['aliases'] as unknown as { readonly id: string }[]
  if (policiesBy === 'entity')
    ok(await a!.write(`identity/entity/id/${entityId}`, { policies: [policy] }))
  const child = await a!.write('identity/group', {
    name: `eng-${name}`,
    member_entity_ids: [entityId],
    policies: policiesBy === 'group' ? [policy] : [],
  })
  const parent = await a!.write('identity/group', {
    name: `staff-${name}`,
    member_group_ids: [idOf(child)],
    policies: policiesBy === 'parent' ? [policy] : [],
  })
  const result: World = {
    a: a!,
    b: b!,
    token,
    accessor,
    entityId,
    aliasId: alias!.id,
    groupId: idOf(parent),
    childGroupId: idOf(child),
  }
  for (const node of [a!, b!]) {
    assert.equal((await node.read('secret/x', token)).status, 404, 'allowed, but nothing is there')
  }
  return { ...result, name, policy }
}

type Made = Awaited<ReturnType<typeof world>>

const changes: readonly {
  readonly what: string
  readonly by: 'token' | 'entity' | 'group' | 'parent'
  readonly change: (made: Made) => Promise<{ readonly status: number }>
}[] = [
  {
    what: 'the token is revoked',
    by: 'token',
    change: ({ a, token }) => a.write('auth/token/revoke', { token }),
  },
  {
    what: 'the token is revoked by its accessor',
    by: 'token',
    change: ({ a, accessor }) => a.write('auth/token/revoke-accessor', { accessor }),
  },
  {
    what: 'the token revokes itself',
    by: 'token',
    change: ({ a, token }) => a.write('auth/token/revoke-self', {}, token),
  },
  {
    what: 'its auth mount is disabled',
    by: 'token',
    change: ({ a, name }) => a.delete(`sys/auth/up-${name}`),
  },
  {
    what: 'the entity is disabled',
    by: 'token',
    change: ({ a, entityId }) => a.write(`identity/entity/id/${entityId}`, { disabled: true }),
  },
  {
    what: 'the entity is deleted',
    by: 'token',
    change: ({ a, entityId }) => a.delete(`identity/entity/id/${entityId}`),
  },
  {
    what: 'the entity is deleted in a batch',
    by: 'token',
    change: ({ a, entityId }) =>
      a.write('identity/entity/batch-delete', { entity_ids: [entityId] }),
  },
  {
    what: 'the policy is deleted',
    by: 'token',
    change: ({ a, policy }) => a.delete(`sys/policies/acl/${policy}`),
  },
  {
    what: 'the policy is written anew',
    by: 'token',
    change: ({ a, policy }) =>
      a.write(`sys/policies/acl/${policy}`, { policy: 'path "other" { capabilities = ["read"] }' }),
  },
  {
    what: 'the entity loses its policies',
    by: 'entity',
    change: ({ a, entityId }) => a.write(`identity/entity/id/${entityId}`, { policies: [] }),
  },
  {
    what: 'the group loses its policies',
    by: 'group',
    change: ({ a, childGroupId }) => a.write(`identity/group/id/${childGroupId}`, { policies: [] }),
  },
  {
    what: 'the member is removed',
    by: 'group',
    change: ({ a, childGroupId }) =>
      a.write(`identity/group/id/${childGroupId}`, { member_entity_ids: [] }),
  },
  {
    what: 'the group is deleted',
    by: 'group',
    change: ({ a, childGroupId }) => a.delete(`identity/group/id/${childGroupId}`),
  },
  {
    what: 'the group leaves its parent',
    by: 'parent',
    change: ({ a, groupId }) => a.write(`identity/group/id/${groupId}`, { member_group_ids: [] }),
  },
  {
    what: 'the parent group is deleted',
    by: 'parent',
    change: ({ a, groupId }) => a.delete(`identity/group/id/${groupId}`),
  },
  {
    what: 'the member of a member is removed',
    by: 'parent',
    change: ({ a, childGroupId }) =>
      a.write(`identity/group/id/${childGroupId}`, { member_entity_ids: [] }),
  },
]

/** Two nodes over one store, and how to end what is under them. */
interface Pair {
  readonly nodes: readonly Node[]
  close(): Promise<void>
}

const overMemory = async (): Promise<Pair> => ({
  nodes: await startNodes(2),
  close: async () => {},
})

const overPostgres = async (): Promise<Pair> => {
  const server = await startPostgres()
  const open = () => openPostgresStore({ connectionUrl: server.url, processes: 2 })
  const stores = [await open(), await open()]
  return {
    nodes: await startNodes(2, { store: stores[0]!, storeOf: (node) => stores[node]! }),
    close: async () => {
      for (const store of stores) await store.close()
      await server.stop()
    },
  }
}

strictness('in memory', overMemory, false)
strictness('on PostgreSQL', overPostgres, skipWithout('postgres'))

function strictness(where: string, start: () => Promise<Pair>, skip: string | false): void {
  describe(
    `an acknowledged change binds every other node at its next request, ${where}`,
    { skip },
    () => {
      let nodes: readonly Node[]
      let pair: Pair

      before(async () => {
        pair = await start()
        ;({ nodes } = pair)
        assert.equal((await nodes[0]!.write('sys/mounts/secret', { type: 'kv' })).status, 204)
      })
      after(async () => {
        for (const node of nodes) await node.close()
        await pair.close()
      })

      for (const { what, by, change } of changes) {
        it(`when ${what}`, async () => {
          const mount = `sys/auth/up-alice${count}`
          assert.equal((await nodes[0]!.write(mount, { type: 'userpass' })).status, 204)
          const made = await world(nodes, by)
          assert.ok((await change(made)).status < 300)
          assert.equal((await made.b.read('secret/x', made.token)).status, 403)
          assert.equal((await made.a.read('secret/x', made.token)).status, 403)
        })
      }

      it('when a policy that did not exist is created', async () => {
        const mount = `sys/auth/up-alice${count}`
        await nodes[0]!.write(mount, { type: 'userpass' })
        const made = await world(nodes, 'token')
        await made.a.delete(`sys/policies/acl/${made.policy}`)
        assert.equal((await made.b.read('secret/x', made.token)).status, 403)
        await made.a.write(`sys/policies/acl/${made.policy}`, { policy: READER })
        assert.equal((await made.b.read('secret/x', made.token)).status, 404)
      })

      it('when a merge makes the survivor answer for the token', async () => {
        const mount = `sys/auth/up-alice${count}`
        await nodes[0]!.write(mount, { type: 'userpass' })
        const made = await world(nodes, 'token')
        const survivor = await made.a.write('identity/entity', { name: `survivor${count}` })
        const to = idOf(survivor)
        await made.a.write('identity/entity/merge', {
          from_entity_ids: [made.entityId],
          to_entity_id: to,
        })
        assert.equal((await made.b.read('secret/x', made.token)).status, 404)
        await made.a.write(`identity/entity/id/${to}`, { disabled: true })
        assert.equal((await made.b.read('secret/x', made.token)).status, 403)
      })

      it('a child dies with its parent, an orphan does not', async () => {
        const [a, b] = nodes
        const parent = (await a!.write('auth/token/create', { policies: ['root'] })).auth.token
        const child = (await a!.write('auth/token/create', {}, parent)).auth.token
        const grandchild = (await b!.write('auth/token/create', {}, child)).auth.token
        const orphan = (await b!.write('auth/token/create', { no_parent: true }, parent)).auth.token
        for (const token of [child, grandchild, orphan]) {
          assert.equal((await b!.read('auth/token/lookup-self', token)).status, 200)
        }
        await a!.write('auth/token/revoke', { token: parent })
        assert.equal((await b!.read('auth/token/lookup-self', child)).status, 403)
        assert.equal((await b!.read('auth/token/lookup-self', grandchild)).status, 403)
        assert.equal((await b!.read('auth/token/lookup-self', orphan)).status, 200)
      })

      it('no commit rests on authority that was taken away before it', async () => {
        const [a, b] = nodes
        // Many requests of one token run on B while A revokes it: those acknowledged afterwards must all be refused.
        for (let round = 0; round < 20; round++) {
          const { token } = (await a!.write('auth/token/create', { policies: ['root'] })).auth
          let revoked = false
          const late: number[] = []
          const writes = Array.from({ length: 20 }, async (_, index) => {
            const begunAfter = revoked
            const { status } = await b!.write(`secret/late-${round}-${index}`, { v: 1 }, token)
            if (begunAfter) late.push(status)
          })
          await a!.write('auth/token/revoke', { token })
          revoked = true
          const after = await b!.write(`secret/after-${round}`, { v: 1 }, token)
          assert.equal(after.status, 403)
          await Promise.all(writes)
          assert.ok(late.every((status) => status === 403))
        }
      })

      it('uses are spent exactly, whichever node is asked', async () => {
        const [a, b] = nodes
        const { token } = (
          await a!.write('auth/token/create', { policies: ['root'], num_uses: 10 })
        ).auth
        const answers = await Promise.all(
          Array.from({ length: 30 }, (_, index) =>
            nodes[index % 2]!.read('auth/token/lookup-self', token),
          ),
        )
        assert.equal(answers.filter(({ status }) => status === 200).length, 10)
        assert.equal((await b!.read('auth/token/lookup-self', token)).status, 403)
        assert.equal((await a!.read('auth/token/lookup-self', token)).status, 403)
      })
    },
  )
}
