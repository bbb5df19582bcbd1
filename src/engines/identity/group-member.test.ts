import { compareBytes } from '../../std/json.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../std/json.ts'
import type { Answer, Harness, SeenCommit } from './testing.ts'
import { createHarness, watchCommits } from './testing.ts'

type Body = Readonly<Record<string, Json>>

const create = async (harness: Harness, what: 'entity' | 'group', body: Body): Promise<string> =>
  (await harness.request('update', what, body)).data['id']

const person = (harness: Harness, name: string): Promise<string> =>
  create(harness, 'entity', { name })

const crew = (harness: Harness, more: Body = {}): Promise<string> =>
  create(harness, 'group', { name: 'crew', policies: ['sail'], ...more })

const add = (harness: Harness, body: Body, group = 'name/crew'): Promise<Answer> =>
  harness.request('update', `group-member/${group}`, body)

const remove = (harness: Harness, body: Body, group = 'name/crew'): Promise<Answer> =>
  harness.request('delete', `group-member/${group}`, body)

const list = (harness: Harness, body: Body = {}, group = 'name/crew'): Promise<Answer> =>
  harness.request('list', `group-member/${group}`, body)

const group = async (harness: Harness, name = 'crew'): Promise<Readonly<Record<string, any>>> =>
  (await harness.request('read', `group/name/${name}`)).data

const policies = async (harness: Harness, id: string): Promise<readonly string[]> =>
  (await harness.subject(id))!.groups.flatMap((each) => each.policies)

const HOUR = 3_600_000

