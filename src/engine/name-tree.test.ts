import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createKeyring } from '../barrier/keyring.ts'
import { ConflictQueues, createRecords } from '../core/records.ts'
import { compareBytes } from '../std/json.ts'
import { pseudoRandom, withJitter } from '../storage/faults/jitter-store.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import type { NameEntry, NamePage } from './name-tree.ts'
import { nameTree } from './name-tree.ts'
import { recordKind } from './records.ts'
import { storeWith } from '../storage/faults/store-with.ts'

const kind = recordKind<NameEntry>('tn')
const leaves = recordKind<true>('tl')
const tree = nameTree(kind)

const treeOn = (store: Store) => {
  const records = createRecords({ store, queues: new ConflictQueues() })
  const place = { namespace: 0, root: new Uint8Array(16), names: createKeyring(0) }
  const collect = async (pages: AsyncIterable<readonly string[]>): Promise<string[]> => {
    const all: string[] = []
    for await (const page of pages) all.push(...page)
    return all
  }
  return {
    add: (path: string) => {
      const leaf = tree.leafToWrite(place, path)
      const ref = leaves.at(0, leaf.id)
      return records.transact(async (tx) => {
        const before = await tx.get(ref)
        tx.put(ref, true)
        if (before === undefined) tree.plant(tx, leaf)
      })
    },
    remove: (path: string) => {
      const leaf = tree.leafToWrite(place, path)
      const ref = leaves.at(0, leaf.id)
      return records.transact(async (tx) => {
        if ((await tx.get(ref)) === undefined) return
        tx.delete(ref)
        await tree.uproot(tx, records, leaf)
      })
    },
    list: (folder: string, page?: NamePage) => collect(tree.list(records, place, folder, page)),
    scan: (folder: string) => collect(tree.scan(records, place, folder)),
    stored: async () => {
      let count = 0
      for await (const page of records.scan(tree.all(0, place.root))) count += page.length
      return count
    },
    place,
  }
}

/** The names that a folder shows when exactly these paths are there. */
const shownIn = (paths: Iterable<string>, folder: string): string[] => {
  const names = new Set<string>()
  for (const path of paths) {
    if (!path.startsWith(folder)) continue
    const rest = path.slice(folder.length)
    const slash = rest.indexOf('/')
    names.add(slash === -1 ? rest : rest.slice(0, slash + 1))
  }
  return [...names].sort(compareBytes)
}

const foldersOf = (paths: Iterable<string>): Set<string> => {
  const folders = new Set([''])
  for (const path of paths) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      folders.add(path.slice(0, at + 1))
    }
  }
  return folders
}

