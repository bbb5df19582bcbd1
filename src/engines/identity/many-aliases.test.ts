import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Mount } from '../../engine/call.ts'
import { limits } from '../../limits.ts'
import { withFaults } from '../../storage/faults/fault-store.ts'
import type { Store } from '../../storage/store.ts'
import { entityRef } from './entity-record.ts'
import { templateEntity } from './oidc/claims-subject.ts'
import type { Answer, Harness, SeenCommit } from './testing.ts'
import { census, ROOT, createHarness, interleaved, watchCommits } from './testing.ts'
import { exportLines } from './transfer/export.ts'
import { importLines } from './transfer/import.ts'
import { storeWith } from '../../storage/faults/store-with.ts'

/** So many that most of them are records of their own. */
const MANY = limits.aliasesInRecord + 20

const create = async (harness: Harness, name: string): Promise<string> =>
  (await harness.request('update', 'entity', { name })).data['id']

const ok = (answer: Answer): Answer => {
  assert.ok(answer.status < 300, answer.error)
  return answer
}

const mountsFor = async (harness: Harness, count: number, first = 0): Promise<readonly Mount[]> => {
  const mounts: Mount[] = []
  for (let index = 0; index < count; index++) {
    mounts.push(await harness.mounts.enable(`auth/m${first + index}/`))
  }
  return mounts
}

const add = (harness: Harness, entityId: string, mount: Mount, name: string): Promise<Answer> =>
  harness.request('update', 'entity-alias', {
    name,
    mount_accessor: mount.accessor,
    canonical_id: entityId,
  })

interface Crowd {
  readonly entityId: string
  readonly mounts: readonly Mount[]
  readonly ids: readonly string[]
}

/** An entity with an alias on each of many mounts, in their order. */
const crowd = async (
  harness: Harness,
  { name = 'kim', count = MANY, first = 0 } = {},
): Promise<Crowd> => {
  const entityId = await create(harness, name)
  const mounts = await mountsFor(harness, count, first)
  const ids: string[] = []
  for (const [index, mount] of mounts.entries()) {
    ids.push(ok(await add(harness, entityId, mount, `${name}-${index}`)).data['id'])
  }
  return { entityId, mounts, ids }
}

const shownIds = async (harness: Harness, entityId: string): Promise<readonly string[]> =>
  ok(await harness.request('read', `entity/id/${entityId}`)).data['aliases'].map(
    ({ id }: { readonly id: string }) => id,
  )

/** Import and export of all there is. */
const transfer = (harness: Harness) => ({
  /** How many lines came to which outcome. */
  importing: async (text: string): Promise<Readonly<Record<string, number>>> => {
    const call = {
      records: harness.records,
      names: harness.names,
      namespace: ROOT,
      now: harness.now,
      caller: undefined,
      newId: randomUUID,
      randomBytes,
    }
    const { mounts } = harness
    const { outcomes } = await importLines(call, Buffer.from(text), {
      mounts,
      conflict: 'refuse',
      check: false,
    })
    const counts: Record<string, number> = {}
    for (const [, { result }] of outcomes) counts[result] = (counts[result] ?? 0) + 1
    return counts
  },
  exported: async (): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const { records, names, mounts, now } = harness
    const pieces: Uint8Array[] = []
    const { body } = exportLines({ records, names, namespace: ROOT, now }, mounts)
    for await (const piece of body) pieces.push(piece)
    const lines = Buffer.concat(pieces).toString().trimEnd().split('\n')
    return lines.map((line) => JSON.parse(line))
  },
})

