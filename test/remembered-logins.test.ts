import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { storeWith } from '../src/storage/faults/store-with.ts'
import { createMemoryStore } from '../src/storage/memory/memory-store.ts'
import type { Node, NodeAnswer } from './support/nodes.ts'
import { startNodes } from './support/nodes.ts'

/*
 * A node that has just let somebody in remembers what that came to. Whatever another node acknowledges since must show at the very
 * next login all the same.
 */

interface World {
  readonly a: Node
  readonly role: string
  readonly roleId: string
  readonly secretId: string
  readonly secretAccessor: string
  readonly entityId: string
  readonly aliasId: string
  readonly accessor: string
  readonly mount: string
  /** A group of hers, and one above it. */
  readonly group: string
  readonly above: string
}

let worlds = 0

const ok = (answer: NodeAnswer): NodeAnswer => {
  assert.ok(answer.status < 300, answer.errors.join())
  return answer
}

const logIn = (
  node: Node,
  { mount, roleId, secretId }: Pick<World, 'mount' | 'roleId' | 'secretId'>,
  remoteAddress = '127.0.0.1',
): Promise<NodeAnswer> =>
  node.ask({
    operation: 'update',
    path: `auth/${mount}/login`,
    data: { role_id: roleId, secret_id: secretId },
    token: '',
    remoteAddress,
  })

const text = (value: unknown): string => value as string

/** `secret`: what its secret id is made with; `from`: where it logs in from. */
const makeWorld = async (
  a: Node,
  secret: Readonly<Record<string, string>> = {},
  from?: string,
): Promise<World> => {
  const n = worlds++
  const [mount, role] = [`approle${n}`, `role${n}`]
  ok(await a.write(`sys/auth/${mount}`, { type: 'approle' }))
  ok(await a.write(`auth/${mount}/role/${role}`, { token_policies: 'first', token_ttl: '1h' }))
  const roleId = text(ok(await a.read(`auth/${mount}/role/${role}/role-id`)).data['role_id'])
  const made = ok(await a.write(`auth/${mount}/role/${role}/secret-id`, secret)).data
  const known = { mount, roleId, secretId: text(made['secret_id']) }
  const { entityId } = ok(await logIn(a, known, from)).auth
  const entity = ok(await a.read(`identity/entity/id/${entityId}`)).data
  const [alias] = entity['aliases'] as readonly { readonly id: string; mount_accessor: string }[]
  const [group, above] = [`group${n}`, `above${n}`]
  const { data } = ok(
    await a.write('identity/group', {
      name: group,
      member_entity_ids: [entityId],
      policies: ['g'],
    }),
  )
  ok(
    await a.write('identity/group', {
      name: above,
      member_group_ids: [data['id']!],
      policies: ['above'],
    }),
  )
  return {
    a,
    ...known,
    role,
    secretAccessor: text(made['secret_id_accessor']),
    entityId,
    aliasId: alias!.id,
    accessor: alias!.mount_accessor,
    group,
    above,
  }
}

const refused = ({ status }: NodeAnswer): void => assert.ok(status >= 400, `status ${status}`)

const identityPolicies =
  (...wanted: readonly string[]) =>
  (answer: NodeAnswer): void =>
    assert.deepEqual(ok(answer).auth.identityPolicies, wanted)

/** What is done on one node, and how the next login on the other answers. */
const CHANGES: Readonly<
  Record<
    string,
    {
      readonly change: (world: World) => Promise<unknown>
      readonly shown: (answer: NodeAnswer, world: World) => void
    }
  >
