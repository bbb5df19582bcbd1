import { keyText } from '../std/key-text.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Ref, Tx } from '../engine/records.ts'
import { recordKind } from '../engine/records.ts'
import { invalid, Refusal } from '../engine/refusal.ts'
import { limits } from '../limits.ts'
import { upTo } from '../storage/conformance/kit.ts'
import type { FaultPlan } from '../storage/faults/fault-store.ts'
import { randomFaults, withFaults } from '../storage/faults/fault-store.ts'
import { createMemoryStore } from '../storage/memory/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'
import type { RecordsOptions } from './records.ts'
import { ConflictQueues, createRecords, StaleAuthority, stampRef } from './records.ts'

interface Item {
  readonly text: string
}

const items = recordKind<Item>('ti')
const numbers = recordKind<number>('tn')

const id = (number: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}
const item = (number: number): Ref<Item> => items.at(1, id(number))
const counter = (number: number): Ref<number> => numbers.at(1, id(number))

const setUp = (options: Partial<RecordsOptions> = {}) => {
  const store = options.store ?? createMemoryStore()
  const records = createRecords({ store, queues: new ConflictQueues(), ...options })
  /** Another request of the same server. */
  const other = createRecords({ store, queues: new ConflictQueues() })
  return { store, records, other }
}

/** Puts one record as another request would. */
const change = async <T>(store: Store, ref: Ref<T>, value: T): Promise<void> =>
  createRecords({ store, queues: new ConflictQueues() }).transact(async (tx) => tx.put(ref, value))

const versionOf = async (store: Store, ref: Ref<unknown>): Promise<number> =>
  (await store.versions([ref.key], deadlineIn(1_000))).items[0]!

/** An authority that rests on one record at one version. */
const authorityOf = (ref: Ref<unknown>, version: number) => () => [{ key: ref.key, version }]

const increment =
  (ref: Ref<number>) =>
  async (tx: Tx): Promise<number> => {
    const next = ((await tx.get(ref)) ?? 0) + 1
    tx.put(ref, next)
    return next
  }

/** A store that counts the calls of each kind. */
const counting = () => {
  const calls: Record<string, number> = { read: 0, versions: 0, list: 0, commit: 0 }
  const store = withFaults(createMemoryStore(), ({ operation }) => {
    calls[operation]! += 1
    return undefined
  })
  return { store, calls }
}

const unavailable = (text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal)
  assert.equal(error.status, 503)
  assert.match(error.message, text)
  return true
}

describe('a transaction', () => {
  it('puts and deletes all or nothing, and gives back what the function gave', async () => {
    const { store, records } = setUp()
    await change(store, item(9), { text: 'old' })
    const result = await records.transact(async (tx) => {
      for (const number of upTo(3)) tx.put(item(number), { text: `${number}` })
      tx.delete(item(9))
      return 'done'
    })
    assert.equal(result, 'done')
    assert.deepEqual(await records.getMany([item(0), item(1), item(2), item(9)]), [
      { text: '0' },
      { text: '1' },
      { text: '2' },
      undefined,
    ])
    const versions = await Promise.all(upTo(3).map(async (at) => versionOf(store, item(at))))
    assert.equal(new Set(versions).size, 1)
  })

  it('sees its own writes', async () => {
    const { store, records } = setUp()
    await change(store, item(1), { text: 'stored' })
    await records.transact(async (tx) => {
      assert.deepEqual(await tx.get(item(1)), { text: 'stored' })
      tx.put(item(1), { text: 'mine' })
      tx.put(item(2), { text: 'new' })
      assert.deepEqual(await tx.getMany([item(2), item(1), item(3)]), [
        { text: 'new' },
        { text: 'mine' },
        undefined,
      ])
      tx.delete(item(1))
      assert.equal(await tx.get(item(1)), undefined)
      tx.put(item(1), { text: 'again' })
    })
    assert.deepEqual(await records.get(item(1)), { text: 'again' })
  })

  it('runs again on what it reads now when something it read changed', async () => {
    const { store, records } = setUp()
    await change(store, counter(1), 10)
    let runs = 0
    const result = await records.transact(async (tx) => {
      const value = (await tx.get(counter(1)))!
      if (runs++ === 0) await change(store, counter(1), 20)
      tx.put(counter(2), value + 1)
      return value
    })
    assert.deepEqual([result, runs, await records.get(counter(2))], [20, 2, 21])
  })

  it('checks that what it found absent still is', async () => {
    const { store, records } = setUp()
    let runs = 0
    const claim = records.transact(async (tx) => {
      const there = await tx.get(item(1))
      if (runs++ === 0) await change(store, item(1), { text: 'theirs' })
      if (there !== undefined) throw invalid('already in use')
      tx.put(item(1), { text: 'mine' })
    })
    await assert.rejects(claim, { name: 'Refusal', message: 'already in use' })
    assert.deepEqual([runs, await records.get(item(1))], [2, { text: 'theirs' }])
  })

  it('does not check what it peeked at', async () => {
    const { store, records } = setUp()
    await change(store, counter(1), 10)
    let runs = 0
    await records.transact(async (tx) => {
      const hint = (await tx.peek(counter(1)))!
      runs++
      await change(store, counter(1), 20)
      tx.put(counter(2), hint)
    })
    assert.deepEqual([runs, await records.get(counter(2))], [1, 10])
  })

  it('runs again when a stamp that it checked was put', async () => {
    const { store, records, other } = setUp()
    let runs = 0
    await records.transact(async (tx) => {
      await tx.checkStamp('tree', 1)
      if (runs++ === 0) {
        await other.transact(async (theirs) => theirs.stamp('tree', 2))
        await other.transact(async (theirs) => theirs.stamp('policies', 1))
        assert.equal(await versionOf(store, stampRef('tree', 1)), 0)
        await other.transact(async (theirs) => theirs.stamp('tree', 1))
      }
      tx.put(item(1), { text: `run ${runs}` })
      tx.stamp('tree', 1)
    })
    assert.deepEqual([runs, await records.get(item(1))], [2, { text: 'run 2' }])
  })

  it('commits nothing when it writes nothing', async () => {
    const { store, calls } = counting()
    const { records } = setUp({ store })
    assert.equal(await records.transact(async (tx) => tx.get(item(1))), undefined)
    assert.deepEqual(calls, { read: 1, versions: 0, list: 0, commit: 0 })
  })
})