describe('an entity with more aliases than its record lists', () => {
  it('shows them in the order they came: in reads, lists and lookups', async () => {
    const harness = createHarness()
    const { entityId, ids, mounts } = await crowd(harness)
    assert.deepEqual(await shownIds(harness, entityId), ids)
    const list = ok(await harness.request('list', 'entity/id')).data['key_info'][entityId]
    assert.deepEqual(
      list.aliases.map(({ id, mount_path: path }: Record<string, string>) => [id, path]),
      ids.map((id, index) => [id, mounts[index]!.path]),
    )
    const last = mounts.at(-1)!
    const found = await harness.request('update', 'lookup/entity', {
      alias_name: `KIM-${MANY - 1}`,
      alias_mount_accessor: last.accessor,
    })
    assert.equal(found.data['aliases'].at(-1).mount_path, last.path)
    assert.deepEqual((await harness.request('list', 'entity-alias/id')).data['keys'].length, MANY)
    const read = await harness.request('read', `entity-alias/id/${ids.at(-1)!}`)
    assert.equal(read.data['canonical_id'], entityId)
  })

  it('is who logs in by each of them', async () => {
    const harness = createHarness()
    const { entityId, ids, mounts } = await crowd(harness)
    for (const index of [0, limits.aliasesInRecord - 1, limits.aliasesInRecord, MANY - 1]) {
      const login = await harness.login(mounts[index]!, `kim-${index}`)
      assert.deepEqual([login.entityId, login.created], [entityId, false])
      const { port, records, names } = harness
      const alias = await port.aliasOf(records, names, ROOT, entityId, mounts[index]!.accessor)
      assert.equal(alias?.id, ids[index])
    }
    const accessor = mounts.at(-1)!.accessor
    const { aliases } = await templateEntity(
      harness.records,
      { names: harness.names, namespace: ROOT, now: harness.now },
      (await harness.records.get(entityRef(0, entityId)))!,
      [`{"sub": {{identity.entity.aliases.${accessor}.name}}}`],
    )
    assert.equal(aliases.get(accessor)?.name, `kim-${MANY - 1}`)
  })

  it('has one alias per mount', async () => {
    const harness = createHarness()
    const { entityId, ids, mounts } = await crowd(harness)
    for (const mount of [mounts[0]!, mounts.at(-1)!]) {
      const refused = await add(harness, entityId, mount, 'second')
      assert.equal(refused.error, 'Alias already exists for requested entity and mount accessor')
      const moved = await harness.request('update', `entity-alias/id/${ids[40]!}`, {
        mount_accessor: mount.accessor,
      })
      assert.match(moved.error, /already has an alias for the given 'mount_accessor'/)
    }
    assert.deepEqual(await shownIds(harness, entityId), ids)
  })

  it('keeps the order when one is renamed or put on another mount, and loses one that is deleted', async () => {
    const harness = createHarness()
    const { entityId, ids } = await crowd(harness)
    const [other] = await mountsFor(harness, 1, MANY)
    const changed = ids[limits.aliasesInRecord + 5]!
    ok(await harness.request('update', `entity-alias/id/${changed}`, { name: 'renamed' }))
    ok(
      await harness.request('update', `entity-alias/id/${changed}`, {
        mount_accessor: other!.accessor,
      }),
    )
    assert.deepEqual(await shownIds(harness, entityId), ids)
    assert.equal((await harness.login(other!, 'renamed')).entityId, entityId)

    for (const gone of [ids[3]!, changed]) {
      ok(await harness.request('delete', `entity-alias/id/${gone}`))
      assert.equal((await harness.request('read', `entity-alias/id/${gone}`)).status, 404)
    }
    const left = ids.filter((id) => id !== ids[3] && id !== changed)
    assert.deepEqual(await shownIds(harness, entityId), left)
    // There is room in the record again, but the newest stands last.
    const added = ok(await add(harness, entityId, other!, 'newest')).data['id']
    assert.deepEqual(await shownIds(harness, entityId), [...left, added])
  })

  it('gives them away and takes them, until none is left', async () => {
    const harness = createHarness()
    const { entityId, ids } = await crowd(harness)
    const lou = await create(harness, 'lou')
    const order = [...ids].reverse()
    for (const id of order) {
      ok(await harness.request('update', `entity-alias/id/${id}`, { canonical_id: lou }))
    }
    assert.deepEqual(await shownIds(harness, lou), order)
    assert.deepEqual(await shownIds(harness, entityId), [])
    for (const id of order) ok(await harness.request('delete', `entity-alias/id/${id}`))
    assert.deepEqual(await census(harness.store), { 'test-mount': MANY, e: 2, en: 2 })
  })

  it('of an older version keeps a longer list as it is', async () => {
    const harness = createHarness()
    const { entityId, ids, mounts } = await crowd(harness)
    const ref = entityRef(0, entityId)
    await harness.records.transact(async (tx) => {
      const { further: _, ...entity } = (await tx.get(ref))!
      const aliases = ids.map((id, index) => ({ id, accessor: mounts[index]!.accessor }))
      tx.put(ref, { ...entity, aliases })
    })
    assert.deepEqual(await shownIds(harness, entityId), ids)
    assert.equal((await harness.login(mounts.at(-1)!, `kim-${MANY - 1}`)).entityId, entityId)
    const [mount] = await mountsFor(harness, 1, MANY)
    const added = ok(await add(harness, entityId, mount!, 'new')).data['id']
    ok(await harness.request('delete', `entity-alias/id/${ids[0]!}`))
    assert.deepEqual(await shownIds(harness, entityId), [...ids.slice(1), added])
    assert.equal((await harness.records.get(ref))?.further?.count, 1)
  })

  it('costs as many writes as one with few, and one more', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const { entityId, mounts } = await crowd(harness)
    const few = await create(harness, 'few')
    commits.length = 0
    const [mount] = await mountsFor(harness, 1, MANY)
    for (const id of [few, entityId]) ok(await add(harness, id, mount!, `new-${id}`))
    await harness.login(mounts.at(-1)!, `kim-${MANY - 1}`)
    assert.deepEqual(
      commits.slice(1).map(({ written }) => [...written].sort()),
      [['a', 'an', 'e'], ['a', 'an', 'e', 'el'], ['al']],
    )
  })
})