> = {
  nothing: { change: async () => {}, shown: identityPolicies('above', 'g') },
  'the role gets other policies': {
    change: ({ a, mount, role }) =>
      a.write(`auth/${mount}/role/${role}`, { token_policies: 'second' }),
    shown: (answer) => assert.deepEqual(ok(answer).auth.policies, ['default', 'second']),
  },
  'the role is bound to other addresses': {
    change: ({ a, mount, role }) =>
      a.write(`auth/${mount}/role/${role}`, { secret_id_bound_cidrs: '10.0.0.0/8' }),
    shown: refused,
  },
  'the role gets another id': {
    change: ({ a, mount, role }) =>
      a.write(`auth/${mount}/role/${role}/role-id`, { role_id: 'another' }),
    shown: refused,
  },
  'the role is deleted': {
    change: ({ a, mount, role }) => a.delete(`auth/${mount}/role/${role}`),
    shown: refused,
  },
  'the secret id is destroyed': {
    change: ({ a, mount, role, secretAccessor }) =>
      a.write(`auth/${mount}/role/${role}/secret-id-accessor/destroy`, {
        secret_id_accessor: secretAccessor,
      }),
    shown: refused,
  },
  'the mount is disabled': {
    change: ({ a, mount }) => a.delete(`sys/auth/${mount}`),
    shown: refused,
  },
  'the mount makes batch tokens': {
    change: ({ a, mount }) => a.write(`sys/auth/${mount}/tune`, { token_type: 'batch' }),
    shown: (answer) => assert.equal(ok(answer).auth.accessor, ''),
  },
  'wrong guesses lock the role out': {
    change: async (world) => {
      for (let guess = 0; guess < 5; guess++) {
        await logIn(world.a, { ...world, secretId: `wrong ${guess}` })
      }
    },
    shown: refused,
  },
  'the entity is disabled': {
    change: ({ a, entityId }) => a.write(`identity/entity/id/${entityId}`, { disabled: true }),
    shown: refused,
  },
  'the entity gets policies': {
    change: ({ a, entityId }) => a.write(`identity/entity/id/${entityId}`, { policies: ['own'] }),
    shown: identityPolicies('above', 'g', 'own'),
  },
  'the entity is deleted': {
    change: ({ a, entityId }) => a.delete(`identity/entity/id/${entityId}`),
    shown: (answer, { entityId }) => assert.notEqual(ok(answer).auth.entityId, entityId),
  },
  'the alias is deleted': {
    change: ({ a, aliasId }) => a.delete(`identity/entity-alias/id/${aliasId}`),
    shown: (answer, { entityId }) => assert.notEqual(ok(answer).auth.entityId, entityId),
  },
  'the entity becomes part of another': {
    change: async ({ a, entityId }) => {
      const { data } = ok(await a.write('identity/entity', { name: `survivor-${entityId}` }))
      return a.write('identity/entity/merge', {
        from_entity_ids: [entityId],
        to_entity_id: data['id']!,
      })
    },
    shown: (answer, { entityId }) => assert.notEqual(ok(answer).auth.entityId, entityId),
  },
  'the entity leaves its group': {
    change: ({ a, group }) => a.write(`identity/group/name/${group}`, { member_entity_ids: [] }),
    shown: identityPolicies(),
  },
  'the group gets other policies': {
    change: ({ a, group }) => a.write(`identity/group/name/${group}`, { policies: ['other'] }),
    shown: identityPolicies('above', 'other'),
  },
  'the group above gets other policies': {
    change: ({ a, above }) => a.write(`identity/group/name/${above}`, { policies: ['other'] }),
    shown: identityPolicies('g', 'other'),
  },
  'the group above is deleted': {
    change: ({ a, above }) => a.delete(`identity/group/name/${above}`),
    shown: identityPolicies('g'),
  },
  'another group takes the entity in': {
    change: ({ a, entityId }) =>
      a.write('identity/group', {
        name: `more-${entityId}`,
        member_entity_ids: [entityId],
        policies: ['more'],
      }),
    shown: identityPolicies('above', 'g', 'more'),
  },
  'a second factor is asked for': {
    change: async ({ a, accessor, group }) => {
      const { data } = ok(await a.write('identity/mfa/method/totp', { issuer: 'Signet' }))
      return a.write(`identity/mfa/login-enforcement/${group}`, {
        mfa_method_ids: [data['method_id']!],
        auth_method_accessors: [accessor],
      })
    },
    shown: (answer) => {
      assert.notEqual(ok(answer).requirement, undefined)
      assert.equal(answer.auth.token, '')
    },
  },
}

describe('a login that another node remembers', () => {
  let nodes: readonly Node[]
  let ahead = 0
  /** Reads that the second node made. */
  let reads = 0

  before(async () => {
    nodes = await startNodes(2, {
      store: createMemoryStore({ clock: () => Date.now() + ahead }),
      storeOf: (node, store) =>
        node === 0
          ? store
          : storeWith(store, {
              read: (keys, deadline) => {
                reads++
                return store.read(keys, deadline)
              },
            }),
    })
    // From then on it has all mounts in memory.
    for (const node of nodes) ok(await node.read('sys/auth'))
  })
  after(async () => {
    for (const node of nodes) await node.close()
  })

  for (const [what, { change, shown }] of Object.entries(CHANGES)) {
    it(`shows at once that ${what}`, async () => {
      const [a, b] = nodes as readonly [Node, Node]
      const world = await makeWorld(a)
      for (let warm = 0; warm < 3; warm++) ok(await logIn(b, world))
      reads = 0
      ok(await logIn(b, world))
      assert.equal(reads, 0, 'it was not remembered')
      const answer = await change(world)
      if (answer !== undefined) ok(answer as NodeAnswer)
      shown(await logIn(b, world), world)
    })
  }

  it('is judged by where it comes from', async () => {
    const [a, b] = nodes as readonly [Node, Node]
    const world = await makeWorld(a, { cidr_list: '10.0.0.0/8' }, '10.1.2.3')
    for (let warm = 0; warm < 3; warm++) ok(await logIn(b, world, '10.1.2.3'))
    refused(await logIn(b, world, '11.1.2.3'))
    ok(await logIn(b, world, '10.1.2.3'))
  })

  it('uses a limited secret id up', async () => {
    const [a, b] = nodes as readonly [Node, Node]
    const world = await makeWorld(a, { num_uses: '4' })
    for (let use = 0; use < 3; use++) ok(await logIn(b, world))
    refused(await logIn(b, world))
  })

  it('ends with its secret id, and with a membership', async () => {
    const [a, b] = nodes as readonly [Node, Node]
    const world = await makeWorld(a, { ttl: '1h' })
    const name = `timed-${world.group}`
    ok(await a.write('identity/group', { name, policies: ['timed'] }))
    ok(
      await a.write(`identity/group-member/name/${name}`, {
        entity_ids: [world.entityId],
        ttl: '10m',
      }),
    )
    for (let warm = 0; warm < 3; warm++) {
      identityPolicies('above', 'g', 'timed')(await logIn(b, world))
    }
    ahead += 11 * 60_000
    identityPolicies('above', 'g')(await logIn(b, world))
    ahead += 50 * 60_000
    refused(await logIn(b, world))
  })
})
