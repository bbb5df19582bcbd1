import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createMemoryStore } from '../memory/memory-store.ts'
import { withFaults } from '../faults/fault-store.ts'
import type { Entry, Store } from '../store.ts'
import { deadlineIn, newVersion } from '../store.ts'
import type { SnapshotHeader } from './format.ts'
import { SnapshotBroken } from './format.ts'
import { readSnapshot } from './read-snapshot.ts'
import { clearStore, contentsOf, restoreEntries } from './restore-entries.ts'
import { isOfThePlace, writeSnapshot } from './write-snapshot.ts'

const header: SnapshotHeader = {
  format: 1,
  created: '2026-01-02T03:04:05Z',
  version: '0.1.0',
  storage: 'inmem',
  cluster: { name: 'c', id: 'i' },
  seal: { type: 'shamir', threshold: 1, shares: 1, nonce: 'n' },
}

const fill = async (store: Store, entries: Readonly<Record<string, string>>): Promise<void> => {
  const writes = Object.entries(entries).map(([key, value]) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
  }))
  for (let at = 0; at < writes.length; at += 200) {
    const part = writes.slice(at, at + 200)
    await store.commit({ id: newVersion(), checks: [], writes: part }, deadlineIn(10_000))
  }
}

const taken = (store: Store): AsyncIterable<Entry> => store.snapshot(new AbortController().signal)

const fileOf = async (store: Store): Promise<Buffer> => {
  const { pieces } = writeSnapshot(header, taken(store), ({ key }) => !isOfThePlace(key))
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece)
  return Buffer.concat(parts)
}

const inPieces = async function* (file: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size)
}

const contents = async (store: Store): Promise<Record<string, string>> => {
  const found: Record<string, string> = {}
  for await (const { key, value } of taken(store)) {
    found[Buffer.from(key).toString('latin1')] = Buffer.from(value).toString('latin1')
  }
  return found
}

const everything = {
  'e/1': 'x'.repeat(300_000),
  'meta/owner': 'me',
  'meta/root': 'r',
  'meta/seal': 's',
  'st/1': '',
  ...Object.fromEntries(Array.from({ length: 450 }, (_, nr) => [`t/${1000 + nr}`, `v${nr}`])),
}

describe('snapshot files', () => {
  it('give another store the same entries, without what belongs to the place', async () => {
    const source = createMemoryStore()
    await fill(source, everything)
    const file = await fileOf(source)
    for (const size of [7, 65_536, file.length]) {
      const target = createMemoryStore()
      const snapshot = await readSnapshot(inPieces(file, size))
      assert.deepEqual(snapshot.header, header)
      assert.equal(await restoreEntries(target, snapshot.entries, [], () => {}), 454)
      const { 'meta/owner': _, ...wanted } = everything
      assert.deepEqual(await contents(target), wanted)
      assert.match(snapshot.digest(), /^sha256:[0-9a-f]{64}$/)
    }
  })

  it('are refused when they are torn or changed anywhere', async () => {
    const source = createMemoryStore()
    await fill(source, { a: '1', b: '22', c: '' })
    const file = await fileOf(source)
    const read = async (bytes: Uint8Array): Promise<void> => {
      const { entries } = await readSnapshot(inPieces(bytes, 50))
      for await (const _ of entries);
    }
    await read(file)
    for (let length = 0; length < file.length; length++) {
      await assert.rejects(read(file.subarray(0, length)), SnapshotBroken, `${length}`)
    }
    await assert.rejects(read(Buffer.concat([file, Buffer.from('x')])), SnapshotBroken)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const changed = Buffer.from(file)
          changed[at]! ^= flip
          await assert.rejects(read(changed), SnapshotBroken)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('leave a mark where a restore was broken off, so that it can begin anew', async () => {
    const source = createMemoryStore()
    await fill(source, everything)
    const file = await fileOf(source)
    const target = createMemoryStore()
    assert.equal(await contentsOf(target), 'empty')
    let left = 2
    const failing = withFaults(target, ({ operation }) =>
      operation === 'commit' && left-- <= 0 ? { fails: 'unavailable' } : undefined,
    )
    const first = await readSnapshot(inPieces(file, 65_536))
    await assert.rejects(restoreEntries(failing, first.entries, [], () => {}))
    assert.equal(await contentsOf(target), 'half-restored')
    assert.equal((await contents(target))['meta/seal'], undefined)
    await clearStore(target)
    assert.deepEqual(Object.keys(await contents(target)), ['meta/restoring'])
    const again = await readSnapshot(inPieces(file, 65_536))
    await restoreEntries(target, again.entries, [], () => {})
    assert.equal(await contentsOf(target), 'in-use')
    const { 'meta/owner': _, ...wanted } = everything
    assert.deepEqual(await contents(target), wanted)
  })
})
