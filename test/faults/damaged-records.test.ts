import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Operation } from '../../src/core/request.ts'
import type { Json } from '../../src/std/json.ts'
import { createMemoryStore } from '../../src/storage/memory/memory-store.ts'
import type { Entry, Store } from '../../src/storage/store.ts'
import { deadlineIn, newVersion } from '../../src/storage/store.ts'
import type { Answer, LocalServer } from './local-server.ts'
import { startLocal } from './local-server.ts'

const SOON_MS = 1_000

const put = async (store: Store, entries: readonly Pick<Entry, 'key' | 'value'>[]) => {
  const commit = { id: newVersion(), checks: [], writes: entries }
  const { kind } = await store.commit(commit, deadlineIn(SOON_MS))
  assert.equal(kind, 'committed')
}

const flipped = (value: Uint8Array): Uint8Array => {
  const changed = Buffer.from(value)
  changed[changed.length - 1]! ^= 1
  return changed
}

const prefixOf = ({ key }: { readonly key: Uint8Array }): string =>
  Buffer.from(key.subarray(0, key.indexOf(0x2f))).toString()

/** A request whose answer shows something of the store, and by whom. */
interface Question {
  readonly operation: Operation
  readonly path: string
  readonly data?: Readonly<Record<string, Json>>
  readonly by: 'root' | 'alice' | 'nobody'
}

/** A server that has something of everything, and what is asked of it. */
interface World {
  readonly entries: readonly Entry[]
  readonly key: Buffer
  /** Her token, and what she logs in with. */
  readonly alice: string
  readonly credentials: Readonly<Record<string, Json>>
  readonly aliceEntity: string
  readonly aliasId: string
  readonly bob: string
  readonly group: string
  readonly questions: readonly Question[]
}

const made = ({ status, body }: Answer): any => {
  assert.ok(status < 300, JSON.stringify(body))
  return body
}

const makeWorld = async (): Promise<World> => {
  const store = createMemoryStore()
  const server = await startLocal(store)
  const write = async (path: string, data: Readonly<Record<string, Json>>): Promise<any> =>
    made(await server.ask('update', path, data))
  await write('sys/mounts/secret', { type: 'kv-v2' })
  await write('secret/data/a', { data: { value: 'a' } })
  await write('secret/data/b', { data: { value: 'b' } })
  await write('sys/policies/acl/readers', {
    policy: 'path "secret/data/a" { capabilities = ["read"] }',
  })
  await write('sys/auth/approle', { type: 'approle' })
  await write('auth/approle/role/alice', {})
  const roleId = made(await server.ask('read', 'auth/approle/role/alice/role-id')).data.role_id
  const secretId = (await write('auth/approle/role/alice/secret-id', {})).data.secret_id
  const credentials = { role_id: roleId, secret_id: secretId }
  const { auth } = made(await server.ask('update', 'auth/approle/login', credentials, ''))
  await write('identity/entity', { name: 'bob' })
  const bob = made(await server.ask('read', 'identity/entity/name/bob')).data.id
  await write('identity/group', {
    name: 'eng',
    policies: ['readers'],
    member_entity_ids: [auth.entity_id, bob],
  })
  const { aliases } = made(await server.ask('read', `identity/entity/id/${auth.entity_id}`)).data
  const aliasId = aliases[0].id
  await write('identity/group', { name: 'ops' })
  const group = made(await server.ask('read', 'identity/group/name/eng')).data.id
  await server.close()
  const entries: Entry[] = []
  for await (const entry of store.snapshot(new AbortController().signal)) entries.push(entry)
  const read = (path: string, by: Question['by'] = 'root'): Question => ({
    operation: 'read',
    path,
    by,
  })
  return {
    entries,
    key: server.key,
    alice: auth.client_token,
    credentials,
    aliceEntity: auth.entity_id,
    aliasId,
    bob,
    group,
    questions: [
      read(`identity/entity/id/${auth.entity_id}`),
      read(`identity/entity/id/${bob}`),
      read('identity/entity/name/bob'),
      read(`identity/group/id/${group}`),
      read('identity/group/name/eng'),
      read('secret/data/a'),
      read('secret/data/b'),
      read('sys/policies/acl/readers'),
      read('auth/approle/role/alice'),
      read('auth/token/lookup-self'),
      read('auth/token/lookup-self', 'alice'),
      read('secret/data/a', 'alice'),
      read('secret/data/b', 'alice'),
      { operation: 'list', path: 'identity/entity/id/', by: 'root' },
      { operation: 'list', path: 'identity/group/name/', by: 'root' },
      { operation: 'update', path: 'auth/approle/login', data: credentials, by: 'nobody' },
    ],
  }
}

const asked = (world: World, server: LocalServer): Promise<readonly Answer[]> =>
  Promise.all(
    world.questions.map(({ operation, path, data, by }) => {
      const token = by === 'alice' ? world.alice : by === 'root' ? 'root' : ''
      return server.ask(operation, path, data, token)
    }),
  )