describe('adding members', () => {
  it('takes entities and groups by id and by name, in one commit, and tells each', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const [ann, bob] = [await person(harness, 'ann'), await person(harness, 'Bob')]
    const [cooks, deck] = [
      await create(harness, 'group', { name: 'cooks' }),
      await create(harness, 'group', { name: 'deck' }),
    ]
    const id = await crew(harness)
    commits.length = 0
    const answer = await add(harness, {
      entity_ids: ann,
      entity_names: ['bob'],
      group_ids: [cooks],
      group_names: 'Deck',
    })
    assert.deepEqual(answer.data, {
      group_id: id,
      group_name: 'crew',
      modify_index: 2,
      added: [
        { type: 'entity', id: ann, name: 'ann', expire_time: null },
        { type: 'entity', id: bob, name: 'Bob', expire_time: null },
        { type: 'group', id: cooks, name: 'cooks', expire_time: null },
        { type: 'group', id: deck, name: 'deck', expire_time: null },
      ],
      updated: [],
      unchanged: [],
    })
    assert.equal(commits.length, 1)
    const shown = await group(harness)
    assert.deepEqual(shown['member_entity_ids'], [ann, bob].sort())
    assert.deepEqual(shown['member_group_ids'], [cooks, deck].sort())
    assert.equal(shown['modify_index'], 2)
    assert.deepEqual((await group(harness, 'deck'))['parent_group_ids'], [id])
    assert.deepEqual(await policies(harness, ann), ['sail'])
  })

  it('again changes and counts nothing', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const ann = await person(harness, 'ann')
    const id = await crew(harness)
    await add(harness, { entity_names: 'ann', reason: 'INC-42' })
    commits.length = 0
    const answer = await add(harness, { entity_ids: [ann, ann], entity_names: 'ANN' }, `id/${id}`)
    assert.equal(answer.data['modify_index'], 2)
    assert.deepEqual(answer.data['unchanged'].length, 1)
    assert.deepEqual(commits, [])
  })

  it('refuses what it cannot do, says all that is wrong, and changes nothing', async () => {
    const harness = createHarness()
    const ann = await person(harness, 'ann')
    const id = await crew(harness)
    const nobody = '00000000-0000-4000-8000-000000000001'
    const refused = async (body: Body, text: string | RegExp, status = 400): Promise<void> => {
      const answer = await add(harness, { entity_ids: ann, ...body })
      assert.equal(answer.status, status)
      if (typeof text === 'string') assert.equal(answer.error, text)
      else assert.match(answer.error, text)
    }
    await refused({ entity_ids: '' }, /^name at least one member/)
    await refused(
      { entity_ids: Array.from({ length: 1001 }, (_, n) => `${n}`) },
      'at most 1000 members a request',
    )
    await refused({ entity_names: 'alcie' }, 'no entity named "alcie"')
    await refused(
      { entity_names: ['alcie', 'ann', 'bbo'], group_ids: nobody },
      `no entity named "alcie", no entity named "bbo", no group with the id "${nobody}"`,
    )
    await refused({ group_ids: id }, `cyclic relationship detected for member group ID "${id}"`)
    await refused({ ttl: '0' }, 'ttl must be between 1s and 8760h')
    await refused({ ttl: '8761h' }, 'ttl must be between 1s and 8760h')
    await refused({ ttl: '1h', expire_time: 'never' }, 'send ttl or expire_time, not both')
    await refused({ expire_time: '2001-01-01T00:00:00Z' }, 'expire_time must be in the future')
    await refused({ expire_time: 'tomorrow' }, /^expire_time must be a time such as/)
    await refused({ reason: 'x'.repeat(513) }, 'reason must be at most 512 bytes')
    await refused({ cas: 7 }, 'check-and-set parameter did not match the current version')
    const absent = await add(harness, { entity_ids: ann }, 'name/eng')
    assert.deepEqual([absent.status, absent.error], [404, 'no group named "eng"'])
    const byName = await add(harness, { entity_ids: ann }, 'id/crew')
    assert.deepEqual([byName.status, byName.error], [404, 'no group with the id "crew"'])
    assert.match(byName.hints[0]!.text, new RegExp(id))
    assert.equal((await add(harness, { entity_ids: 'ann' })).hints[0]?.code, 'name-for-id')
    assert.equal((await group(harness))['modify_index'], 1)
    assert.equal((await list(harness)).status, 404)
  })

  it('to a group inside the group itself closes a cycle', async () => {
    const harness = createHarness()
    const outer = await crew(harness)
    await create(harness, 'group', { name: 'inner' })
    await add(harness, { group_names: 'inner' })
    const answer = await add(harness, { group_ids: outer }, 'name/inner')
    assert.equal(answer.error, `cyclic relationship detected for member group ID "${outer}"`)
  })

  it('to an external group says where its members come from', async () => {
    const harness = createHarness()
    await person(harness, 'ann')
    const mount = await harness.mounts.enable('auth/jwt/', 'jwt')
    const id = await create(harness, 'group', { name: 'engineering', type: 'external' })
    const text = async () => (await add(harness, { entity_names: 'ann' }, `id/${id}`)).error
    assert.match(await text(), /^members of the external group "engineering" come from logins, thr/)
    await harness.request('update', 'group-alias', {
      name: 'eng',
      mount_accessor: mount.accessor,
      canonical_id: id,
    })
    assert.equal(
      await text(),
      'members of the external group "engineering" come from logins through jwt/',
    )
    const removed = await remove(harness, { entity_names: 'ann' }, `id/${id}`)
    assert.equal(removed.status, 400)
  })

  it('with cas does it once', async () => {
    const harness = createHarness()
    await person(harness, 'ann')
    await person(harness, 'bob')
    await crew(harness)
    const first = await add(harness, { entity_names: 'ann', cas: 1 })
    assert.equal(first.data['modify_index'], 2)
    assert.equal((await add(harness, { entity_names: 'bob', cas: 1 })).status, 400)
    assert.equal((await remove(harness, { entity_names: 'ann', cas: 2 })).data['modify_index'], 3)
  })
})

describe('removing members', () => {
  it('tells who was in it and who was not', async () => {
    const harness = createHarness()
    const [ann, bob] = [await person(harness, 'ann'), await person(harness, 'bob')]
    const deck = await create(harness, 'group', { name: 'deck' })
    const id = await crew(harness, { member_entity_ids: [ann], member_group_ids: [deck] })
    const gone = '00000000-0000-4000-8000-000000000001'
    const answer = await remove(harness, {
      entity_names: 'ann,bob',
      entity_ids: gone,
      group_names: 'deck',
    })
    assert.deepEqual(answer.data, {
      group_id: id,
      group_name: 'crew',
      modify_index: 2,
      removed: [
        { type: 'entity', id: ann, name: 'ann' },
        { type: 'group', id: deck, name: 'deck' },
      ],
      absent: [
        { type: 'entity', id: gone, name: '' },
        { type: 'entity', id: bob, name: 'bob' },
      ],
    })
    assert.deepEqual(await policies(harness, ann), [])
    assert.deepEqual((await group(harness))['member_entity_ids'], [])
    assert.deepEqual((await group(harness, 'deck'))['parent_group_ids'], [])
  })

  it('never means all of them, and refuses a name that nobody has', async () => {
    const harness = createHarness()
    const ann = await person(harness, 'ann')
    await crew(harness, { member_entity_ids: [ann] })
    assert.match((await remove(harness, {})).error, /^name at least one member/)
    assert.equal((await remove(harness, { entity_names: 'an' })).error, 'no entity named "an"')
    assert.deepEqual((await group(harness))['member_entity_ids'], [ann])
  })
})

