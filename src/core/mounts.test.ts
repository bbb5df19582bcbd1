import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeyring } from '../barrier/keyring.ts'
import type { Namespace } from '../engine/call.ts'
import type { Engine } from '../engine/engine.ts'
import type { MountRecord, NewMount } from '../engine/ports/mounts.ts'
import type { Ref } from '../engine/records.ts'
import { Refusal, invalid } from '../engine/refusal.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import { MountTable, mountRecords, mountRef } from './mounts.ts'
import { ConflictQueues, createRecords, readVersioned, stampRef } from './records.ts'
import { storeWith } from '../storage/faults/store-with.ts'

const ROOT: Namespace = { id: 'root', number: 0, path: '' }

const names = createKeyring(0)

const ENGINE: Engine = { type: 'jwt', class: 'auth', summary: 'a method', routes: [] }

/** The mount table of one process. */
const tableOn = (store: Store) => {
  const records = createRecords({ store, queues: new ConflictQueues() })
  const options = {
    engines: () => [ENGINE],
    names,
    defaultLeaseTtlSeconds: 100,
    maxLeaseTtlSeconds: 100,
    records,
    versioned: <T>(refs: readonly Ref<T>[]) => readVersioned(store, refs),
    stamp: async () =>
      (await store.versions([stampRef('mounts', 0).key], deadlineIn(1_000))).items[0]!,
    epoch: () => store.epoch(),
  }
  return { records, table: new MountTable(options, ROOT) }
}

const mountAt = (path: string, type = 'jwt'): NewMount => ({
  class: 'auth',
  type,
  path,
  description: '',
  local: false,
  sealWrap: false,
  externalEntropyAccess: false,
  options: null,
  pluginVersion: '',
  tuning: {
    defaultLeaseTtlSeconds: 0,
    maxLeaseTtlSeconds: 0,
    forceNoCache: false,
    listingVisibility: '',
    tokenType: 'default-service',
  },
})

/** A store that tells how many values it gave, and how many pages. */
const counting = (store: Store) => {
  const given = { values: 0, pages: 0 }
  const counted = storeWith(store, {
    read: async (keys, deadline) => {
      given.values += keys.length
      return store.read(keys, deadline)
    },
    list: async (range, deadline) => {
      const page = await store.list(range, deadline)
      given.pages++
      if (range.keysOnly !== true) given.values += page.items.length
      return page
    },
  })
  return { counted, given }
}

