import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Refusal } from '../../engine/refusal.ts'
import type { Answer, Harness, SeenCommit } from './testing.ts'
import { createHarness, interleaved, watchCommits } from './testing.ts'

const SEEDS = 40

/** Runs a race with many orders of the store's calls. */
const race = (title: string, run: (harness: Harness, seed: number) => Promise<void>): void => {
  it(title, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await run(createHarness(interleaved(seed)), seed)
    }
  })
}

const statuses = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b)

const entityIds = async (harness: Harness): Promise<readonly string[]> =>
  (await harness.request('list', 'entity/id')).data['keys'] ?? []

const create = async (
  harness: Harness,
  name: string,
  more: Readonly<Record<string, string[]>> = {},
): Promise<string> => (await harness.request('update', 'entity', { name, ...more })).data['id']

const createGroup = async (
  harness: Harness,
  name: string,
  more: Readonly<Record<string, string | string[]>> = {},
): Promise<string> => (await harness.request('update', 'group', { name, ...more })).data['id']

/** An external group whose alias on the mount has the group's name. */
const createExternal = async (
  harness: Harness,
  name: string,
  accessor: string,
): Promise<string> => {
  const id = await createGroup(harness, name, { type: 'external' })
  await harness.request('update', 'group-alias', {
    name,
    mount_accessor: accessor,
    canonical_id: id,
  })
  return id
}

const members = async (harness: Harness, groupId: string): Promise<readonly string[]> =>
  (await harness.request('read', `group/id/${groupId}`)).data['member_entity_ids'] ?? []

/** The id of the entity that owns an alias name now; undefined when nobody does. */
const ownerOf = async (
  harness: Harness,
  accessor: string,
  name: string,
): Promise<string | undefined> =>
  (
    await harness.request('update', 'lookup/entity', {
      alias_name: name,
      alias_mount_accessor: accessor,
    })
  ).data['id']

race('first logins of one person through one mount make one entity', async (harness) => {
  const mount = await harness.mounts.enable('auth/userpass/')
  const logins = await Promise.all(
    Array.from({ length: 8 }, (_, index) => harness.login(mount, index % 2 === 0 ? 'kim' : 'KIM')),
  )
  const ids = new Set(logins.map(({ entityId }) => entityId))
  assert.equal(ids.size, 1)
  assert.equal(logins.filter(({ created }) => created).length, 1)
  assert.deepEqual(await entityIds(harness), [...ids])
  assert.equal((await harness.request('list', 'entity-alias/id')).data['keys'].length, 1)
})

race('first logins through two mounts make one entity each', async (harness) => {
  const one = await harness.mounts.enable('auth/one/')
  const two = await harness.mounts.enable('auth/two/')
  const logins = await Promise.all(
    Array.from({ length: 6 }, (_, index) => harness.login(index % 2 === 0 ? one : two, 'kim')),
  )
  const through = (rest: number): Set<string> =>
    new Set(logins.filter((_, index) => index % 2 === rest).map(({ entityId }) => entityId))
  assert.equal(through(0).size, 1)
  assert.equal(through(1).size, 1)
  assert.equal((await entityIds(harness)).length, 2)
  assert.equal(logins.filter(({ created }) => created).length, 2)
})

// Allowed: the alias is first and the login is its entity's; or the login is first, makes an entity, and the request moves
// the alias away from it. Either way there is one alias, and it is where the operator put it.
race(
  'an alias made during the first login ends with the entity it was made for',
  async (harness) => {
    const mount = await harness.mounts.enable('auth/userpass/')
    const wanted = await create(harness, 'kim')
    const [login, made] = await Promise.all([
      harness.login(mount, 'kim'),
      harness.request('update', 'entity-alias', {
        name: 'kim',
        mount_accessor: mount.accessor,
        canonical_id: wanted,
      }),
    ])
    assert.equal(made.status, 200)
    assert.equal(await ownerOf(harness, mount.accessor, 'kim'), wanted)
    assert.equal((await harness.request('list', 'entity-alias/id')).data['keys'].length, 1)
    if (login.created) {
      const other = await harness.request('read', `entity/id/${login.entityId}`)
      assert.deepEqual(other.data['aliases'], [])
    } else {
      assert.equal(login.entityId, wanted)
    }
    assert.equal((await harness.login(mount, 'kim')).entityId, wanted)
  },
)