describe('one damaged record', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })

  it('leaves every answer as it was, or a 500 that says so; nobody may more than before', async () => {
    const baseline = await inWorld(world, undefined, (server) => asked(world, server))
    const stopped = new Set<string>()
    for (const damaged of world.entries) {
      const prefix = prefixOf(damaged)
      try {
        await inWorld(world, damaged, async (server) => {
          const answers = await asked(world, server)
          for (const [index, answer] of answers.entries()) {
            const { operation, path } = world.questions[index]!
            if (answer.status === 500) {
              assert.match(
                answer.body.errors[0],
                /a stored record that this request needs is damaged/,
              )
              assert.ok(!(operation === 'list' && IDENTITY.has(prefix)), `${path} with ${prefix}`)
            } else if (operation === 'list' || path.endsWith('/login')) {
              assert.equal(answer.status, baseline[index]!.status, `${path} with ${prefix}`)
            } else if (!LISTED.has(prefix)) {
              assert.deepEqual(shown(answer), shown(baseline[index]!), `${path} with ${prefix}`)
            }
          }
        })
      } catch (error) {
        if (!isStopped(error)) throw error
        stopped.add(prefix)
      }
    }
    // The seal, what all requests go through, and the default policy; never people and groups.
    assert.deepEqual([...stopped].toSorted(), ['cluster', 'm', 'meta', 'p'])
  })

  /** The record of a kind under an id. */
  const recordOf = (prefix: string, id: string): Entry => {
    const key = Buffer.from(id.replaceAll('-', ''), 'hex')
    return world.entries.find(
      (entry) => prefixOf(entry) === prefix && Buffer.from(entry.key).subarray(-16).equals(key),
    )!
  }

  it('of a person is set aside and counted, and lists show the others', async () => {
    await inWorld(world, recordOf('e', world.bob), async (server) => {
      const list = await server.ask('list', 'identity/entity/id/')
      assert.deepEqual(list.body.data.keys, [world.aliceEntity])
      const members = await server.ask('list', `identity/group-member/id/${world.group}`)
      assert.deepEqual(members.body.data.keys, [world.aliceEntity])
      const { detail } = (await server.ask('read', 'sys/health', { detail: 'true' })).body
      assert.deepEqual(detail.set_aside, { records: 1, by_kind: { e: 1 } })
      const key = Buffer.from(recordOf('e', world.bob).key).toString('hex')
      assert.equal(server.lines.filter((line) => line.includes(key)).length > 0, true)
      assert.ok(!server.lines.join().includes('bob'))
    })
  })

  const mended = async (
    damaged: Entry,
    remove: string,
    again: (server: LocalServer) => Promise<void>,
  ): Promise<void> =>
    inWorld(world, damaged, async (server) => {
      const { body, status } = await server.ask('delete', remove)
      assert.equal(status, 204, JSON.stringify(body))
      await again(server)
      const answers = await asked(world, server)
      for (const { status: after, body: told } of answers) assert.notEqual(after, 500, told.errors)
    })

  it('of a person is mended by deleting it and making it anew; what they held is dead', async () => {
    await mended(
      recordOf('e', world.aliceEntity),
      `identity/entity/id/${world.aliceEntity}`,
      async (server) => {
        const dead = await server.ask('read', 'auth/token/lookup-self', undefined, world.alice)
        assert.equal(dead.status, 403)
        const login = made(await server.ask('update', 'auth/approle/login', world.credentials, ''))
        assert.notEqual(login.auth.entity_id, world.aliceEntity)
        const { client_token: token } = login.auth
        assert.equal((await server.ask('read', 'secret/data/a', undefined, token)).status, 403)
      },
    )
    await mended(recordOf('e', world.bob), `identity/entity/id/${world.bob}`, async (server) => {
      made(await server.ask('update', 'identity/entity', { name: 'bob' }))
      assert.equal((await server.ask('read', 'identity/entity/name/bob')).status, 200)
    })
  })

  it('of an alias or a group is mended the same way', async () => {
    await mended(
      recordOf('a', world.aliasId),
      `identity/entity-alias/id/${world.aliasId}`,
      async (server) => {
        assert.equal(
          (await server.ask('update', 'auth/approle/login', world.credentials, '')).status,
          200,
        )
      },
    )
    await mended(recordOf('g', world.group), `identity/group/id/${world.group}`, async (server) => {
      const denied = await server.ask('read', 'secret/data/a', undefined, world.alice)
      assert.equal(denied.status, 403)
      made(
        await server.ask('update', 'identity/group', {
          name: 'eng',
          policies: ['readers'],
          member_entity_ids: [world.aliceEntity],
        }),
      )
      const allowed = await server.ask('read', 'secret/data/a', undefined, world.alice)
      assert.equal(allowed.status, 200)
    })
  })

  it('of the seal is told by name', async () => {
    for (const key of ['meta/seal', 'meta/keyring']) {
      const damaged = world.entries.find((entry) => Buffer.from(entry.key).toString() === key)
      const hex = Buffer.from(key).toString('hex')
      await assert.rejects(
        inWorld(world, damaged, async () => {}),
        new RegExp(`BarrierBroken: the value under the storage key ${hex} `),
      )
    }
  })
})

/** Records of people and groups: one of them stops nothing but what needs it. */
const IDENTITY = new Set(['a', 'al', 'an', 'e', 'em', 'en', 'g', 'gk', 'gm', 'gn'])

/** Those of them that are seen in lists, or counted, and left out there: the list of a group's members is one. */
const LISTED = new Set(['gk', 'gm'])

/** What does not change from one asking to the next. */
const shown = ({ status, body }: Answer): unknown => ({
  status,
  data: { ...body.data, ttl: undefined },
  errors: body.errors,
})

const isStopped = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'BarrierBroken' || error.message === 'the key was given: failed')

/** A server begun on the world, one of its records damaged. */
const inWorld = async <T>(
  { entries, key }: World,
  damaged: Entry | undefined,
  run: (server: LocalServer) => Promise<T>,
): Promise<T> => {
  const store = createMemoryStore()
  await put(
    store,
    entries.map((entry) => (entry === damaged ? { ...entry, value: flipped(entry.value) } : entry)),
  )
  const server = await startLocal(store, key)
  try {
    return await run(server)
  } finally {
    await server.close()
  }
}