describe('what a transaction decided without writing (A4)', () => {
  /** Reads two records that always change together, with a change in between in the first run. */
  const torn = async (
    decide: (pair: string, tx: Tx) => void,
  ): Promise<{ readonly pairs: readonly string[]; readonly end: unknown }> => {
    const { store, records, other } = setUp()
    const both = async (value: number) =>
      other.transact(async (tx) => {
        tx.put(counter(1), value)
        tx.put(counter(2), value)
      })
    await both(1)
    const pairs: string[] = []
    const end = await records
      .transact(async (tx) => {
        const left = (await tx.get(counter(1)))!
        if (pairs.length === 0) await both(2)
        const pair = `${left} ${(await tx.get(counter(2)))!}`
        pairs.push(pair)
        decide(pair, tx)
        return pair
      })
      .catch((error: unknown) => error)
    assert.equal(await versionOf(store, item(1)), 0)
    return { pairs, end }
  }

  it('is a torn read, and runs again', async () => {
    const { pairs, end } = await torn(() => {})
    assert.deepEqual(pairs, ['1 2', '2 2'])
    assert.equal(end, '2 2')
  })

  it('is a refusal on torn reads, and runs again', async () => {
    const { pairs, end } = await torn((pair) => {
      throw invalid(`refused for ${pair}`)
    })
    assert.deepEqual(pairs, ['1 2', '2 2'])
    assert.ok(end instanceof Refusal)
    assert.equal(end.message, 'refused for 2 2')
  })

  it('is a failure on torn reads, and runs again', async () => {
    const { pairs, end } = await torn((pair) => {
      if (pair === '1 2') throw new TypeError('no such pair')
    })
    assert.deepEqual([pairs, end], [['1 2', '2 2'], '2 2'])
  })

  it('stands when all it read still holds; the store is asked only when something was committed meanwhile', async () => {
    const { store, calls } = counting()
    const { records } = setUp({ store })
    let runs = 0
    const refuse = async (reads: (tx: Tx) => Promise<unknown>) =>
      assert.rejects(
        records.transact(async (tx) => {
          runs++
          await reads(tx)
          throw invalid('no')
        }),
        { message: 'no' },
      )
    await refuse(async (tx) => tx.getMany([item(1), item(2)]))
    assert.deepEqual(calls, { read: 1, versions: 0, list: 0, commit: 0 })
    await refuse(async (tx) => [await tx.get(item(1)), await tx.get(item(2))])
    assert.deepEqual(calls, { read: 3, versions: 0, list: 0, commit: 0 })
    await refuse(async (tx) => {
      await tx.get(item(1))
      await change(store, item(3), { text: 'another' })
      await tx.get(item(2))
    })
    assert.deepEqual(calls, { read: 5, versions: 1, list: 0, commit: 1 })
    assert.equal(runs, 3)
  })

  it('lets a bug through as it is', async () => {
    const { records } = setUp()
    const bug = new TypeError('a bug')
    await assert.rejects(
      records.transact(async () => {
        throw bug
      }),
      (error) => error === bug,
    )
  })
})