const pathArbitrary = fc
  .array(fc.constantFrom('a', 'b', 'c', '', '__proto__', 'é'), { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((path) => path !== '' && !path.endsWith('/'))

describe('a name tree', () => {
  it('lists a folder in byte order, folders with a slash, and a leaf beside a folder of its name', async () => {
    const { add, list } = treeOn(createMemoryStore())
    for (const path of ['b', 'a/x', 'a', 'a-b', 'é', 'z/y/x', '\u{1f600}', '\uffff'])
      await add(path)
    assert.deepEqual(await list(''), ['a', 'a-b', 'a/', 'b', 'z/', 'é', '\uffff', '\u{1f600}'])
    assert.deepEqual(await list('z/'), ['y/'])
    assert.deepEqual(await list('none/'), [])
  })

  it('pages by name and leaves out empty folders without shortening the page', async () => {
    const { add, list, place } = treeOn(createMemoryStore())
    for (const path of ['a', 'b/x', 'c', 'd', 'e/x', 'f']) await add(path)
    assert.deepEqual(await list('', { limit: 2 }), ['a', 'b/'])
    assert.deepEqual(await list('', { after: 'b/', limit: 2 }), ['c', 'd'])
    assert.deepEqual(await list('', { after: 'b', limit: 1 }), ['b/'])
    assert.deepEqual(await list('', { after: 'f' }), [])
    assert.deepEqual(await list('', { limit: -1 }), ['a', 'b/', 'c', 'd', 'e/', 'f'])
    assert.equal(place.root.length, 16)
  })

  it('scans the leaves of a folder before its folders, the last folder first', async () => {
    const { add, scan } = treeOn(createMemoryStore())
    for (const path of ['b', 'a', 'c/d', 'c/e/f', 'g', 'h/i']) await add(path)
    assert.deepEqual(await scan(''), ['a', 'b', 'g', 'h/i', 'c/d', 'c/e/f'])
    assert.deepEqual(await scan('c/'), ['d', 'e/f'])
  })

  it('refuses paths beyond its bounds for writes and finds nothing at them', () => {
    const { place } = treeOn(createMemoryStore())
    const deep = Array.from({ length: 101 }, () => 'x').join('/')
    assert.throws(() => tree.leafToWrite(place, deep), /has 101 segments; at most 100/)
    assert.throws(() => tree.leafToWrite(place, 'é'.repeat(20_000)), /has 40000 bytes; at most/)
    assert.throws(() => tree.leafToWrite(place, 'a/'), /ending in '\/'/)
    for (const path of [deep, 'é'.repeat(20_000), 'a/', '']) {
      assert.equal(tree.leaf(place, path), undefined)
    }
  })

  it('keeps names out of its keys', async () => {
    const store = createMemoryStore()
    await treeOn(store).add('planted-folder/planted-name')
    const all = await store.list(
      { from: new Uint8Array(), to: new Uint8Array(512).fill(0xff), limit: 256 },
      performance.now() + 1000,
    )
    assert.equal(all.items.length, 3)
    for (const { key } of all.items) assert.ok(!Buffer.from(key).includes('planted'))
  })

  it('shows exactly the living paths after any operations, and stores nothing but their names', async () => {
    const operation = fc.record({ add: fc.boolean(), path: pathArbitrary })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const { add, remove, list, scan, stored } = treeOn(createMemoryStore())
        const living = new Set<string>()
        for (const { add: adds, path } of operations) {
          await (adds ? add(path) : remove(path))
          if (adds) living.add(path)
          else living.delete(path)
        }
        for (const folder of foldersOf([...living, ...operations.map(({ path }) => path)])) {
          assert.deepEqual(await list(folder), shownIn(living, folder), folder)
        }
        assert.deepEqual((await scan('')).sort(), [...living].sort())
        assert.equal(await stored(), living.size + foldersOf(living).size - 1)
      }),
      { numRuns: 60 },
    )
  })

  it('loses nothing and shows no empty folder when makers and removers of one folder race', async () => {
    const racers = fc.array(fc.record({ add: fc.boolean(), path: pathArbitrary }), {
      minLength: 2,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(pathArbitrary, { maxLength: 4 }),
        racers,
        fc.integer({ min: 1, max: 0x7fffffff }),
        async (before, operations, seed) => {
          const { add, remove, list, scan } = treeOn(
            withJitter(createMemoryStore(), pseudoRandom(seed, 6)),
          )
          for (const path of before) await add(path)
          // One operation a path, so that the outcome is known whatever the order.
          const last = new Map(operations.map(({ path, add: adds }) => [path, adds]))
          await Promise.all([...last].map(([path, adds]) => (adds ? add(path) : remove(path))))
          const living = new Set(before)
          for (const [path, adds] of last) {
            if (adds) living.add(path)
            else living.delete(path)
          }
          for (const folder of foldersOf([...before, ...last.keys()])) {
            assert.deepEqual(await list(folder), shownIn(living, folder), folder)
          }
          assert.deepEqual((await scan('')).sort(), [...living].sort())
        },
      ),
      { numRuns: 150 },
    )
  })

  it('keeps the folders of a leaf that is made while their last leaf is removed', async () => {
    for (const made of ['a/b/y', 'a/c/y', 'a/y']) {
      for (let seed = 1; seed <= 80; seed++) {
        const next = pseudoRandom(seed, 24)
        const { add, remove, scan } = treeOn(withJitter(createMemoryStore(), next))
        await add('a/b/x')
        await Promise.all([remove('a/b/x'), add(made)])
        assert.deepEqual(await scan(''), [made], `seed ${seed}`)
      }
    }
  })

  it('decides anew when a leaf is made after the last look into its folder', async () => {
    let before: (() => Promise<void>) | undefined
    const store = createMemoryStore()
    const { add, remove, scan } = treeOn(
      storeWith(store, {
        commit: async (commit, deadline) => {
          const run = before
          before = undefined
          await run?.()
          return store.commit(commit, deadline)
        },
      }),
    )
    for (const made of ['a/b/y', 'a/c/y', 'a/y']) {
      await add('a/b/x')
      before = () => add(made)
      await remove('a/b/x')
      assert.deepEqual(await scan(''), [made])
      await remove(made)
    }
  })

  it('does not show the folder whose last two leaves are removed at once', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { add, remove, list } = treeOn(withJitter(createMemoryStore(), pseudoRandom(seed, 8)))
      await Promise.all([add('a/b/x'), add('a/b/y')])
      await Promise.all([remove('a/b/x'), remove('a/b/y')])
      assert.deepEqual(await list(''), [], `seed ${seed}`)
    }
  })
})