describe('aliases up to the bound', () => {
  it('are imported, exported in their order, refused above, and deleted', async () => {
    const harness = createHarness()
    const count = limits.aliasesPerEntity
    const entityId = randomUUID()
    const mounts = await mountsFor(harness, count + 1)
    const lines = mounts.map((mount, index) =>
      JSON.stringify({
        type: 'entity-alias',
        canonical_id: entityId,
        name: `kim-${index}`,
        mount_accessor: mount.accessor,
        creation_time: '2026-01-02T03:04:05Z',
      }),
    )
    const entity = JSON.stringify({ type: 'entity', id: entityId, name: 'kim' })
    const text = [entity, ...lines.slice(0, count)].join('\n')
    const { exported, importing } = transfer(harness)
    const first = await importing(text)
    assert.deepEqual(first, { created: count + 1 })
    assert.deepEqual(await importing(text), { unchanged: count + 1 })
    assert.deepEqual(await importing(lines[count]!), { refused: 1 })

    const shown = ok(await harness.request('read', `entity/id/${entityId}`)).data['aliases']
    assert.deepEqual(
      shown.map(({ name }: { readonly name: string }) => name),
      Array.from({ length: count }, (_, index) => `kim-${index}`),
    )
    const names = (await exported()).flatMap((line) =>
      line['type'] === 'entity-alias' ? [line['name']] : [],
    )
    assert.deepEqual(
      names,
      shown.map(({ name }: { readonly name: string }) => name),
    )

    const refused = await add(harness, entityId, mounts[count]!, 'one-more')
    assert.equal(refused.status, 400)
    assert.equal(refused.error, 'the entity has too many aliases: at most 10000 are possible')

    ok(await harness.request('delete', `entity/id/${entityId}`))
    assert.deepEqual(await census(harness.store), { 'test-mount': count + 1 })
  })
})