// Allowed: the login is first and its entity is deleted under it (its token is dead); or it is second and makes a new one.
race(
  'a login during the deletion of its entity gets a dead entity or a new one',
  async (harness) => {
    const mount = await harness.mounts.enable('auth/userpass/')
    const { entityId: before } = await harness.login(mount, 'kim')
    const [login, deleted] = await Promise.all([
      harness.login(mount, 'kim'),
      harness.request('delete', `entity/id/${before}`),
    ])
    assert.equal(deleted.status, 204)
    assert.equal(await harness.subject(before), undefined)
    if (login.created) {
      assert.deepEqual(await entityIds(harness), [login.entityId])
      assert.equal(await ownerOf(harness, mount.accessor, 'kim'), login.entityId)
    } else {
      assert.equal(login.entityId, before)
      assert.deepEqual(await entityIds(harness), [])
      assert.equal(await ownerOf(harness, mount.accessor, 'kim'), undefined)
    }
  },
)

// Allowed: the login is first and its token is refused from now on; or it is second and refused itself.
race('a login during the disabling of its entity is first or refused', async (harness) => {
  const mount = await harness.mounts.enable('auth/userpass/')
  const { entityId } = await harness.login(mount, 'kim')
  const [login] = await Promise.all([
    harness.login(mount, 'kim').catch((error: unknown) => error),
    harness.request('update', `entity/id/${entityId}`, { disabled: true }),
  ])
  if (login instanceof Refusal) {
    assert.equal(login.status, 403)
    assert.equal(login.message, 'permission denied')
  }
  assert.equal((await harness.subject(entityId))?.disabled, true)
  assert.deepEqual(await entityIds(harness), [entityId])
})

// Allowed: the login names the absorbed entity, whose id leads to the survivor, or the survivor. Memberships end there, too.
race('a login during the merge of its entity is the survivor', async (harness) => {
  const mount = await harness.mounts.enable('auth/jwt/', 'jwt')
  const group = await createExternal(harness, 'devs', mount.accessor)
  const { entityId: from } = await harness.login(mount, 'kim')
  const to = await create(harness, 'kim')
  const [login, merged] = await Promise.all([
    harness.login(mount, 'kim', { groups: ['devs'] }),
    harness.request('update', 'entity/merge', { to_entity_id: to, from_entity_ids: [from] }),
  ])
  assert.equal(merged.status, 204)
  assert.equal(login.created, false)
  assert.ok(login.entityId === from || login.entityId === to)
  const subject = await harness.subject(login.entityId)
  assert.equal(subject?.id, to)
  assert.deepEqual(
    subject.groups.map(({ name }) => name),
    ['devs'],
  )
  assert.deepEqual(await members(harness, group), [to])
  assert.equal(await ownerOf(harness, mount.accessor, 'kim'), to)
  assert.deepEqual(await entityIds(harness), [to])
})

// Allowed: one of the two. The other is refused, whichever it is.
race('two edits that would close a cycle together do not both happen', async (harness) => {
  const a = await createGroup(harness, 'a')
  const b = await createGroup(harness, 'b')
  const answers = await Promise.all([
    harness.request('update', `group/id/${a}`, { member_group_ids: [b] }),
    harness.request('update', `group/id/${b}`, { member_group_ids: [a] }),
  ])
  assert.deepEqual(statuses(answers), [204, 400])
  const [refused] = answers.filter(({ status }) => status === 400)
  assert.match(refused!.error, /^cyclic relationship detected for member group ID /)
})

race('three edits that would close a cycle together: exactly one is refused', async (harness) => {
  const ids = [
    await createGroup(harness, 'a'),
    await createGroup(harness, 'b'),
    await createGroup(harness, 'c'),
  ]
  const answers = await Promise.all(
    ids.map((id, index) =>
      harness.request('update', `group/id/${id}`, { member_group_ids: [ids[(index + 1) % 3]!] }),
    ),
  )
  assert.deepEqual(statuses(answers), [204, 204, 400])
})

