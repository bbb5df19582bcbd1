import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Store } from '../../../storage/store.ts'
import { withFaults } from '../../../storage/faults/fault-store.ts'
import type { Harness } from '../testing.ts'
import { ROOT, createHarness } from '../testing.ts'
import { exportLines } from './export.ts'
import type { Imported } from './import.ts'
import { importLines } from './import.ts'
import type { Conflict } from './outcome.ts'
import { imports } from './progress.ts'

const exported = async ({ records, names, mounts, now }: Harness): Promise<string> => {
  const { body, summary } = exportLines({ records, names, namespace: ROOT, now }, mounts)
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  const text = Buffer.concat(pieces).toString()
  assert.equal(summary()['lines'], text.split('\n').length - 1)
  return text
}

const importing = (
  { records, names, mounts, now }: Harness,
  lines: string | readonly Readonly<Record<string, unknown>>[],
  conflict: Conflict = 'refuse',
  check = false,
): Promise<Imported> => {
  const text =
    typeof lines === 'string' ? lines : lines.map((one) => JSON.stringify(one)).join('\n')
  const call = {
    records,
    names,
    namespace: ROOT,
    now,
    caller: undefined,
    newId: randomUUID,
    randomBytes,
  }
  return importLines(call, Buffer.from(text), { mounts, conflict, check })
}

const reasons = ({ outcomes }: Imported): (string | undefined)[] =>
  [...outcomes].sort(([a], [b]) => a - b).map(([, { reason }]) => reason)

const results = ({ outcomes }: Imported): string[] =>
  [...outcomes].sort(([a], [b]) => a - b).map(([, { result }]) => result)

const ok = async (
  answer: Promise<{ readonly status: number; readonly error: string; readonly data: any }>,
) => {
  const { status, error, data } = await answer
  assert.ok(status < 300, error)
  return data
}

/** People with two accounts, groups in groups, external groups filled by logins, timed members, a merged person. */
const populate = async (h: Harness, people: number): Promise<void> => {
  const password = await h.mounts.enable('auth/password/')
  const corp = await h.mounts.enable('auth/corp/', 'jwt')
  const external = await ok(
    h.request('update', 'group', { name: 'engineers', type: 'external', policies: ['eng'] }),
  )
  await ok(
    h.request('update', 'group-alias', {
      name: 'Engineering',
      mount_accessor: corp.accessor,
      canonical_id: external.id,
    }),
  )
  const ids: string[] = []
  for (let index = 0; index < people; index++) {
    h.now += 7
    const { entityId } = await h.login(corp, `person${index}@corp`, {
      metadata: { nr: String(index) },
      groups: index % 2 === 0 ? ['Engineering'] : [],
    })
    ids.push(entityId)
    await ok(
      h.request('update', `entity/id/${entityId}`, {
        name: `Person ${index}`,
        policies: ['b', 'a'],
        metadata: index % 3 === 0 ? {} : { team: 'x' },
        disabled: index % 5 === 4,
      }),
    )
    await ok(
      h.request('update', 'entity-alias', {
        name: `person${index}`,
        mount_accessor: password.accessor,
        canonical_id: entityId,
        custom_metadata: index % 2 === 0 ? { seat: 'y' } : {},
      }),
    )
  }
  h.now += 7
  const team = await ok(
    h.request('update', 'group', { name: 'Team', member_entity_ids: ids.slice(1) }),
  )
  h.now += 7
  await ok(
    h.request('update', 'group', {
      name: 'staff',
      policies: ['staff'],
      metadata: { floor: '2' },
      member_group_ids: [team.id, external.id],
    }),
  )
  h.now += 7
  await ok(
    h.request('update', 'group-member/name/staff', {
      entity_ids: [ids[0]!],
      ttl: '8h',
      reason: 'INC-42',
    }),
  )
  const old = await ok(h.request('update', 'entity', { name: 'old' }))
  await ok(
    h.request('update', 'entity/merge', { from_entity_ids: [old.id], to_entity_id: ids[0]! }),
  )
}

/** Every answer about identity, with what counts the writes of one server left out. */
const allAnswers = async (h: Harness, ids: ReadonlyMap<string, string>): Promise<unknown> => {
  const answers: unknown[] = []
  for (const kind of ['entity', 'entity-alias', 'group', 'group-alias']) {
    const { data } = await h.request('list', `${kind}/id`)
    for (const id of data['keys'] as string[]) {
      const { data: answer } = await h.request('read', `${kind}/id/${id}`)
      delete (answer as Record<string, unknown>)['modify_index']
      if (kind === 'group' && (answer['member_entity_ids'] ?? []).length === 0) {
        ;(answer as Record<string, unknown>)['member_entity_ids'] = null
      }
      answers.push([kind, answer])
      if (kind === 'group') {
        const members = await h.request('list', `group-member/id/${id}`)
        answers.push(members.data)
      }
    }
  }
  let text = JSON.stringify(answers)
  for (const [from, to] of ids) text = text.replaceAll(from, to)
  return JSON.parse(text)
}