describe("the caller's authority", () => {
  it('is among the checks of every commit', async () => {
    const { store } = setUp()
    await change(store, item(7), { text: 'token' })
    const authority = authorityOf(item(7), await versionOf(store, item(7)))
    const { records } = setUp({ store, authority })
    await records.transact(async (tx) => tx.put(item(1), { text: 'allowed' }))
    await change(store, item(7), { text: 'revoked' })
    let runs = 0
    const late = records.transact(async (tx) => {
      runs++
      tx.put(item(1), { text: 'forbidden' })
    })
    await assert.rejects(late, StaleAuthority)
    assert.equal(runs, 1)
    assert.deepEqual(await records.get(item(1)), { text: 'allowed' })
  })

  it('is stale when the function itself reads a newer form of it', async () => {
    const { store } = setUp()
    await change(store, item(7), { text: 'token' })
    const authority = authorityOf(item(7), await versionOf(store, item(7)))
    const { records } = setUp({ store, authority })
    await change(store, item(7), { text: 'renewed' })
    const late = records.transact(async (tx) => {
      await tx.get(item(7))
      tx.put(item(1), { text: 'forbidden' })
    })
    await assert.rejects(late, StaleAuthority)
    assert.equal(await records.get(item(1)), undefined)
  })

  it('may be what the request itself reads and writes, more than once', async () => {
    const { store } = setUp()
    await change(store, counter(7), 1)
    const authority = authorityOf(counter(7), await versionOf(store, counter(7)))
    const { records } = setUp({ store, authority })
    assert.equal(await records.transact(increment(counter(7))), 2)
    assert.equal(await records.transact(increment(counter(7))), 3)
  })

  it('that still holds is no reason to stop when another record conflicts', async () => {
    const { store } = setUp()
    const { records } = setUp({ store, authority: authorityOf(item(7), 0) })
    let runs = 0
    await records.transact(async (tx) => {
      const value = (await tx.get(counter(1))) ?? 0
      if (runs++ === 0) await change(store, counter(1), 5)
      tx.put(counter(1), value + 1)
    })
    assert.deepEqual([runs, await records.get(counter(1))], [2, 6])
  })
})

describe('limits of a transaction', () => {
  const tooMuch = (error: unknown) => {
    assert.ok(error instanceof Refusal)
    assert.equal(error.status, 400)
    assert.match(error.message, /changes too much at once/)
    return true
  }

  it('take 200 writes and refuse 201 with a 400 and nothing changed', async () => {
    const { records } = setUp()
    const write = (count: number) => async (tx: Tx) => {
      for (const number of upTo(count)) tx.put(counter(number), count)
    }
    await records.transact(write(limits.commitWrites))
    await assert.rejects(records.transact(write(limits.commitWrites + 1)), tooMuch)
    assert.equal(await records.get(counter(0)), limits.commitWrites)
    assert.equal(await records.get(counter(limits.commitWrites)), undefined)
  })

  it('take 512 checks and refuse 513, the authority among them', async () => {
    const { store } = setUp()
    const { records } = setUp({ store, authority: authorityOf(item(7), 0) })
    const read = (count: number) => async (tx: Tx) => {
      await tx.getMany(upTo(count).map(counter))
      tx.put(item(1), { text: `${count}` })
    }
    await records.transact(read(limits.commitChecks - 1))
    await assert.rejects(records.transact(read(limits.commitChecks)), tooMuch)
    assert.deepEqual(await records.get(item(1)), { text: `${limits.commitChecks - 1}` })
  })
})

