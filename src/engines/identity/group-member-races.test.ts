import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Harness } from './testing.ts'
import { createHarness, interleaved } from './testing.ts'

const SEEDS = 30

const ascending = (a: number, b: number): number => a - b

/** Runs a race with many orders of the store's calls. */
const race = (title: string, run: (harness: Harness, seed: number) => Promise<void>): void => {
  it(title, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await run(createHarness(interleaved(seed)), seed)
    }
  })
}

const person = async (harness: Harness, name: string): Promise<string> =>
  (await harness.request('update', 'entity', { name })).data['id']

const crew = async (harness: Harness, members: readonly string[] = []): Promise<string> =>
  (await harness.request('update', 'group', { name: 'crew', member_entity_ids: [...members] }))
    .data['id']

const members = async (harness: Harness): Promise<readonly string[]> =>
  (await harness.request('read', 'group/name/crew')).data['member_entity_ids'] ?? []

/** Edges, the entities' own records and the count tell the same of these people. */
const consistent = async (harness: Harness, ids: readonly string[]): Promise<void> => {
  const group = (await harness.request('read', 'group/name/crew')).data
  const listed = new Set<string>(group['member_entity_ids'] ?? [])
  for (const id of ids) {
    const subject = await harness.subject(id)
    const inside = subject?.groups.some((one) => one.id === group['id']) ?? false
    assert.equal(inside, listed.has(id))
  }
  const count = (await harness.request('list', 'group/id')).data['key_info'][group['id']]
  assert.equal(count.num_member_entities, listed.size)
}

race('people added at once are all in the group, each counted once', async (harness) => {
  const names = ['ann', 'bob', 'cid', 'dan']
  const ids = await Promise.all(names.map((name) => person(harness, name)))
  await crew(harness)
  const answers = await Promise.all(
    [...names, ...names].map((name) =>
      harness.request('update', 'group-member/name/crew', { entity_names: name }),
    ),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal(answers.flatMap(({ data }) => data['added']).length, 4)
  assert.deepEqual(await members(harness), [...ids].sort())
  assert.equal((await harness.request('read', 'group/name/crew')).data['modify_index'], 5)
  await consistent(harness, ids)
})

/** Reads the members until `over`: each answer must be one of the lists that were ever written. */
const readsMeanwhile = async (
  harness: Harness,
  states: readonly (readonly string[])[],
  over: () => boolean,
): Promise<void> => {
  const allowed = new Set(states.map((state) => JSON.stringify([...state].sort())))
  while (!over()) {
    const seen = JSON.stringify(await members(harness))
    assert.ok(allowed.has(seen), `${seen} was never the list`)
  }
}

const alternating = async (
  harness: Harness,
  states: readonly (readonly string[])[],
  writes: number,
): Promise<void> => {
  let over = false
  const writing = (async () => {
    for (let round = 1; round <= writes; round++) {
      const list = [...states[round % states.length]!]
      await harness.request('update', 'group/name/crew', { member_entity_ids: list })
    }
    over = true
  })()
  await Promise.all([writing, ...[1, 2, 3].map(() => readsMeanwhile(harness, states, () => over))])
}

race('a read shows a list as it was written, never two of them mixed', async (harness) => {
  const ids: string[] = []
  for (const name of ['ann', 'bob', 'cid', 'dan']) ids.push(await person(harness, name))
  const states = [ids.slice(0, 2), ids.slice(2), [ids[0]!, ids[3]!]]
  await crew(harness, states[0])
  await alternating(harness, states, 6)
})

it('a read of many pages shows a list as it was written, too', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const harness = createHarness(interleaved(seed))
    const ids: string[] = []
    for (let index = 0; index < 302; index++) ids.push(await person(harness, `person-${index}`))
    const inOrder = [...ids].sort()
    const states = [inOrder.slice(1), inOrder.slice(0, -1)]
    await crew(harness, states[0])
    await alternating(harness, states, 3)
  }
})

