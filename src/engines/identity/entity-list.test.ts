import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { limits } from '../../limits.ts'
import { entityRef } from './entity-record.ts'
import type { Answer, Harness } from './testing.ts'
import { createHarness, ROOT } from './testing.ts'

const ok = (answer: Answer): Answer => {
  assert.ok(answer.status < 300, answer.error)
  return answer
}

type Shown = Readonly<Record<string, string>>

/** What the list of entities shows of the aliases of each. */
const listed = async (harness: Harness): Promise<Readonly<Record<string, readonly Shown[]>>> => {
  const { data } = ok(await harness.request('list', 'entity/id'))
  const shown = Object.entries(data['key_info'] as Record<string, { aliases?: readonly Shown[] }>)
  return Object.fromEntries(shown.map(([id, { aliases = [] }]) => [id, aliases]))
}

/** The same by reading each entity, and each alias by itself. */
const read = async (harness: Harness): Promise<Readonly<Record<string, readonly Shown[]>>> => {
  const { data } = ok(await harness.request('list', 'entity/id'))
  const all: Record<string, readonly Shown[]> = {}
  for (const id of data['keys'] as readonly string[]) {
    const entity = ok(await harness.request('read', `entity/id/${id}`)).data
    const aliases: Shown[] = []
    for (const { id: alias } of entity['aliases'] as readonly Shown[]) {
      const found = ok(await harness.request('read', `entity-alias/id/${alias!}`)).data
      const { name, mount_accessor, mount_path, mount_type } = found
      aliases.push({ id: alias!, name, mount_accessor, mount_path, mount_type })
    }
    all[id] = aliases
  }
  return all
}

const setUp = async () => {
  const harness = createHarness()
  const mounts = await Promise.all(
    Array.from({ length: limits.aliasesInRecord + 3 }, (_, n) =>
      harness.mounts.enable(`auth/m${n}/`),
    ),
  )
  const entity = async (name: string): Promise<string> =>
    ok(await harness.request('update', 'entity', { name })).data['id']
  const alias = async (owner: string, mount: number, name: string): Promise<string> =>
    ok(
      await harness.request('update', 'entity-alias', {
        name,
        mount_accessor: mounts[mount]!.accessor,
        canonical_id: owner,
      }),
    ).data['id']
  return { harness, mounts, entity, alias }
}

describe('a list of entities', () => {
  it('shows each alias as it is now, however it came to be so', async () => {
    const { harness, mounts, entity, alias } = await setUp()
    const same = async (): Promise<void> =>
      assert.deepEqual(await listed(harness), await read(harness))
    const [ann, bob] = [await entity('ann'), await entity('bob')]
    const first = await alias(ann, 0, 'ann-0')
    // More than stand in the entity's own record.
    let last = first
    for (let n = 1; n < mounts.length; n++) last = await alias(ann, n, `ann-${n}`)
    await alias(bob, 1, 'bob-1')
    await same()
    for (const [id, change] of [
      [first, { name: 'Ann' }],
      [last, { name: 'Last' }],
      [first, { custom_metadata: { a: 'b' } }],
      [first, { canonical_id: bob }],
      [last, { canonical_id: bob, name: 'Moved' }],
    ] as const) {
      ok(await harness.request('update', `entity-alias/id/${id}`, change))
      await same()
    }
    const spare = await harness.mounts.enable('auth/spare/')
    ok(
      await harness.request('update', `entity-alias/id/${first}`, {
        mount_accessor: spare.accessor,
      }),
    )
    await same()
    const carl = await entity('carl')
    await alias(carl, 5, 'carl-5')
    ok(
      await harness.request('update', 'entity/merge', { from_entity_ids: carl, to_entity_id: bob }),
    )
    await same()
    ok(await harness.request('delete', `entity-alias/id/${last}`))
    await same()
    const names = Object.values(await listed(harness)).flatMap((aliases) =>
      aliases.map((a) => a['name']),
    )
    for (const name of ['Ann', 'bob-1', 'carl-5']) assert.ok(names.includes(name), name)
  })

  it('reads aliases only where the links, of an older version, do not tell their names', async () => {
    const { harness, entity, alias } = await setUp()
    const ann = await entity('ann')
    const ids = [await alias(ann, 0, 'ann-0'), await alias(ann, 1, 'ann-1')]
    const before = await listed(harness)
    const read: string[] = []
    const { undamaged } = harness.records
    const getMany = undamaged.getMany.bind(undamaged)
    undamaged.getMany = (refs) => {
      read.push(...refs.map(({ kind }) => kind.prefix))
      return getMany(refs)
    }
    assert.deepEqual(await listed(harness), before)
    assert.deepEqual(read, [])
    const ref = entityRef(ROOT.number, ann)
    await harness.records.transact(async (tx) => {
      const record = (await tx.get(ref))!
      tx.put(ref, {
        ...record,
        aliases: record.aliases.map(({ id, accessor }) => ({ id, accessor })),
      })
    })
    assert.deepEqual(await listed(harness), before)
    assert.equal(read.length, ids.length)
  })
})
