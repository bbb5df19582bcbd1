import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Harness, SeenCommit } from './testing.ts'
import { createHarness, watchCommits } from './testing.ts'

const create = async (
  harness: Harness,
  what: 'entity' | 'group',
  body: Readonly<Record<string, string | readonly string[]>>,
): Promise<string> => (await harness.request('update', what, body)).data['id']

const people = async (harness: Harness, count: number): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    ids.push(await create(harness, 'entity', { name: `person-${index}` }))
  }
  return ids.sort()
}

const read = async (harness: Harness, name: string): Promise<Readonly<Record<string, any>>> =>
  (await harness.request('read', `group/name/${name}`)).data

const codes = ({ hints }: { readonly hints: readonly { readonly code: string }[] }) =>
  hints.map(({ code }) => code)

describe('the members of a group', () => {
  it('cost two records each when they change, none when they stay', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const ids = await people(harness, 20)
    await create(harness, 'group', { name: 'crew', member_entity_ids: ids.slice(0, 19) })
    commits.length = 0
    const answer = await harness.request('update', 'group/name/crew', { member_entity_ids: ids })
    assert.equal(answer.status, 204)
    assert.deepEqual(codes(answer), [])
    assert.deepEqual(
      commits.map(({ written }) => [...written].sort()),
      [['em', 'g', 'gk', 'gm']],
    )
    assert.deepEqual((await read(harness, 'crew'))['member_entity_ids'], ids)
  })

  it('that a list evicts are counted in a hint', async () => {
    const harness = createHarness()
    const [one, two, three] = await people(harness, 3)
    await create(harness, 'group', { name: 'crew', member_entity_ids: [one!, two!] })
    const answer = await harness.request('update', 'group/name/crew', {
      member_entity_ids: [three!],
    })
    assert.deepEqual(codes(answer), ['members-evicted'])
    assert.match(answer.hints[0]!.text, /^2 member entities were removed/)
  })

  it('stay as they were when a child group is refused', async () => {
    const harness = createHarness()
    const [one, two] = await people(harness, 2)
    const id = await create(harness, 'group', { name: 'crew', member_entity_ids: [one!] })
    const refused = await harness.request('update', `group/id/${id}`, {
      member_entity_ids: [two!],
      member_group_ids: ['nope'],
    })
    assert.deepEqual([refused.status, refused.error], [500, 'invalid member group ID "nope"'])
    const group = await read(harness, 'crew')
    assert.deepEqual(group['member_entity_ids'], [one])
    assert.equal(group['modify_index'], 1)
  })

  it('listed twice by a merge are counted twice, and once after the next write', async () => {
    const harness = createHarness()
    const [from, to] = await people(harness, 2)
    const id = await create(harness, 'group', { name: 'crew', member_entity_ids: [from!, to!] })
    await harness.request('update', 'entity/merge', { to_entity_id: to!, from_entity_ids: [from!] })
    const listed = async () =>
      (await harness.request('list', 'group/id')).data['key_info'][id].num_member_entities
    assert.deepEqual((await read(harness, 'crew'))['member_entity_ids'], [to, to])
    assert.equal(await listed(), 2)
    await harness.request('update', `group/id/${id}`, { member_entity_ids: [to!] })
    assert.deepEqual((await read(harness, 'crew'))['member_entity_ids'], [to])
    assert.equal(await listed(), 1)
    await harness.request('delete', `entity/id/${to}`)
    assert.equal(await listed(), 0)
  })
})

describe('a hierarchy', () => {
  it('gives members of a group the policies of those above it, never the reverse', async () => {
    const harness = createHarness()
    const [low, high] = await people(harness, 2)
    const inner = await create(harness, 'group', {
      name: 'inner',
      policies: ['inner-p'],
      member_entity_ids: [low!],
    })
    await create(harness, 'group', {
      name: 'outer',
      policies: ['outer-p'],
      member_entity_ids: [high!],
      member_group_ids: [inner],
    })
    const policies = async (id: string): Promise<readonly string[]> =>
      (await harness.subject(id))!.groups.flatMap((group) => group.policies)
    assert.deepEqual(await policies(low!), ['inner-p', 'outer-p'])
    assert.deepEqual(await policies(high!), ['outer-p'])
  })

  it('refuses a cycle over any number of groups and a group inside itself', async () => {
    const harness = createHarness()
    let below = await create(harness, 'group', { name: 'g0' })
    const bottom = below
    for (let level = 1; level < 8; level++) {
      below = await create(harness, 'group', { name: `g${level}`, member_group_ids: [below] })
    }
    const cycle = await harness.request('update', `group/id/${bottom}`, {
      member_group_ids: [below],
    })
    assert.deepEqual(
      [cycle.status, cycle.error],
      [400, `cyclic relationship detected for member group ID "${below}"`],
    )
    const self = await harness.request('update', `group/id/${bottom}`, {
      member_group_ids: [bottom],
    })
    assert.equal(self.error, `member group ID "${bottom}" is same as the ID of the group`)
  })
})

describe('deleting a group', () => {
  it('takes its policies away at once, whatever its size', async () => {
    const harness = createHarness()
    const ids = await people(harness, 90)
    const id = await create(harness, 'group', {
      name: 'crew',
      policies: ['p'],
      member_entity_ids: ids,
    })
    assert.equal((await harness.request('delete', `group/id/${id}`)).status, 204)
    for (const entity of ids) assert.deepEqual((await harness.subject(entity))!.groups, [])
    const again = await create(harness, 'group', { name: 'crew' })
    assert.notEqual(again, id)
    assert.equal((await read(harness, 'crew'))['member_entity_ids'], null)
  })
})

describe('a group alias', () => {
  it('that takes the place of another says so', async () => {
    const harness = createHarness()
    const { accessor } = await harness.mounts.enable('auth/jwt/', 'jwt')
    const id = await create(harness, 'group', { name: 'devs', type: 'external' })
    const alias = (name: string) =>
      harness.request('update', 'group-alias', {
        name,
        mount_accessor: accessor,
        canonical_id: id,
      })
    assert.deepEqual(codes(await alias('one')), [])
    const second = await alias('two')
    assert.deepEqual(codes(second), ['group-alias-replaced'])
    assert.match(second.hints[0]!.text, /"one" was removed/)
    assert.equal((await harness.request('list', 'group-alias/id')).data['keys'].length, 1)
  })
})