const accessors = (h: Harness): ReadonlyMap<string, string> =>
  new Map(h.mounts.all().map(({ accessor, path }) => [accessor, `<${path}>`]))

/** An empty server with the same mounts, whose accessors are others. */
const another = async (from: Harness, wrap?: (store: Store) => Store): Promise<Harness> => {
  const h = createHarness(wrap)
  h.now = from.now
  await h.mounts.enable('auth/corp/', 'jwt')
  await h.mounts.enable('auth/password/')
  return h
}

describe('identity import and export', () => {
  it('gives an empty server the same answers, and nothing to do the second time', async () => {
    const source = createHarness()
    await populate(source, 7)
    const text = await exported(source)
    const target = await another(source)
    const first = await importing(target, text)
    assert.deepEqual(
      [...first.outcomes.values()].filter(({ result }) => result !== 'created'),
      [],
    )
    assert.deepEqual(
      await allAnswers(target, accessors(target)),
      await allAnswers(source, accessors(source)),
    )
    assert.equal(
      (await exported(target)).replaceAll(/"mount_accessor":"[^"]*"/g, ''),
      text.replaceAll(/"mount_accessor":"[^"]*"/g, ''),
    )
    for (const conflict of ['refuse', 'merge', 'skip'] as const) {
      const again = await importing(target, text, conflict)
      assert.equal(again.counts.unchanged, again.lines, JSON.stringify(reasons(again)))
      assert.equal(again.digest, first.digest)
    }
    const merged = await target.request('update', 'lookup/entity', {
      name: 'Person 0',
    })
    assert.equal(merged.data['merged_entity_ids'].length, 1)
  })

  it('lets someone who was imported log in as the same person, and leave a claimed group', async () => {
    const source = createHarness()
    await populate(source, 2)
    const text = await exported(source)
    const target = await another(source)
    await importing(target, text)
    const corp = (await target.mounts.byPath('auth/corp/'))!
    const { entityId, created } = await target.login(corp, 'person0@corp', { groups: [] })
    assert.equal(created, false)
    assert.equal((await target.subject(entityId))?.name, 'Person 0')
    const { data } = await target.request('read', 'group/name/engineers')
    assert.deepEqual(data['member_entity_ids'] ?? [], [])
  })

  it('tells beforehand what it would do, and does nothing', async () => {
    const source = createHarness()
    await populate(source, 3)
    const text = `${await exported(source)}{"type":"entity","name":"x","policies":["root"]}\n`
    const target = await another(source)
    const before = await exported(target)
    const checked = await importing(target, text, 'refuse', true)
    assert.equal(await exported(target), before)
    assert.deepEqual(results(await importing(target, text)), results(checked))
    assert.equal(checked.counts.refused, 1)
  })

  it('refuses what is here and differs, merges it or leaves it, as it is told', async () => {
    const h = createHarness()
    const { id } = await ok(
      h.request('update', 'entity', {
        name: 'Alice',
        policies: ['a'],
        metadata: { x: '1', y: '1' },
      }),
    )
    const line = { type: 'entity', name: 'alice', policies: ['B'], metadata: { y: '2' } }
    assert.match(
      reasons(await importing(h, [line]))[0]!,
      /is here and differs in name, policies, metadata/,
    )
    assert.deepEqual(results(await importing(h, [line], 'skip')), ['unchanged'])
    assert.deepEqual((await h.request('read', `entity/id/${id}`)).data['policies'], ['a'])
    assert.deepEqual(results(await importing(h, [line], 'merge')), ['updated'])
    const { data } = await h.request('read', `entity/id/${id}`)
    assert.deepEqual([data['policies'], data['metadata']], [['a', 'b'], { x: '1', y: '2' }])
    assert.deepEqual(results(await importing(h, [line], 'merge')), ['unchanged'])
  })

  it('makes one person of two with the same name when it merges, whose other id goes on', async () => {
    const h = createHarness()
    const mount = await h.mounts.enable('auth/password/')
    const { id } = await ok(h.request('update', 'entity', { name: 'alice' }))
    const other = randomUUID()
    const lines = [
      { type: 'entity', id: other, name: 'alice' },
      { type: 'entity-alias', name: 'al', mount_path: 'password', canonical_id: other },
    ]
    const refusing = await importing(h, lines)
    assert.deepEqual(results(refusing), ['refused', 'refused'])
    assert.equal([...refusing.outcomes.values()][1]?.missing, `entity:${other}`)
    assert.deepEqual(results(await importing(h, lines, 'merge')), ['updated', 'created'])
    assert.equal((await h.login(mount, 'al')).entityId, id)
    assert.deepEqual(results(await importing(h, lines, 'merge')), ['unchanged', 'unchanged'])
  })

  it('says of each line what is wrong with it, and takes the others in', async () => {
    const h = createHarness()
    await h.mounts.enable('auth/password/')
    const group = randomUUID()
    const imported = await importing(h, [
      { type: 'person', name: 'x' },
      { type: 'entity', name: 'x', polices: ['a'] },
      { type: 'entity', policies: [] },
      { type: 'entity', id: 'abc' },
      { type: 'entity', name: 'x', policies: ['root'] },
      { type: 'entity', name: 'x', metadata: { '': 'x' } },
      { type: 'entity-alias', name: 'x', mount_path: 'nowhere/', entity_name: 'good' },
      {
        type: 'entity-alias',
        name: 'x',
        mount_path: 'password',
        mount_type: 'jwt',
        entity_name: 'good',
      },
      { type: 'group', id: group, name: 'g' },
      { type: 'membership', group_name: 'g', member_group_id: group },
      { type: 'membership', group_name: 'g', entity_name: 'nobody' },
      { type: 'group-alias', name: 'x', mount_path: 'password', group_name: 'g' },
      { type: 'entity', name: 'good' },
      {
        type: 'membership',
        group_name: 'g',
        entity_name: 'good',
        expire_time: '2020-01-01T00:00:00Z',
      },
    ])
    assert.deepEqual(reasons(imported), [
      'type must be one of group, entity, entity-alias, group-alias, membership',
      '"polices" is no member of a line of type entity',
      'id or name is missing',
      'id must be an id: 36 characters, hexadecimal in lower case, 8-4-4-4-12',
      'policies cannot contain root',
      'invalid entity metadata: failed to load metadata pair ("", "x"): key cannot be blank',
      'nothing is mounted at "nowhere/": enable it first',
      'auth/password/ is of type userpass, not jwt',
      undefined,
      'a group cannot be in itself',
      'there is no entity of the name "nobody"',
      `the group ${group} (g) is internal and can have no alias`,
      undefined,
      'it ended at 2020-01-01T00:00:00Z',
    ])
    assert.equal(imported.counts.created, 2)
  })

  it('refuses a body with a torn line whole', async () => {
    const h = createHarness()
    await assert.rejects(importing(h, '{"type":"entity","name":"a"}\n\n{"type":"ent'), {
      message: 'line 3 is no JSON object, perhaps torn: nothing was imported',
    })
    assert.equal((await h.request('list', 'entity/id')).status, 404)
  })

  it('keeps groups from being inside themselves', async () => {
    const h = createHarness()
    const imported = await importing(h, [
      { type: 'group', name: 'a' },
      { type: 'group', name: 'b' },
      { type: 'membership', group_name: 'a', member_group_name: 'b' },
      { type: 'membership', group_name: 'b', member_group_name: 'a' },
    ])
    assert.deepEqual(results(imported), ['created', 'created', 'created', 'refused'])
  })

  it('goes on after it was broken off, and tells what the broken attempt had made', async () => {
    const source = createHarness()
    await populate(source, 60)
    const text = await exported(source)
    let left = Infinity
    const target = await another(source, (store) =>
      withFaults(store, ({ operation }) =>
        operation === 'commit' && left-- <= 0 ? { fails: 'unavailable' } : undefined,
      ),
    )
    for (const commits of [0, 1, 1, 2]) {
      left = commits
      await assert.rejects(importing(target, text), /storage is not available/)
    }
    left = Infinity
    const resumed = await importing(target, text)
    assert.equal(resumed.counts.created, resumed.lines)
    assert.equal((await importing(target, text)).counts.unchanged, resumed.lines)
    assert.deepEqual(
      await allAnswers(target, accessors(target)),
      await allAnswers(source, accessors(source)),
    )
    for await (const page of target.records.scan(imports.under(0))) assert.deepEqual(page, [])
  })

  it('puts at most 200 records a commit, whatever the lines hold', async () => {
    const h = createHarness()
    const big = Object.fromEntries(
      Array.from({ length: 60 }, (_, nr) => [`k${nr}`, 'v'.repeat(500)]),
    )
    const lines = Array.from({ length: 300 }, (_, nr) => ({
      type: 'entity',
      name: `e${nr}`,
      metadata: big,
      merged_entity_ids: Array.from({ length: nr === 7 ? 500 : 2 }, () => randomUUID()),
    }))
    const imported = await importing(h, lines)
    assert.deepEqual([imported.counts.created, imported.counts.refused], [299, 1])
    assert.match(reasons(imported)[7]!, /changes too much at once/)
  })

  it('counts members and keeps the multiplicity that a merge made', async () => {
    const h = createHarness()
    const lines = [
      { type: 'group', name: 'g' },
      ...Array.from({ length: 500 }, (_, nr) => ({ type: 'entity', name: `e${nr}` })),
      ...Array.from({ length: 500 }, (_, nr) => ({
        type: 'membership',
        group_name: 'g',
        entity_name: `e${nr}`,
        ...(nr === 3 ? { times: 2, position: 5 } : {}),
      })),
    ]
    const imported = await importing(h, lines)
    assert.equal(imported.counts.created, lines.length)
    const { data } = await h.request('read', 'group/name/g')
    assert.equal(data['member_entity_ids'].length, 501)
  })
})