describe('deleting an entity with further links', () => {
  it('takes all of them along in one commit where they fit', async () => {
    const commits: SeenCommit[] = []
    const harness = createHarness(watchCommits(commits))
    const { entityId, ids } = await crowd(harness, { count: limits.aliasesInRecord + 3 })
    for (const id of ids.slice(4, 20)) ok(await harness.request('delete', `entity-alias/id/${id}`))
    commits.length = 0
    ok(await harness.request('update', 'entity/batch-delete', { entity_ids: [entityId] }))
    assert.equal(commits.length, 1)
    assert.deepEqual(await census(harness.store), { 'test-mount': limits.aliasesInRecord + 3 })
  })

  it('that is cut off leaves none that resolve, and goes on when the id is deleted again', async () => {
    let commitsLeft = Infinity
    const harness = createHarness((store) =>
      withFaults(store, ({ operation }) =>
        operation === 'commit' && commitsLeft-- <= 0 ? { fails: 'unavailable' } : undefined,
      ),
    )
    const { entityId, ids, mounts } = await crowd(harness, { count: MANY + 60 })
    const refused = await harness.request('update', 'entity/batch-delete', {
      entity_ids: [entityId],
    })
    assert.match(refused.error, /cannot be deleted at once/)
    commitsLeft = 2
    assert.equal((await harness.request('delete', `entity/id/${entityId}`)).status, 503)
    commitsLeft = Infinity
    assert.ok((await census(harness.store))['el']! > 0, 'links are left behind')
    assert.equal((await harness.request('list', 'entity-alias/id')).status, 404)
    assert.equal((await harness.request('read', `entity-alias/id/${ids.at(-1)!}`)).status, 404)

    // Made anew under the same id, it has none of them, whatever it gets.
    const { importing } = transfer(harness)
    await importing(JSON.stringify({ type: 'entity', id: entityId, name: 'kim' }))
    const again: string[] = []
    for (const [index, mount] of mounts.slice(0, MANY).entries()) {
      again.push(ok(await add(harness, entityId, mount, `again-${index}`)).data['id'])
    }
    assert.deepEqual(await shownIds(harness, entityId), again)
    assert.equal((await harness.login(mounts.at(-1)!, `kim-${MANY + 59}`)).created, true)

    ok(await harness.request('delete', `entity/id/${entityId}`))
    ok(await harness.request('delete', `entity/id/${entityId}`))
    const { a, e, el } = await census(harness.store)
    assert.deepEqual([a, e, el], [1, 1, undefined])
  })
})

describe('merging with further links', () => {
  it('appends those of the absorbed, in their order', async () => {
    const harness = createHarness()
    const kim = await crowd(harness)
    const lou = await crowd(harness, { name: 'lou', count: 40, first: MANY })
    ok(
      await harness.request('update', 'entity/merge', {
        to_entity_id: kim.entityId,
        from_entity_ids: [lou.entityId],
      }),
    )
    assert.deepEqual(await shownIds(harness, kim.entityId), [...kim.ids, ...lou.ids])
    for (const index of [0, 39]) {
      const { entityId } = await harness.login(lou.mounts[index]!, `lou-${index}`)
      assert.equal(entityId, kim.entityId)
    }
    const counts = await census(harness.store)
    assert.equal(counts['el'], MANY + 40 - limits.aliasesInRecord)
  })

  it('that are too many for one commit is refused, and changes nothing', async () => {
    const harness = createHarness()
    const kim = await crowd(harness, { count: 2 })
    const lou = await crowd(harness, { name: 'lou', count: 101, first: 2 })
    const before = await census(harness.store)
    const refused = await harness.request('update', 'entity/merge', {
      to_entity_id: kim.entityId,
      from_entity_ids: [lou.entityId],
    })
    assert.equal(refused.status, 400)
    assert.match(refused.error, /101 aliases cannot be merged at once/)
    assert.deepEqual(await census(harness.store), before)
    assert.deepEqual(await shownIds(harness, lou.entityId), lou.ids)
  })

  /** Two entities with an alias each on one mount; the target's is a further link. */
  const clash = async (harness: Harness) => {
    const kim = await crowd(harness)
    const lou = await create(harness, 'lou')
    const mount = kim.mounts[MANY - 5]!
    const theirs: string = ok(await add(harness, lou, mount, 'lou')).data['id']
    return { kim, lou, mount, own: kim.ids[MANY - 5]!, theirs }
  }

  const mergeKeeping = async (harness: Harness, to: string, from: string, kept: string) =>
    ok(
      await harness.request('update', 'entity/merge', {
        to_entity_id: to,
        from_entity_ids: [from],
        conflicting_alias_ids_to_keep: [kept],
      }),
    )

  it('tells of clashes', async () => {
    const harness = createHarness()
    const { kim, lou, own, theirs } = await clash(harness)
    const refused = await harness.request('update', 'entity/merge', {
      to_entity_id: kim.entityId,
      from_entity_ids: [lou],
    })
    assert.match(refused.error, new RegExp(`alias ID: ${own}, .*alias ID: ${theirs}`))
    assert.equal((refused.errorData as readonly unknown[]).length, 2)
  })

  it('keeps both aliases of a mount where the target keeps its own', async () => {
    const harness = createHarness()
    const { kim, lou, mount, own, theirs } = await clash(harness)
    await mergeKeeping(harness, kim.entityId, lou, own)
    assert.deepEqual(await shownIds(harness, kim.entityId), [...kim.ids, theirs])
    assert.equal((await harness.login(mount, 'lou')).entityId, kim.entityId)
    const { port, records, names } = harness
    const aliasOn = () => port.aliasOf(records, names, ROOT, kim.entityId, mount.accessor)
    assert.equal((await aliasOn())?.id, own)
    ok(await harness.request('delete', `entity-alias/id/${own}`))
    assert.equal((await aliasOn())?.id, theirs)
    ok(await harness.request('delete', `entity/id/${kim.entityId}`))
    assert.deepEqual(await census(harness.store), { 'test-mount': MANY })
  })

  it('shows an alias that gave way until the entity is written again', async () => {
    const harness = createHarness()
    const { kim, lou, mount, own, theirs } = await clash(harness)
    await mergeKeeping(harness, kim.entityId, lou, theirs)
    assert.deepEqual(await shownIds(harness, kim.entityId), [...kim.ids, theirs])
    assert.equal((await harness.request('read', `entity-alias/id/${own}`)).status, 404)
    assert.equal((await harness.login(mount, 'lou')).entityId, kim.entityId)
    ok(await harness.request('update', `entity/id/${kim.entityId}`, { policies: ['p'] }))
    const left = kim.ids.filter((id) => id !== own)
    assert.deepEqual(await shownIds(harness, kim.entityId), [...left, theirs])
    assert.equal((await census(harness.store))['a'], MANY)
  })
})

