import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { open } from 'lmdb'
import { bytes, upTo } from '../conformance/kit.ts'
import { commitNested } from './nested-commit.ts'
import { scratchFolder } from './scratch-folder.ts'

const openDatabase = (test: TestContext) => {
  const database = open<Uint8Array, Uint8Array>({
    path: join(scratchFolder(test), 'data.mdb'),
    overlappingSync: false,
    keyEncoding: 'binary',
    encoding: 'binary',
    useVersions: true,
  })
  test.after(async () => database.close())
  return database
}

const VALUE = bytes('x')
const none = (): void => {}

describe('nested conditions of lmdb-js', () => {
  it('resolve the outer promise to true although an inner check failed', async (t) => {
    const database = openDatabase(t)
    await database.put(bytes('a'), VALUE, 1)
    let inner: Promise<boolean> | undefined
    const outer = database.ifVersion(bytes('a'), 1, () => {
      inner = database.ifVersion(bytes('a'), 2, () => {
        void database.put(bytes('b'), VALUE, 3)
      })
    })
    assert.deepEqual([await outer, await inner], [true, false])
    assert.equal(database.doesExist(bytes('b')), false)
  })
})

describe('commitNested', () => {
  it('is true only if every check held, at any depth, and else writes nothing', async (t) => {
    const database = openDatabase(t)
    for (const depth of [1, 2, 5, 40]) {
      const checks = upTo(depth).map((index) => ({ key: bytes(`c${index}`), version: 0 }))
      for (const bad of [...new Set([0, 1, depth >> 1, depth - 1])].filter((at) => at < depth)) {
        let also = 0
        const key = bytes(`depth ${depth} bad ${bad}`)
        const commit = {
          id: 9,
          checks: checks.map((check, at) => (at === bad ? { ...check, version: 7 } : check)),
          writes: [{ key, value: VALUE }],
        }
        const alsoWrite = () => {
          also++
          void database.put(bytes('also'), VALUE, 9)
        }
        assert.equal(await commitNested(database, commit, alsoWrite), false)
        assert.equal(also, 1)
        database.resetReadTxn()
        assert.equal(database.doesExist(key), false)
        assert.equal(database.doesExist(bytes('also')), false)
      }
      const writes = [{ key: bytes(`depth ${depth}`), value: VALUE }]
      assert.equal(await commitNested(database, { id: 9, checks, writes }, none), true)
      database.resetReadTxn()
      assert.equal(database.doesExist(bytes(`depth ${depth}`), 9), true)
    }
  })

  it('keeps commits of one turn apart: some held, some refused', async (t) => {
    const database = openDatabase(t)
    await database.put(bytes('a'), VALUE, 1)
    const ends = await Promise.all(
      upTo(60).map(async (index) => {
        const writes = [{ key: bytes(`w${index}`), value: VALUE }]
        const checks =
          index % 3 === 0
            ? []
            : [
                { key: bytes('a'), version: 1 },
                { key: bytes('a'), version: index % 3 },
              ]
        return commitNested(database, { id: index + 10, checks, writes }, none)
      }),
    )
    database.resetReadTxn()
    for (const index of upTo(60)) {
      assert.equal(ends[index], index % 3 !== 2)
      assert.equal(database.doesExist(bytes(`w${index}`)), index % 3 !== 2)
    }
  })

  it('is true although what it deletes is absent', async (t) => {
    const database = openDatabase(t)
    const writes = [
      { key: bytes('gone'), value: undefined },
      { key: bytes('b'), value: VALUE },
    ]
    assert.equal(await commitNested(database, { id: 5, checks: [], writes }, none), true)
    const checks = [{ key: bytes('b'), version: 5 }]
    assert.equal(await commitNested(database, { id: 6, checks, writes }, none), true)
  })
})