describe('the mount table', () => {
  it('of each process shows what any of them changed, by path', async () => {
    const store = createMemoryStore()
    const [one, two] = [tableOn(store), tableOn(store)]
    const made: MountRecord[] = []
    for (let turn = 0; turn < 60; turn++) {
      const { records, table } = turn % 2 === 0 ? one : two
      const other = turn % 2 === 0 ? two : one
      const some = made[(turn * 7) % Math.max(made.length, 1)]
      if (turn % 5 === 3 && some !== undefined) {
        await table.change(records, ROOT, some.accessor, (record) => ({
          ...record,
          path: `auth/moved-${turn}/`,
        }))
      } else if (turn % 5 === 4 && some !== undefined) {
        await table.remove(records, ROOT, some.accessor)
        made.splice(made.indexOf(some), 1)
      } else {
        // A type that is not there is kept, and stands in nobody's way but its path's.
        const type = turn % 10 === 0 ? 'unknown' : 'jwt'
        made.push(
          await table.add(records, ROOT, () => mountAt(`auth/m-${(turn * 31) % 60}/`, type)),
        )
      }
      const stored: MountRecord[] = []
      for await (const page of records.scan(mountRecords.under(0))) {
        stored.push(...page.map(({ value }) => value))
      }
      stored.sort((a, b) => (a.path < b.path ? -1 : 1))
      for (const set of [await table.current(), await other.table.current()]) {
        assert.deepEqual(set.records, stored)
        const known = stored.filter(({ type }) => type === 'jwt')
        assert.deepEqual(
          set.all.map(({ record }) => record),
          known,
        )
        for (const record of known) {
          assert.equal(set.byAccessor(record.accessor)?.record, set.byUuid(record.uuid)?.record)
          assert.equal(set.byPath(record.path)?.record.uuid, record.uuid)
          assert.equal(set.find(`${record.path}login`)?.record.uuid, record.uuid)
        }
      }
    }
  })

  it('reads what changed, and nothing else', async () => {
    const { counted, given } = counting(createMemoryStore())
    const [one, two] = [tableOn(counted), tableOn(counted)]
    const fill = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index++) {
        await one.table.add(one.records, ROOT, () => mountAt(`auth/m-${index}/`))
      }
    }
    const take = async (count: number): Promise<{ values: number; pages: number }> => {
      Object.assign(given, { values: 0, pages: 0 })
      const set = await two.table.current()
      assert.equal(set.all.length, count)
      return given
    }
    await fill(0, 300)
    await two.table.current()
    await fill(300, 310)
    const few = await take(310)
    assert.equal(few.pages, 0)
    assert.ok(few.values < 20, `${few.values} values were read`)
    // More than are remembered: two pages of keys tell what is new.
    await fill(310, 350)
    const many = await take(350)
    assert.equal(many.pages, 2)
    assert.ok(many.values < 50, `${many.values} values were read`)
  })

  it('lists the keys when somebody changed the mounts without saying which', async () => {
    const store = createMemoryStore()
    const [one, two] = [tableOn(store), tableOn(store)]
    const first = await one.table.add(one.records, ROOT, () => mountAt('auth/first/'))
    await two.table.current()
    await one.records.transact(async (tx) => {
      tx.put(mountRef(ROOT, first.uuid), { ...first, path: 'auth/second/' })
      tx.stamp('mounts', 0)
    })
    assert.equal((await two.table.current()).byPath('auth/second/')?.record.uuid, first.uuid)
    await one.table.add(one.records, ROOT, () => mountAt('auth/third/'))
    const paths = (await two.table.current()).records.map(({ path }) => path)
    assert.deepEqual(paths, ['auth/second/', 'auth/third/'])
  })

  it('lets one of two that are to be at one path be added', async () => {
    const store = createMemoryStore()
    const tables = [tableOn(store), tableOn(store)]
    const outcomes = await Promise.allSettled(
      tables.map(({ records, table }) =>
        table.add(records, ROOT, (present) => {
          if (present.some(({ path }) => path === 'auth/x/')) throw invalid('in use')
          return mountAt('auth/x/')
        }),
      ),
    )
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 1)
    assert.ok((refused[0] as PromiseRejectedResult).reason instanceof Refusal)
    assert.equal((await tables[0]!.table.current()).all.length, 1)
  })

  describe('in a process that has just started', () => {
    const setUp = async () => {
      const { counted, given } = counting(createMemoryStore())
      const old = tableOn(counted)
      const made: MountRecord[] = []
      for (const path of ['auth/a/', 'auth/deep/er/', 'auth/b/']) {
        made.push(await old.table.add(old.records, ROOT, () => mountAt(path)))
      }
      /** A table that knows nothing yet, and the page it is not to ask for. */
      const fresh = () => {
        Object.assign(given, { values: 0, pages: 0 })
        return tableOn(counted).table
      }
      return { old, made, given, fresh }
    }

    it('finds a mount by a path it serves and by its accessor without reading all', async () => {
      const { made, given, fresh } = await setUp()
      const table = fresh()
      for (const { path, accessor, uuid } of made) {
        for (const asked of [
          path,
          `${path}login`,
          `${path}a/b/c/d/e/f/g/h/i/j`,
          path.slice(0, -1),
        ]) {
          assert.equal((await table.find(asked))?.record.uuid, uuid, asked)
        }
        assert.equal((await table.byAccessor(ROOT, accessor))?.uuid, uuid)
        assert.equal((await table.directory.byAccessor(accessor))?.uuid, uuid)
      }
      assert.equal(given.pages, 0)
    })

    it('finds none where none is, by reading all', async () => {
      const { given, fresh } = await setUp()
      for (const path of ['auth/c/login', 'auth/deep/', 'auth', '', '/', 'auth/a-/x']) {
        assert.equal(await fresh().find(path), undefined, path)
        assert.equal(given.pages, 1)
      }
      assert.equal(await fresh().byAccessor(ROOT, 'auth_jwt_00000000'), undefined)
    })

    it('goes by what another process did last', async () => {
      const { old, made, fresh } = await setUp()
      const [a, , b] = made
      const table = fresh()
      assert.equal((await table.find('auth/a/login'))?.record.uuid, a!.uuid)
      await old.table.change(old.records, ROOT, a!.accessor, (record) => ({
        ...record,
        path: 'auth/moved/',
      }))
      assert.equal((await table.find('auth/moved/login'))?.record.uuid, a!.uuid)
      await old.table.remove(old.records, ROOT, b!.accessor)
      assert.equal(await fresh().byAccessor(ROOT, b!.accessor), undefined)
      assert.equal(await fresh().find('auth/a/login'), undefined)
      assert.equal(await table.find('auth/b/login'), undefined)
      const again = await old.table.add(old.records, ROOT, () => mountAt('auth/b/'))
      assert.equal((await fresh().find('auth/b/login'))?.record.uuid, again.uuid)
    })

    it('finds what was mounted before there were names', async () => {
      const { old, made, fresh } = await setUp()
      await old.records.transact(async (tx) => {
        tx.put(mountRef(ROOT, made[0]!.uuid), { ...made[0]!, path: 'auth/unnamed/' })
        tx.stamp('mounts', 0)
      })
      assert.equal((await fresh().find('auth/unnamed/login'))?.record.uuid, made[0]!.uuid)
      assert.equal(await fresh().find('auth/a/login'), undefined)
    })
  })
})
