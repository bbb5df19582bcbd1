import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, put, read, soon, texts, turn, upTo, writesOf } from '../conformance/kit.ts'
import { createMemoryStore } from '../memory/memory-store.ts'
import { newVersion, Unavailable, Unknown } from '../store.ts'
import type { Fault, FaultCall, FaultPlan } from './fault-store.ts'
import { randomFaults, withFaults } from './fault-store.ts'

const everything = { from: bytes('a'), to: bytes('z'), limit: 9 }

/** A plan that strikes one kind of call. */
const at =
  (operation: FaultCall['operation'], fault: Fault): FaultPlan =>
  (call) =>
    call.operation === operation ? fault : undefined

const commitOf = (value: string) => ({
  id: newVersion(),
  checks: [],
  writes: writesOf({ a: value }),
})

describe('the fault decorator', () => {
  it('makes each kind of call unavailable, with nothing done', async () => {
    const store = createMemoryStore()
    const fails: Fault = { fails: 'unavailable' }
    await assert.rejects(
      withFaults(store, at('read', fails)).read([bytes('a')], soon()),
      Unavailable,
    )
    await assert.rejects(
      withFaults(store, at('versions', fails)).versions([bytes('a')], soon()),
      Unavailable,
    )
    await assert.rejects(withFaults(store, at('list', fails)).list(everything, soon()), Unavailable)
    await assert.rejects(
      withFaults(store, at('commit', fails)).commit(commitOf('x'), soon()),
      Unavailable,
    )
    assert.deepEqual(await texts(store, ['a']), [undefined])
  })

  it('loses the acknowledgement of a commit that was done', async () => {
    const store = createMemoryStore()
    const faulty = withFaults(store, at('commit', { fails: 'lost-acknowledgement' }))
    await assert.rejects(faulty.commit(commitOf('x'), soon()), Unknown)
    assert.deepEqual(await texts(store, ['a']), ['x'])
  })

  it('refuses a commit whose checks hold, and names them', async () => {
    const store = createMemoryStore()
    const version = await put(store, { a: 'kept' })
    const faulty = withFaults(store, at('commit', { fails: 'conflict' }))
    const checks = [{ key: bytes('a'), version }]
    assert.deepEqual(await faulty.commit({ ...commitOf('x'), checks }, soon()), {
      kind: 'conflict',
      stale: [bytes('a')],
    })
    assert.deepEqual(await texts(store, ['a']), ['kept'])
  })

  it('delays a call before it is done, or holds back its answer', async () => {
    const store = createMemoryStore()
    await put(store, { a: 'old' })
    let open!: () => void
    const gate = new Promise<void>((resolve) => (open = resolve))
    const wait = async () => gate
    const delayed = texts(withFaults(store, at('read', { before: wait })), ['a'])
    const held = texts(withFaults(store, at('read', { after: wait })), ['a'])
    await turn()
    await put(store, { a: 'new' })
    open()
    assert.deepEqual([await delayed, await held], [['new'], ['old']])
  })

  it('numbers the calls from 0', async () => {
    const seen: FaultCall[] = []
    const store = withFaults(createMemoryStore(), (call) => {
      seen.push(call)
      return undefined
    })
    await store.commit(commitOf('x'), soon())
    await read(store, bytes('a'))
    await store.versions([bytes('a')], soon())
    await store.list(everything, soon())
    assert.deepEqual(
      seen.map(({ operation, number }) => `${number} ${operation}`),
      ['0 commit', '1 read', '2 versions', '3 list'],
    )
  })
})

describe('random faults', () => {
  const strikes = (seed: number): (string | undefined)[] => {
    const plan = randomFaults({ seed, unavailable: 0.2, lostAcknowledgement: 0.2, conflict: 0.2 })
    return upTo(2_000).map((number) => plan({ operation: 'commit', number })?.fails)
  }

  it('are the same for the same seed and others for another', () => {
    assert.deepEqual(strikes(7), strikes(7))
    assert.notDeepEqual(strikes(7), strikes(8))
  })

  it('come about as often as asked', () => {
    for (const kind of ['unavailable', 'lost-acknowledgement', 'conflict']) {
      const count = strikes(1).filter((fails) => fails === kind).length
      assert.ok(count > 300 && count < 500, `${kind}: ${count} of 2000`)
    }
  })
})
