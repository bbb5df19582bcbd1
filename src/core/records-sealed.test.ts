import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { withBarrier } from '../barrier/barrier-store.ts'
import { createKeyring } from '../barrier/keyring.ts'
import { recordKind } from '../engine/records.ts'
import { openLmdbStore } from '../storage/lmdb/lmdb-store.ts'
import { scratchFolder } from '../storage/lmdb/scratch-folder.ts'
import { ConflictQueues, createRecords } from './records.ts'

describe('names in the data file', () => {
  const planted = [
    'Wilhelmina Fitzgerald-Quark',
    'wilhelmina.quark@example.org',
    'grüne-gruppe-☘',
    'svc-deploy-zanzibar',
  ]

  /** All bytes of the folder after names were written as an engine writes them. */
  const bytesWith = async (test: TestContext, sealed: boolean) => {
    const path = scratchFolder(test)
    const bare = openLmdbStore({ path })
    const keyring = createKeyring(0)
    const records = createRecords({
      store: sealed ? withBarrier(bare, keyring) : bare,
      queues: new ConflictQueues(),
    })
    const byName = recordKind<{ readonly id: string }>('tx')
    const items = recordKind<{ readonly text: string }>('ti')
    const item = (number: number) => items.at(1, Uint8Array.of(number))
    for (const [number, name] of planted.entries()) {
      await records.transact(async (tx) => {
        const ref = byName.at(1, keyring.hash('entity', name))
        assert.equal(await tx.get(ref), undefined)
        tx.put(ref, { id: name })
        tx.put(item(number), {
          text: JSON.stringify({ name, aliases: [name], metadata: { name } }),
        })
      })
      await records.transact(async (tx) => {
        const found = await tx.get(byName.at(1, keyring.hash('entity', name)))
        assert.deepEqual(found, { id: name })
        tx.put(item(number), { text: `renamed ${name}` })
      })
    }
    await records.transact(async (tx) => tx.delete(item(0)))
    await bare.close()
    return Buffer.concat(readdirSync(path).map((file) => readFileSync(join(path, file))))
  }

  const formsOf = (name: string): Buffer[] =>
    (['utf8', 'utf16le'] as const)
      .flatMap((encoding) => [
        Buffer.from(name, encoding),
        Buffer.from(name.toLowerCase(), encoding),
      ])
      .flatMap((bytes) => [bytes, Buffer.from(bytes.toString('hex')), bytes.subarray(0, 12)])

  it('are nowhere in its bytes when the barrier is on', async (t) => {
    const bytes = await bytesWith(t, true)
    for (const name of planted) {
      for (const form of formsOf(name)) assert.equal(bytes.indexOf(form), -1, name)
    }
  })

  it('would be found by this search without the barrier', async (t) => {
    const bytes = await bytesWith(t, false)
    for (const name of planted) assert.notEqual(bytes.indexOf(Buffer.from(name)), -1, name)
  })
})
