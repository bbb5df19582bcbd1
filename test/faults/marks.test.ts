import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Operation } from './history.ts'
import { checkLinearizable } from './linearizable.ts'
import type { Mark, Marked, MarkOperation } from './marks.ts'
import { MARKED, usedMarks, withRestores } from './marks.ts'
import type { SecretOut } from './models.ts'
import { restorable } from './subject.ts'
import { shelfModel } from './subjects/shelf.ts'
import type { ShelfIn } from './subjects/shelf.ts'

type In = ShelfIn | Mark
type Out = SecretOut | Marked
/** `[call, end, input, output]`; no end: no answer came. */
type Told = readonly [number, number | undefined, In, Out?]

const holds = (...told: readonly Told[]): boolean => {
  const history: readonly Operation<In, Out>[] = told.map(([call, end, input, output]) => ({
    call,
    end: end ?? Infinity,
    input,
    output,
  }))
  const { kind } = checkLinearizable(withRestores(shelfModel(2)), history)
  assert.notEqual(kind, 'undecided')
  return kind === 'linearizable'
}

const write = (call: number, end: number, at: number, value: string, version: number): Told => [
  call,
  end,
  { do: 'write', at, value },
  { version },
]
const read = (call: number, end: number, at: number, value: string, version: number): Told => [
  call,
  end,
  { do: 'read', at },
  version === 0 ? { version } : { version, value },
]
const snapshot = (call: number, end: number, of = 0): Told => [
  call,
  end,
  { do: 'snapshot', of },
  MARKED,
]
const restore = (call: number, end?: number, of = 0): Told =>
  end === undefined
    ? [call, undefined, { do: 'restore', of }]
    : [call, end, { do: 'restore', of }, MARKED]

describe('histories with snapshots and restores', () => {
  const begun = [write(0, 1, 0, 'a', 1), write(2, 3, 1, 'b', 1), snapshot(4, 5)] as const
  const gone = [write(6, 7, 0, 'c', 2), write(8, 9, 1, 'd', 2)] as const

  it('may go back as a whole, and go on from there', () => {
    const back = [...begun, ...gone, restore(10, 12)] as const
    assert.ok(holds(...back, read(13, 14, 0, 'a', 1), read(13, 14, 1, 'b', 1)))
    assert.ok(holds(...back, write(13, 14, 0, 'e', 2), read(15, 16, 0, 'e', 2)))
    // While it is under way the one or the other shows, in this order.
    assert.ok(holds(...back, read(10, 11, 0, 'c', 2), read(11, 12, 0, 'a', 1)))
  })

  it('must not keep the old data behind an acknowledged restore', () => {
    assert.ok(!holds(...begun, ...gone, restore(10, 12), read(13, 14, 0, 'c', 2)))
  })

  it('must not be half old and half new', () => {
    assert.ok(
      !holds(...begun, ...gone, restore(10, 20), read(11, 12, 0, 'a', 1), read(13, 14, 1, 'd', 2)),
    )
    assert.ok(
      !holds(...begun, ...gone, restore(10), read(11, 12, 0, 'a', 1), read(13, 14, 1, 'd', 2)),
    )
  })

  it('must not lose what was acknowledged after the restore', () => {
    assert.ok(
      !holds(...begun, ...gone, restore(10, 12), write(13, 14, 0, 'e', 2), read(15, 16, 0, 'a', 1)),
    )
  })

  it('must go back to an instant of the snapshot, the same for everything', () => {
    const first = write(0, 1, 0, 'a', 1)
    const during = [write(3, 4, 0, 'b', 2), write(5, 6, 1, 'c', 1)] as const
    const after = [first, snapshot(2, 7), ...during, restore(8, 9)] as const
    for (const [zero, one] of [
      [read(10, 11, 0, 'a', 1), read(10, 11, 1, '', 0)],
      [read(10, 11, 0, 'b', 2), read(10, 11, 1, '', 0)],
      [read(10, 11, 0, 'b', 2), read(10, 11, 1, 'c', 1)],
    ] as const) {
      assert.ok(holds(...after, zero, one))
    }
    // The later write without the earlier one, and what was there before or came after.
    assert.ok(!holds(...after, read(10, 11, 0, 'a', 1), read(10, 11, 1, 'c', 1)))
    assert.ok(!holds(...after, read(10, 11, 0, '', 0)))
    const later = write(7.5, 7.8, 0, 'd', 3)
    assert.ok(
      !holds(first, snapshot(2, 7), ...during, later, restore(8, 9), read(10, 11, 0, 'd', 3)),
    )
  })

  it('may go back once by a restore without an answer, at any time, or never', () => {
    const lost = [...begun, ...gone, restore(10)] as const
    assert.ok(holds(...lost, read(13, 14, 0, 'c', 2)))
    assert.ok(holds(...lost, read(13, 14, 0, 'c', 2), read(15, 16, 0, 'a', 1)))
    assert.ok(!holds(...lost, read(13, 14, 0, 'a', 1), read(15, 16, 0, 'c', 2)))
  })

  it('tells several snapshots apart', () => {
    const both = [...begun, ...gone, snapshot(10, 11, 1)] as const
    assert.ok(holds(...both, restore(12, 13, 0), restore(14, 15, 1), read(16, 17, 0, 'c', 2)))
    assert.ok(!holds(...both, restore(12, 13, 0), restore(14, 15, 1), read(16, 17, 0, 'a', 1)))
  })

  it('leave out what says nothing of a thing', () => {
    const marks = [snapshot(0, 1, 0), snapshot(1, 2, 1), restore(3, 4, 0), restore(5, undefined, 1)]
      .concat([restore(20, 30, 0), restore(90, 99, 0)])
      .map(([call, end, input]) => ({
        call,
        end: end ?? Infinity,
        input: input as Mark,
        output: end === undefined ? undefined : MARKED,
      }))
    const calls = (first: number, last: number) =>
      usedMarks(marks, { first, last }).map(({ call }) => call)
    assert.deepEqual(calls(10, 15), [1, 5])
    assert.deepEqual(calls(10, 50), [0, 1, 5, 20])
    assert.deepEqual(calls(0, 100), [0, 1, 3, 5, 20, 90])
  })

  it('count a restore that began while the last operation waited', async () => {
    const marks: MarkOperation[] = []
    const turn = () => new Promise((resolve) => setTimeout(resolve, 2))
    const note = async (input: Mark): Promise<void> => {
      await turn()
      const call = performance.now()
      await turn()
      marks.push({ input, output: MARKED, call, end: performance.now() })
      await turn()
    }
    const steps: [ShelfIn, () => Promise<SecretOut>][] = [
      [{ do: 'write', at: 0, value: 'a' }, async () => ({ version: 1 })],
      [{ do: 'write', at: 0, value: 'b' }, async () => ({ version: 2 })],
      [
        { do: 'read', at: 0 },
        async () => {
          await note({ do: 'restore', of: 0 })
          return { version: 1, value: 'a' }
        },
      ],
    ]
    let at = -1
    const subject = restorable(
      {
        name: 'a shelf',
        model: () => shelfModel(1),
        draw: () => steps[++at]![0],
        reads: [],
        send: async () => ({ output: await steps[at]![1]() }),
      },
      () => marks,
    )
    await subject.operate({} as never)
    await note({ do: 'snapshot', of: 0 })
    await subject.operate({} as never)
    await subject.operate({} as never)
    assert.equal(subject.fault(), undefined)
  })
})
