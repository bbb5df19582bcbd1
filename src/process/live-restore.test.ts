import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { BrokenBody } from '../engine/broken-body.ts'
import { Refusal } from '../engine/refusal.ts'
import { initialiseSeal } from '../seal/seal.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { deadlineIn, Unavailable } from '../storage/store.ts'
import type { LiveRestoreParts } from './live-restore.ts'
import { makeLiveRestore } from './live-restore.ts'
import { makeSnapshots } from './snapshots.ts'

const root = mkdtempSync(join(tmpdir(), 'signet-live-restore-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** A store with a seal, and a snapshot of it. */
const sealed = async (): Promise<{ store: Store; pieces: Uint8Array[] }> => {
  const store = createMemoryStore()
  await initialiseSeal(store, { shares: 1, threshold: 1, now: 0 }, deadlineIn(10_000))
  const { body } = await makeSnapshots({
    store,
    facts: { version: '0', storageType: 'inmem' } as never,
    status: async () => ({ clusterName: 'c', clusterId: 'i' }) as never,
    restore: () => assert.fail(),
  }).take()
  return { store, pieces: await Array.fromAsync(body) }
}

const bodyOf = async function* (pieces: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* pieces
}

let folders = 0
/** A restore with some of its parts as the test wants them; and where it has its folder. */
const restoreOf = (store: Store, parts: Partial<LiveRestoreParts>, prepares?: () => never) => {
  const path = join(root, String(folders++))
  const restore = makeLiveRestore({
    store,
    site: {
      mustRest: false,
      folder: async () => {
        mkdirSync(path)
        return path
      },
      prepare: async () => {
        prepares?.()
        return { exchange: async () => undefined, drop: async () => {} }
      },
    },
    enforce: async () => ({ keptAs: undefined, problem: undefined }),
    isSealed: () => false,
    log: () => {},
    ...parts,
  })
  return { restore, path }
}

describe('a restore into a server that serves', () => {
  it('tells what was restored, and when it cannot be served from yet', async () => {
    const { store, pieces } = await sealed()
    const enforce = async () => ({ keptAs: 'old.mdb', problem: 'no' })
    const { restore, path } = restoreOf(store, { enforce, isSealed: () => true })
    const told = await restore(bodyOf(pieces), false)
    assert.deepEqual(
      [told.keptAs, told.problem, told.sealed, told.clusterName],
      ['old.mdb', 'no', true, 'c'],
    )
    assert.equal(told.bytes, Buffer.concat(pieces).length)
    assert.equal(existsSync(path), false)
  })

  it('says what stands in the way, changes nothing and leaves nothing behind', async () => {
    const { store, pieces } = await sealed()
    const other = await sealed()
    const enforce = () => assert.fail('nothing was to be changed')
    const full = (): never => {
      throw new Unavailable('no space left on device')
    }
    const attempts: [AsyncIterable<Uint8Array>, number, RegExp, (() => never)?][] = [
      [bodyOf(pieces.slice(0, -1)), 400, /ends too early|is no snapshot/],
      [bodyOf(other.pieces), 400, /of another seal .*write it to sys\/storage\/snapshot-force/],
      [
        // eslint-disable-next-line require-yield
        (async function* () {
          throw new BrokenBody('the client ended')
        })(),
        400,
        /the client ended; nothing was changed/,
      ],
      [bodyOf(pieces), 503, /no space left on device; nothing was changed/, full],
    ]
    for (const [body, status, says, prepares] of attempts) {
      const { restore, path } = restoreOf(store, { enforce }, prepares)
      await assert.rejects(restore(body, false), (error) => {
        assert.ok(error instanceof Refusal, String(error))
        assert.equal(error.status, status)
        assert.match(error.message, says)
        return true
      })
      assert.equal(existsSync(path), false)
    }
  })

  it('is one at a time in a process, and impossible where there is no site', async () => {
    const { store, pieces } = await sealed()
    const { restore } = restoreOf(store, {})
    const first = restore(bodyOf(pieces), false)
    await assert.rejects(restore(bodyOf(pieces), false), /another restore is under way/)
    await first
    const none = restoreOf(store, { site: undefined })
    await assert.rejects(none.restore(bodyOf(pieces), false), /cannot be restored while it runs/)
  })
})