describe('contention', () => {
  it('is settled in order: each that lost waits its turn and then succeeds', async () => {
    const queues = new ConflictQueues()
    const { records } = setUp({ queues })
    let runs = 0
    const results = await Promise.all(
      upTo(100).map(async () =>
        records.transact(async (tx) => {
          runs++
          return increment(counter(1))(tx)
        }),
      ),
    )
    assert.deepEqual(
      results,
      upTo(100).map((number) => number + 1),
    )
    assert.equal(runs, 199)
  })

  it('ends with 503 after too many lost races, and names the hot key', async () => {
    const hot: string[] = []
    const { store, records } = setUp({ queues: new ConflictQueues((key) => hot.push(key)) })
    let runs = 0
    const losing = records.transact(async (tx) => {
      runs++
      await tx.get(counter(2))
      const value = (await tx.get(counter(1))) ?? 0
      await change(store, counter(1), runs * 100)
      tx.put(counter(1), value + 1)
    })
    await assert.rejects(losing, unavailable(/change the same record at once/))
    assert.equal(runs, limits.commitAttempts)
    assert.deepEqual(hot, [counter(1).id])
    assert.equal(await records.get(counter(1)), limits.commitAttempts * 100)
  })

  it('lets nobody who comes later win over those who wait, where both write', async () => {
    const queues = new ConflictQueues()
    const { records } = setUp({ queues })
    const leave = await queues.enter(counter(1).id)
    let done = false
    const later = records.transact(increment(counter(1))).then(() => (done = true))
    // Who only reads it has nothing to wait for.
    await records.transact(async (tx) => tx.put(counter(2), (await tx.get(counter(1))) ?? 0))
    assert.equal(done, false)
    leave()
    await later
    assert.equal(await records.get(counter(1)), 1)
  })

  it('gives the turn back when the function fails', async () => {
    const queues = new ConflictQueues()
    const { store, records } = setUp({ queues })
    let runs = 0
    const failing = records.transact(async (tx) => {
      const value = (await tx.get(counter(1))) ?? 0
      if (runs++ > 0) throw invalid('no')
      await change(store, counter(1), 1)
      tx.put(counter(1), value + 1)
    })
    await assert.rejects(failing, { message: 'no' })
    const leave = await queues.enter(counter(1).id)
    leave()
  })
})

describe('queues of conflicts', () => {
  it('let one in at a time, in the order of coming, for each key', async () => {
    const queues = new ConflictQueues()
    const order: string[] = []
    const visit = async (name: string, key: string): Promise<void> => {
      const leave = await queues.enter(key)
      order.push(`${name} in`)
      await Promise.resolve()
      order.push(`${name} out`)
      leave()
    }
    const leave = await queues.enter('of another')
    await Promise.all([visit('a', 'k'), visit('b', 'k'), visit('c', 'k')])
    leave()
    assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  })
})

describe('a store that fails', () => {
  const failing = (plan: FaultPlan) => {
    const bare = createMemoryStore()
    return { bare, records: setUp({ store: withFaults(bare, plan) }).records }
  }

  it('refuses with 503 and says that nothing was changed', async () => {
    for (const operation of ['read', 'commit'] as const) {
      const { bare, records } = failing((call) =>
        call.operation === operation ? { fails: 'unavailable' } : undefined,
      )
      let runs = 0
      const put = records.transact(async (tx) => {
        runs++
        return increment(counter(1))(tx)
      })
      await assert.rejects(put, unavailable(/nothing was changed/))
      assert.equal(runs, 1)
      assert.equal(await versionOf(bare, counter(1)), 0)
    }
  })

  it('does not say that nothing was changed once something was', async () => {
    let gone = false
    const { bare, records } = failing(() => (gone ? { fails: 'unavailable' } : undefined))
    await records.transact(increment(counter(1)))
    gone = true
    const kept = unavailable(/what was changed is kept/)
    await assert.rejects(records.get(counter(2)), kept)
    await assert.rejects(records.transact(increment(counter(2))), kept)
    gone = false
    assert.equal(await setUp({ store: bare }).records.get(counter(1)), 1)
  })

  it('refuses with 503 and does not try again when the outcome is unknown', async () => {
    const { bare, records } = failing(({ operation }) =>
      operation === 'commit' ? { fails: 'lost-acknowledgement' } : undefined,
    )
    let runs = 0
    const put = records.transact(async (tx) => {
      runs++
      return increment(counter(1))(tx)
    })
    await assert.rejects(put, unavailable(/did not confirm/))
    assert.equal(runs, 1)
    assert.equal(await setUp({ store: bare }).records.get(counter(1)), 1)
  })

  it('refuses plain reads and scans with 503', async () => {
    const { records } = failing(() => ({ fails: 'unavailable' }))
    await assert.rejects(records.get(item(1)), unavailable(/not available/))
    await assert.rejects(records.getMany([item(1), item(2)]), unavailable(/not available/))
    await assert.rejects(
      Array.fromAsync(records.scan(items.under(1))),
      unavailable(/not available/),
    )
  })

  it('never loses an acknowledged increment, nor counts one twice', async () => {
    for (const seed of upTo(25)) {
      const bare = createMemoryStore()
      const rates = { unavailable: 0.05, lostAcknowledgement: 0.05, conflict: 0.1 }
      const plan = randomFaults({ seed, ...rates, delay: 0.1, delayMs: 1 })
      const queues = new ConflictQueues()
      const records = createRecords({ store: withFaults(bare, plan), queues })
      const acknowledged = [0, 0]
      const unsure = [0, 0]
      const work = async (worker: number): Promise<void> => {
        for (const round of upTo(6)) {
          const at = (worker + round) % 2
          try {
            await records.transact(increment(counter(at)))
            acknowledged[at]! += 1
          } catch (error) {
            assert.ok(error instanceof Refusal, `seed ${seed}: ${String(error)}`)
            if (/did not confirm/.test(error.message)) unsure[at]! += 1
          }
        }
      }
      await Promise.all(upTo(6).map(work))
      const found = await setUp({ store: bare }).records.getMany([counter(0), counter(1)])
      for (const at of upTo(2)) {
        const extra = (found[at] ?? 0) - acknowledged[at]!
        // A lost acknowledgement may have been that of a refusal, too.
        assert.ok(extra >= 0 && extra <= unsure[at]!, `seed ${seed}: ${extra} of ${unsure[at]}`)
      }
    }
  })
})