describe('a membership with an end', () => {
  it('counts until then and at that instant no more, cleaned up or not', async () => {
    const harness = createHarness()
    const ann = await person(harness, 'ann')
    const id = await crew(harness)
    const end = harness.now + 8 * HOUR
    const added = await add(harness, { entity_names: 'ann', ttl: '8h', reason: 'INC-42' })
    assert.equal(added.data['added'][0].expire_time, '2026-01-02T11:04:05.678Z')
    assert.equal((await harness.subject(ann))!.until, end)
    const seen = async () => ({
      policies: await policies(harness, ann),
      members: (await group(harness))['member_entity_ids'],
      direct: (await harness.request('read', 'entity/name/ann')).data['direct_group_ids'],
      listed: (await list(harness)).data['keys'],
      one: (await harness.request('read', 'group-member/name/crew/ann')).status,
      groups: (await harness.request('list', 'entity-membership/name/ann')).status,
    })
    const there = {
      policies: ['sail'],
      members: [ann],
      direct: [id],
      listed: [ann],
      one: 200,
      groups: 200,
    }
    const gone = {
      policies: [],
      members: null,
      direct: [],
      listed: undefined,
      one: 404,
      groups: 404,
    }
    assert.deepEqual(await seen(), there)
    harness.now = end - 1
    await harness.background()
    assert.deepEqual(await seen(), there)
    harness.now = end
    assert.deepEqual(await seen(), gone)
    assert.equal((await harness.subject(ann))!.until, undefined)
    const before = (await group(harness))['modify_index']
    await harness.background()
    assert.deepEqual(await seen(), gone)
    assert.equal((await group(harness))['modify_index'], before)
    const counted = await harness.request('list', 'group/id')
    assert.equal(counted.data['key_info'][id].num_member_entities, 0)
  })

  it('can be moved and taken away; without a word about it, it stays', async () => {
    const harness = createHarness()
    const ann = await person(harness, 'ann')
    await crew(harness)
    await add(harness, { entity_names: 'ann', ttl: '1h' })
    const kept = await add(harness, { entity_names: 'ann', reason: 'on call' })
    assert.equal(kept.data['updated'][0].expire_time, '2026-01-02T04:04:05.678Z')
    assert.equal(kept.hints[0]?.code, 'membership-ends')
    await add(harness, { entity_names: 'ann', expire_time: '2026-01-02T09:00:00Z' })
    harness.now += 2 * HOUR
    await harness.background()
    assert.deepEqual(await policies(harness, ann), ['sail'])
    const forever = await add(harness, { entity_names: 'ann', expire_time: 'never' })
    assert.equal(forever.data['updated'][0].expire_time, null)
    harness.now += 24 * HOUR
    await harness.background()
    assert.deepEqual(await policies(harness, ann), ['sail'])
    const one = await harness.request('read', 'group-member/name/crew/ann')
    assert.equal(one.data['reason'], 'on call')
  })

  it('is kept by a list of all members that keeps the member, and begins anew for one who had left', async () => {
    const harness = createHarness()
    const [ann, bob] = [await person(harness, 'ann'), await person(harness, 'bob')]
    const id = await crew(harness)
    await add(harness, { entity_names: 'ann', ttl: '1h' })
    await harness.request('update', `group/id/${id}`, { member_entity_ids: [ann, bob] })
    assert.equal(
      (await list(harness)).data['key_info'][ann].expire_time,
      '2026-01-02T04:04:05.678Z',
    )
    harness.now += HOUR
    const after = await harness.request('update', `group/id/${id}`, { member_entity_ids: [bob] })
    assert.deepEqual(after.hints, [])
    await harness.request('update', `group/id/${id}`, { member_entity_ids: [ann, bob] })
    harness.now += HOUR
    await harness.background()
    assert.deepEqual((await group(harness))['member_entity_ids'], [ann, bob].sort())
    assert.equal((await list(harness)).data['key_info'][ann].expire_time, null)
    const counted = await harness.request('list', 'group/id')
    assert.equal(counted.data['key_info'][id].num_member_entities, 2)
  })

  it('of a group in a group ends what its members inherit', async () => {
    const harness = createHarness()
    const ann = await person(harness, 'ann')
    const deck = await create(harness, 'group', { name: 'deck', member_entity_ids: [ann] })
    const id = await crew(harness)
    await add(harness, { group_names: 'deck', ttl: '1h' })
    assert.deepEqual(await policies(harness, ann), ['sail'])
    assert.equal((await harness.subject(ann))!.until, harness.now + HOUR)
    const ways = await harness.request('list', 'entity-membership/name/ann')
    assert.deepEqual(ways.data['key_info'][id], {
      name: 'crew',
      type: 'internal',
      direct: false,
      path: ['deck', 'crew'],
      expire_time: '2026-01-02T04:04:05.678Z',
    })
    harness.now += HOUR
    assert.deepEqual(await policies(harness, ann), [])
    assert.equal((await group(harness))['member_group_ids'], null)
    assert.equal((await group(harness, 'deck'))['parent_group_ids'], null)
    // What has ended closes no cycle.
    assert.equal((await add(harness, { group_names: 'crew' }, `id/${deck}`)).status, 200)
    await harness.background()
    assert.deepEqual((await group(harness))['parent_group_ids'], [deck])
  })

  it('goes with the entity in a merge; the later of two ends counts', async () => {
    const harness = createHarness()
    const [ann, twin] = [await person(harness, 'ann'), await person(harness, 'twin')]
    await crew(harness)
    await create(harness, 'group', { name: 'deck' })
    await add(harness, { entity_names: 'ann', ttl: '1h' })
    await add(harness, { entity_names: 'twin', ttl: '3h' })
    await add(harness, { entity_names: 'twin', ttl: '2h' }, 'name/deck')
    const merged = await harness.request('update', 'entity/merge', {
      to_entity_id: ann,
      from_entity_ids: [twin],
    })
    assert.equal(merged.status, 204)
    const ends = async (): Promise<string[]> => {
      const { data } = await harness.request('list', 'entity-membership/name/ann')
      const infos = Object.values(data['key_info'] ?? {}) as { readonly expire_time: string }[]
      return infos.map((info) => info.expire_time).sort(compareBytes)
    }
    assert.deepEqual(await ends(), ['2026-01-02T05:04:05.678Z', '2026-01-02T06:04:05.678Z'])
    harness.now += 2 * HOUR
    await harness.background()
    assert.deepEqual(await ends(), ['2026-01-02T06:04:05.678Z'])
    harness.now += HOUR
    await harness.background()
    assert.deepEqual(await ends(), [])
    assert.equal((await group(harness))['member_entity_ids'], null)
  })

  it('is cleaned up by the thousand in rounds, at no cost while nothing has ended', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const id = await crew(harness)
    const names = Array.from({ length: 130 }, (_, index) => `p${index}`)
    for (const name of names) await person(harness, name)
    for (const part of [names.slice(0, 65), names.slice(65)]) {
      assert.equal((await add(harness, { entity_names: part, ttl: '1h' })).status, 200)
    }
    await harness.background()
    commits.length = 0
    await harness.background()
    assert.equal(commits.length, 0)
    harness.now += HOUR
    await harness.background()
    assert.equal(commits.length, Math.ceil(130 / 32))
    const counted = await harness.request('list', 'group/id')
    assert.equal(counted.data['key_info'][id].num_member_entities, 0)
  })
})

