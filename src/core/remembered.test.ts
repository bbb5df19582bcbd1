import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { Ref, Records, Tx } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import { RecordCache } from './record-cache.ts'
import { ConflictQueues, createRecords } from './records.ts'
import { Remembered } from './remembered.ts'

const texts = recordKind<string>('remembered-test')
const made = recordKind<number>('remembered-made')

const at = (name: string): Ref<string> => texts.at(0, Buffer.from(name.padEnd(8)))

describe('remembered outcomes', () => {
  let records: Records
  let others: Records
  let remembered: Remembered<string>
  let found: number
  let count: number

  beforeEach(async () => {
    const store = createMemoryStore()
    records = createRecords({ store, cache: new RecordCache(), queues: new ConflictQueues() })
    others = createRecords({ store, queues: new ConflictQueues() })
    remembered = new Remembered(store)
    found = 0
    count = 0
    await put('checked', 'a')
    await put('looked', 'b')
  })

  /** By another process. */
  const put = (name: string, text: string): Promise<void> =>
    others.transact(async (tx) => tx.put(at(name), text))

  const find = async (tx: Tx): Promise<string> => {
    found++
    return `${await tx.get(at('checked'))} ${await tx.unchecked.get(at('looked'))}`
  }

  /** Asks, and makes something on the strength of the answer. */
  const ask = (now = 0, answer = find): Promise<string> =>
    records.transact(async (tx) => {
      const recalled = await remembered.recall(tx, 'question', now)
      const outcome = recalled ?? (await answer(tx))
      if (recalled === undefined) remembered.keep(tx, 'question', outcome, 1_000)
      tx.put(made.at(0, Uint8Array.of(count++)), now)
      return outcome
    })

  it('are found once', async () => {
    assert.deepEqual([await ask(), await ask(), await ask()], ['a b', 'a b', 'a b'])
    assert.equal(found, 1)
  })

  it('are found anew where a record they rest on was changed, made or deleted', async () => {
    await ask()
    await put('checked', 'c')
    assert.equal(await ask(), 'c b')
    await others.transact(async (tx) => tx.delete(at('checked')))
    assert.equal(await ask(), 'undefined b')
    await put('checked', 'd')
    assert.equal(await ask(), 'd b')
    assert.equal(await ask(), 'd b')
    assert.equal(found, 4)
  })

  it('are found anew where a record they show was changed', async () => {
    await ask()
    await put('looked', 'c')
    assert.equal(await ask(), 'a c')
    assert.equal(await ask(), 'a c')
    assert.equal(found, 2)
  })

  it('are found anew when their time is over', async () => {
    await ask(0)
    await ask(999)
    assert.equal(found, 1)
    await ask(1_000)
    assert.equal(found, 2)
  })

  it('rest on their records also where nothing is written', async () => {
    const read = () =>
      records.transact(async (tx) => {
        const outcome = (await remembered.recall(tx, 'question', 0)) ?? (await find(tx))
        remembered.keep(tx, 'question', outcome, 1_000)
        return outcome
      })
    await ask()
    await put('checked', 'c')
    assert.equal(await read(), 'c b')
  })

  it('are not kept where finding them wrote something', async () => {
    const writing = async (tx: Tx): Promise<string> => {
      tx.put(at('written'), 'x')
      return find(tx)
    }
    await ask(0, writing)
    await ask(0, writing)
    assert.equal(found, 2)
  })

  it('are not kept where they rest on a list', async () => {
    const listing = async (tx: Tx): Promise<string> => {
      for await (const page of tx.scan(texts.under(0), at('checked'))) assert.ok(page.length > 0)
      return find(tx)
    }
    await ask(0, listing)
    await ask(0, listing)
    assert.equal(found, 2)
  })

  it('never let a change be missed that others acknowledge meanwhile', async () => {
    for (let round = 0; round < 200; round++) {
      const asking = Array.from({ length: 4 }, () => ask())
      const text = `round ${round}`
      await put('checked', text)
      await Promise.all(asking)
      assert.equal(await ask(), `${text} b`)
    }
  })
})