race('of two with one cas one succeeds', async (harness) => {
  const ids = [await person(harness, 'ann'), await person(harness, 'bob')]
  await crew(harness)
  const answers = await Promise.all(
    ids.map((id) =>
      harness.request('update', 'group-member/name/crew', { entity_ids: id, cas: 1 }),
    ),
  )
  assert.deepEqual(answers.map(({ status }) => status).toSorted(ascending), [200, 400])
  assert.equal((await members(harness)).length, 1)
})

race('a member added beside a list of all members comes before it or after it', async (harness) => {
  const ids = [
    await person(harness, 'ann'),
    await person(harness, 'bob'),
    await person(harness, 'cid'),
  ]
  const [ann, bob, cid] = ids as [string, string, string]
  const id = await crew(harness, [ann])
  const [added, listed] = await Promise.all([
    harness.request('update', 'group-member/name/crew', { entity_ids: cid }),
    harness.request('update', `group/id/${id}`, { member_entity_ids: [bob] }),
  ])
  assert.deepEqual([added.status, listed.status], [200, 204])
  const after = await members(harness)
  assert.ok(after.includes(bob))
  assert.ok(!after.includes(ann))
  await consistent(harness, ids)
})

race('nobody is in a group whose entity is deleted at that moment', async (harness) => {
  const ann = await person(harness, 'ann')
  await crew(harness)
  const [added, deleted] = await Promise.all([
    harness.request('update', 'group-member/name/crew', { entity_names: 'ann' }),
    harness.request('delete', `entity/id/${ann}`),
  ])
  assert.ok(added.status === 200 || added.error === 'no entity named "ann"', added.error)
  assert.equal(deleted.status, 204)
  assert.deepEqual(await members(harness), [])
  await consistent(harness, [])
})

race('nobody is in a group that is deleted at that moment', async (harness) => {
  const ann = await person(harness, 'ann')
  const id = await crew(harness)
  const [added] = await Promise.all([
    harness.request('update', 'group-member/name/crew', { entity_names: 'ann' }),
    harness.request('delete', `group/id/${id}`),
  ])
  assert.ok(added.status === 200 || added.error === 'no group named "crew"')
  assert.deepEqual((await harness.subject(ann))!.groups, [])
  assert.equal((await harness.request('list', 'entity-membership/name/ann')).status, 404)
})

race(
  'a member that is removed while it is added is in it or not, everywhere alike',
  async (harness) => {
    const ann = await person(harness, 'ann')
    await crew(harness)
    await Promise.all([
      harness.request('update', 'group-member/name/crew', { entity_names: 'ann', ttl: '1h' }),
      harness.request('delete', 'group-member/name/crew', { entity_names: 'ann' }),
      harness.request('update', 'group-member/name/crew', { entity_names: 'ann', ttl: '2h' }),
    ])
    await consistent(harness, [ann])
  },
)

race('two groups put into each other at once never close a cycle', async (harness) => {
  const ids = await Promise.all(
    ['one', 'two'].map(
      async (name) => (await harness.request('update', 'group', { name })).data['id'] as string,
    ),
  )
  const answers = await Promise.all([
    harness.request('update', 'group-member/name/one', { group_names: 'two', ttl: '1h' }),
    harness.request('update', 'group-member/name/two', { group_ids: ids[0]! }),
  ])
  assert.deepEqual(answers.map(({ status }) => status).toSorted(ascending), [200, 400])
})

race('who is added again while the ended membership is cleaned up stays', async (harness, seed) => {
  const ann = await person(harness, 'ann')
  const id = await crew(harness)
  await harness.request('update', 'group-member/name/crew', { entity_names: 'ann', ttl: '1h' })
  harness.now += 3_600_000
  const again =
    seed % 2 === 0
      ? harness.request('update', 'group-member/name/crew', { entity_names: 'ann' })
      : harness.request('update', `group/id/${id}`, { member_entity_ids: [ann] })
  await Promise.all([again, harness.background(), harness.background()])
  assert.deepEqual(await members(harness), [ann])
  harness.now += 3_600_000
  await harness.background()
  assert.deepEqual(await members(harness), [ann])
  await consistent(harness, [ann])
})