describe('plain reads', () => {
  it('give values in the order asked, however many', async () => {
    const { records } = setUp()
    await records.transact(async (tx) => {
      for (const number of upTo(150)) tx.put(counter(number * 10), number)
    })
    const found = await records.getMany(upTo(1_500).map(counter))
    assert.equal(found.length, 1_500)
    for (const [index, value] of found.entries()) {
      assert.equal(value, index % 10 === 0 ? index / 10 : undefined)
    }
    assert.deepEqual(await records.getMany([]), [])
    assert.deepEqual(await records.getMany([counter(20), counter(20)]), [2, 2])
  })
})

describe('asking whether records are there', () => {
  it('says so of each, what the transaction itself put or deleted among them', async () => {
    const { records } = setUp()
    await records.transact(async (tx) => {
      tx.put(counter(1), 1)
      tx.put(counter(2), 2)
    })
    const refs = [counter(3), counter(1), counter(2), counter(1)]
    assert.deepEqual(await records.exist(refs), [false, true, true, true])
    await records.transact(async (tx) => {
      tx.delete(counter(1))
      tx.put(counter(3), 3)
      assert.deepEqual(await tx.exist(refs), [true, false, true, false])
      assert.deepEqual(await tx.unchecked.exist(refs), [true, false, true, false])
    })
    assert.deepEqual(await records.exist(refs), [true, false, true, false])
    assert.equal((await records.exist(upTo(1_500).map(counter))).filter(Boolean).length, 2)
  })

  it('is a check of the commit, also where the record is read afterwards', async () => {
    for (const reads of [false, true]) {
      const { records, other } = setUp()
      let runs = 0
      const seen = await records.transact(async (tx) => {
        runs++
        const [there] = await tx.exist([counter(1)])
        if (runs === 1) {
          await other.transact(async (own) => own.put(counter(1), 7))
        }
        tx.put(counter(2), 0)
        return reads ? [there, await tx.get(counter(1))] : [there, undefined]
      })
      assert.deepEqual([runs, ...seen], [2, true, reads ? 7 : undefined])
    }
  })

  it('is what a refusal rests on', async () => {
    const { records, other } = setUp()
    let runs = 0
    const done = await records.transact(async (tx) => {
      runs++
      const [there] = await tx.exist([counter(1)])
      if (runs === 1) await other.transact(async (own) => own.put(counter(1), 7))
      // Of another instant than the look.
      await tx.get(counter(2))
      if (there !== true) throw invalid('not there')
      return true
    })
    assert.deepEqual([runs, done], [2, true])
  })
})