// Allowed: the write is first and the deletion takes the member out; or the deletion is first and the write is refused.
race('a group never keeps a member that is deleted while it is written', async (harness) => {
  const entity = await create(harness, 'kim')
  const group = await createGroup(harness, 'crew')
  const [, written] = await Promise.all([
    harness.request('delete', 'entity/name/kim'),
    harness.request('update', `group/id/${group}`, { member_entity_ids: [entity] }),
  ])
  if (written.status !== 204) assert.equal(written.error, `invalid entity ID "${entity}"`)
  assert.deepEqual(await members(harness, group), [])
})

race('of two aliases for one entity on one mount one is made', async (harness) => {
  const mount = await harness.mounts.enable('auth/userpass/')
  const entity = await create(harness, 'kim')
  const answers = await Promise.all(
    ['first', 'second'].map((name) =>
      harness.request('update', 'entity-alias', {
        name,
        mount_accessor: mount.accessor,
        canonical_id: entity,
      }),
    ),
  )
  assert.deepEqual(statuses(answers), [200, 400])
  const read = await harness.request('read', `entity/id/${entity}`)
  assert.equal(read.data['aliases'].length, 1)
})

race('of two entities of one name one is made and the other updates it', async (harness) => {
  const answers = await Promise.all([
    harness.request('update', 'entity', { name: 'Kim', policies: ['one'] }),
    harness.request('update', 'entity', { name: 'kim', policies: ['two'] }),
  ])
  assert.deepEqual(statuses(answers), [200, 204])
  assert.equal((await entityIds(harness)).length, 1)
})

// Allowed: the alias is made before the mount goes and stays without mount; or it is refused.
it('an alias is never made on a mount that is gone', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const commits: SeenCommit[] = []
    const harness = createHarness((store) => interleaved(seed)(watchCommits(commits)(store)))
    const mount = await harness.mounts.enable('auth/userpass/')
    commits.length = 0
    const [made] = await Promise.all([
      harness.request('update', 'entity-alias', { name: 'kim', mount_accessor: mount.accessor }),
      harness.mounts.disable(mount),
    ])
    const done = commits.filter(({ conflict }) => !conflict).map(({ written }) => written)
    const gone = done.findIndex((written) => written.includes('test-mount'))
    const aliased = done.findIndex((written) => written.includes('a'))
    if (made.status === 200) assert.ok(aliased >= 0 && aliased < gone)
    else assert.equal(aliased, -1)
  }
})

race('two merges of one entity into two others: one happens', async (harness) => {
  const mount = await harness.mounts.enable('auth/userpass/')
  const { entityId: from } = await harness.login(mount, 'kim')
  const one = await create(harness, 'one')
  const two = await create(harness, 'two')
  const answers = await Promise.all(
    [one, two].map((to) =>
      harness.request('update', 'entity/merge', { to_entity_id: to, from_entity_ids: [from] }),
    ),
  )
  assert.deepEqual(statuses(answers), [204, 400])
  const survivor = answers[0]!.status === 204 ? one : two
  assert.equal((await harness.subject(from))?.id, survivor)
  assert.equal(await ownerOf(harness, mount.accessor, 'kim'), survivor)
})

it('fifty people join one external group at once without a conflict on the group', async () => {
  const commits: SeenCommit[] = []
  const harness = createHarness((store) => watchCommits(commits)(interleaved(7)(store)))
  const mount = await harness.mounts.enable('auth/jwt/', 'jwt')
  const group = await createExternal(harness, 'devs', mount.accessor)
  commits.length = 0
  const logins = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      harness.login(mount, `person-${index}`, { groups: ['devs'] }),
    ),
  )
  const stale = commits.flatMap((commit) => commit.stale)
  assert.deepEqual(
    stale.filter((prefix) => prefix !== 'gk'),
    [],
  )
  assert.deepEqual(
    new Set(await members(harness, group)),
    new Set(logins.map(({ entityId }) => entityId)),
  )
  const read = await harness.request('read', `group/id/${group}`)
  assert.equal(read.data['modify_index'], 52)
  const list = await harness.request('list', 'group/id')
  assert.equal(list.data['key_info'][group].num_member_entities, 50)
})