describe('the list of members', () => {
  it('tells of each how long, since when, by whom and why', async () => {
    const harness = createHarness()
    const [ann, bob, lead] = [
      await person(harness, 'ann'),
      await person(harness, 'bob'),
      await person(harness, 'lead'),
    ]
    const deck = await create(harness, 'group', { name: 'deck' })
    await crew(harness, { member_entity_ids: [bob] })
    const caller = harness.callerOf(lead)
    await harness.request(
      'update',
      'group-member/name/crew',
      { entity_names: 'ann', group_names: 'deck', ttl: 60, reason: 'INC-42' },
      { caller },
    )
    const { data } = await list(harness)
    assert.deepEqual(data['keys'], [ann, bob, deck].sort())
    assert.deepEqual(data['page'], { next: null })
    const added = {
      expire_time: '2026-01-02T03:05:05.678Z',
      added_time: '2026-01-02T03:04:05.678Z',
      added_by: lead,
      reason: 'INC-42',
      source: 'api',
    }
    assert.deepEqual(
      { ...data['key_info'] },
      {
        [ann]: { type: 'entity', name: 'ann', ...added },
        [deck]: { type: 'group', name: 'deck', ...added },
        [bob]: {
          type: 'entity',
          name: 'bob',
          expire_time: null,
          added_time: '2026-01-02T03:04:05.678Z',
          added_by: null,
          reason: '',
          source: 'list',
        },
      },
    )
    const one = await harness.request('read', `group-member/name/crew/${ann}`)
    assert.equal(one.data['name'], 'ann')
    assert.equal(one.data['added_by'], lead)
    assert.equal((await harness.request('read', 'group-member/name/crew/lead')).status, 404)
    assert.equal((await harness.request('read', 'group-member/name/crew')).status, 405)
    const only = async (body: Body) => (await list(harness, body)).data['keys']
    assert.deepEqual(await only({ type: 'group' }), [deck])
    assert.deepEqual(await only({ expiring_within: '1h' }), [ann, deck].sort())
    assert.equal(await only({ expiring_within: '30s' }), undefined)
    assert.equal((await list(harness, { type: 'person' })).status, 400)
  })

  it('of an external group shows the logins', async () => {
    const harness = createHarness()
    const mount = await harness.mounts.enable('auth/jwt/', 'jwt')
    const id = await create(harness, 'group', { name: 'eng', type: 'external' })
    await harness.request('update', 'group-alias', {
      name: 'eng',
      mount_accessor: mount.accessor,
      canonical_id: id,
    })
    const { entityId } = await harness.login(mount, 'kim', { groups: ['eng'] })
    const info = (await list(harness, {}, `id/${id}`)).data['key_info'][entityId]
    assert.equal(info.source, 'login')
    assert.equal(info.added_time, '2026-01-02T03:04:05.678Z')
  })

  it('pages through entities and groups in the order of ids', async () => {
    const harness = createHarness()
    await crew(harness)
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
    const ids: string[] = []
    for (const name of names) {
      ids.push(await person(harness, name), await create(harness, 'group', { name }))
    }
    await add(harness, { entity_names: names, group_names: names })
    const seen: string[] = []
    let after: string | null = ''
    while (after !== null) {
      const { data }: Answer = await list(harness, { after, limit: 5 })
      assert.ok(data['keys'].length <= 5)
      seen.push(...data['keys'])
      after = data['page'].next
    }
    assert.deepEqual(seen, ids.sort())
  })

  it('includes those of the groups inside, each once, with the way', async () => {
    const harness = createHarness()
    const [ann, bob] = [await person(harness, 'ann'), await person(harness, 'bob')]
    const inner = await create(harness, 'group', { name: 'inner' })
    const deck = await create(harness, 'group', { name: 'deck', member_entity_ids: [ann] })
    await crew(harness)
    await add(harness, { entity_names: ['ann', 'bob'], ttl: '2h' }, 'name/inner')
    await add(harness, { group_names: 'inner', ttl: '1h' }, 'name/deck')
    await add(harness, { group_names: 'deck', entity_names: 'bob' })
    const { data } = await list(harness, { include: 'inherited' })
    assert.deepEqual(data['keys'], [ann, bob, inner, deck].sort())
    const info = data['key_info']
    assert.deepEqual(info[ann].through.sort(), ['deck', 'inner'])
    assert.deepEqual([info[ann].inherited, info[ann].expire_time], [true, null])
    assert.deepEqual([info[bob].inherited, info[bob].expire_time], [false, null])
    assert.equal(info[inner].expire_time, '2026-01-02T04:04:05.678Z')
    const within = await list(harness, { include: 'inherited', expiring_within: '3h' })
    assert.deepEqual(within.data['keys'], [inner])
  })
})