describe('scanning', () => {
  const filled = async (count: number) => {
    const { store, records } = setUp()
    for (let at = 0; at < count; at += 100) {
      await records.transact(async (tx) => {
        for (const number of upTo(Math.min(100, count - at)))
          tx.put(counter(at + number), at + number)
      })
    }
    await records.transact(async (tx) => {
      tx.put(numbers.at(0, id(1)), -1)
      tx.put(numbers.at(2, id(0)), -1)
      tx.put(item(1), { text: 'of another kind' })
    })
    return { store, records }
  }

  it('gives all records of a range in pages, in order, and no others', async () => {
    const { records } = await filled(600)
    const pages = await Array.fromAsync(records.scan(numbers.under(1)))
    assert.deepEqual(
      pages.map((page) => page.length),
      [256, 256, 88],
    )
    assert.deepEqual(
      pages.flat().map(({ value }) => value),
      upTo(600),
    )
    const { tail, key, version } = pages[0]![5]!
    assert.deepEqual([Buffer.from(tail), keyText(key)], [Buffer.from(id(5)), counter(5).id])
    assert.ok(version > 0)
  })

  it('takes a page size, capped, and starts after a tail', async () => {
    const { records } = await filled(300)
    const sizes = async (options: { pageSize?: number; after?: Uint8Array }) =>
      (await Array.fromAsync(records.scan(numbers.under(1), options))).map((page) => [
        page[0]!.value,
        page.length,
      ])
    assert.deepEqual(await sizes({ pageSize: 120 }), [
      [0, 120],
      [120, 120],
      [240, 60],
    ])
    assert.deepEqual(await sizes({ pageSize: 5_000 }), [
      [0, 256],
      [256, 44],
    ])
    assert.deepEqual(await sizes({ pageSize: 120, after: id(249) }), [[250, 50]])
    assert.deepEqual(await sizes({ after: id(299) }), [])
    // A tail that is not there: what follows it.
    assert.deepEqual(await sizes({ after: Uint8Array.of(0, 0, 1) }), [[256, 44]])
  })

  it('reads no further than it is asked', async () => {
    const { store, calls } = counting()
    const { records } = setUp({ store })
    await records.transact(async (tx) => {
      for (const number of upTo(20)) tx.put(counter(number), number)
    })
    for await (const page of records.scan(numbers.under(1), { pageSize: 2 })) {
      if (page[0]!.value === 4) break
    }
    assert.equal(calls['list'], 3)
  })

  it('gives what stays exactly once while others come and go between pages', async () => {
    const { records } = await filled(40)
    const seen: number[] = []
    for await (const page of records.scan(numbers.under(1), { pageSize: 10 })) {
      seen.push(...page.map(({ value }) => value))
      // Gone: what was just seen and what would come next. New: one behind and one at the end.
      const last = page[page.length - 1]!.value
      await records.transact(async (tx) => {
        if (last > 100) return
        tx.delete(counter(last))
        tx.delete(counter(last + 1))
        tx.put(numbers.at(1, id(last - 5), id(0)), 2_000)
        tx.put(counter(1_000 + last), 1_000)
      })
    }
    const expected = [
      ...upTo(10),
      ...upTo(10).map((at) => at + 11),
      ...upTo(10).map((at) => at + 22),
    ]
    assert.deepEqual(seen.slice(0, 30), expected)
    assert.deepEqual(seen.slice(30), [...upTo(7).map((at) => at + 33), 1_000, 1_000, 1_000])
  })
})

describe('what a transaction lists under the guard of a record', () => {
  /** Puts a number and, as every change of the numbers does, the record that guards them. */
  const add = async (store: Store, number: number): Promise<void> =>
    createRecords({ store, queues: new ConflictQueues() }).transact(async (tx) => {
      tx.put(counter(number), number)
      tx.put(item(0), { text: `with ${number}` })
    })

  it('is of one instant, also where it writes nothing and reads nothing else', async () => {
    const { store, records } = setUp()
    for (const number of upTo(300)) await add(store, number)
    let runs = 0
    const listed = await records.transact(async (tx) => {
      runs++
      const found: number[] = []
      for await (const page of tx.scan(numbers.under(1), item(0))) {
        found.push(...page.map(({ value }) => value))
        if (runs < 3 && found.length === 256) await add(store, 1_000 + runs)
      }
      return found
    })
    assert.equal(runs, 3)
    assert.deepEqual(listed, [...upTo(300), 1_001, 1_002])
  })

  it('is what a refusal rests on', async () => {
    const { store, records } = setUp()
    await add(store, 1)
    let runs = 0
    const refused = records.transact(async (tx) => {
      const [page] = await Array.fromAsync(tx.scan(numbers.under(1), item(0)))
      if (runs++ === 0) await add(store, 2)
      throw invalid(`there are ${page!.length}`)
    })
    await assert.rejects(refused, { message: 'there are 2' })
  })
})