/** Pages of two entries: what is listed comes in many pieces. */
const smallPages = (store: Store): Store =>
  storeWith(store, {
    list: (range, deadline) => store.list({ ...range, limit: Math.min(range.limit, 2) }, deadline),
  })

describe('reads while aliases change', () => {
  it('show the aliases that there were at one instant', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const harness = createHarness((store) => interleaved(seed)(smallPages(store)))
      const { entityId, ids } = await crowd(harness, { count: limits.aliasesInRecord + 12 })
      const free = await mountsFor(harness, 2, MANY)
      const moving = ids.at(-4)!
      const writes = async (): Promise<void> => {
        for (let turn = 0; turn < 8; turn++) {
          const { accessor } = free[turn % 2]!
          ok(
            await harness.request('update', `entity-alias/id/${moving}`, {
              mount_accessor: accessor,
            }),
          )
        }
      }
      let over = false
      const reads = async (): Promise<void> => {
        while (!over) {
          const read = await harness.request('read', `entity/id/${entityId}`)
          assert.deepEqual(
            ok(read).data['aliases'].map(({ id }: { readonly id: string }) => id),
            ids,
          )
        }
      }
      const lists = async (): Promise<void> => {
        while (!over) {
          const list = ok(await harness.request('list', 'entity/id'))
          const { aliases } = list.data['key_info'][entityId]
          assert.deepEqual(
            aliases.map(({ id }: { readonly id: string }) => id),
            ids,
          )
        }
      }
      await Promise.all([writes().finally(() => (over = true)), reads(), lists()])
    }
  })

  it('of two aliases added on one mount at once one is made', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const harness = createHarness(interleaved(seed))
      const { entityId, ids } = await crowd(harness, { count: limits.aliasesInRecord + 2 })
      const [mount] = await mountsFor(harness, 1, MANY)
      const answers = await Promise.all([
        add(harness, entityId, mount!, 'one'),
        add(harness, entityId, mount!, 'two'),
        harness.request('delete', `entity-alias/id/${ids.at(-1)!}`),
      ])
      assert.deepEqual(
        answers.map(({ status }) => status).sort((a, b) => a - b),
        [200, 204, 400],
      )
      assert.equal((await shownIds(harness, entityId)).length, limits.aliasesInRecord + 2)
    }
  })

  it('none is left behind when the entity is deleted while one is added', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const harness = createHarness(interleaved(seed))
      const { entityId } = await crowd(harness, { count: limits.aliasesInRecord + 2 })
      const [mount] = await mountsFor(harness, 1, MANY)
      await Promise.all([
        add(harness, entityId, mount!, 'one'),
        harness.request('delete', `entity/id/${entityId}`),
      ])
      assert.deepEqual(await census(harness.store), { 'test-mount': limits.aliasesInRecord + 3 })
    }
  })
})
