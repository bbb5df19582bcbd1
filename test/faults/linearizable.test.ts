import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Model, Operation } from './history.ts'
import type { DoorIn, DoorOut } from './models.ts'
import { checkLinearizable } from './linearizable.ts'
import {
  accessModel,
  doorModel,
  loginModel,
  membersModel,
  namesModel,
  secretModel,
  shownHistory,
  tokenModel,
} from './models.ts'

/** `[call, end, input, output]`; no end: no answer came. */
type Told<In, Out> = readonly [number, number | undefined, In, Out?]

const historyOf = <In, Out>(told: readonly Told<In, Out>[]): readonly Operation<In, Out>[] =>
  told.map(([call, end, input, output]) => ({ call, end: end ?? Infinity, input, output }))

const holds = <State, In, Out>(
  model: Model<State, In, Out>,
  told: readonly Told<In, Out>[],
): boolean => {
  const { kind } = checkLinearizable(model, historyOf(told))
  assert.notEqual(kind, 'undecided')
  return kind === 'linearizable'
}

const write = (value: string, cas?: number) =>
  cas === undefined ? ({ do: 'write', value } as const) : ({ do: 'write', value, cas } as const)
const read = { do: 'read' } as const
const names = namesModel(['a', 'b'])
const add = (...entities: number[]) => ({ do: 'add', entities }) as const
const remove = (...entities: number[]) => ({ do: 'remove', entities }) as const
const done = { done: true } as const

describe('the checker of histories', () => {
  it('refuses an acknowledged write that is lost', () => {
    assert.ok(
      !holds(secretModel, [
        [0, 1, write('x'), { version: 1 }],
        [2, 3, read, { version: 0 }],
      ]),
    )
  })

  it('refuses a read of the past', () => {
    assert.ok(
      !holds(secretModel, [
        [0, 1, write('x'), { version: 1 }],
        [2, 3, write('y'), { version: 2 }],
        [4, 5, read, { version: 1, value: 'x' }],
      ]),
    )
  })

  it('refuses two reads at the same time as a write that see it in turn and then not', () => {
    const writing = [0, 10, write('x'), { version: 1 }] as const
    const seen = { version: 1, value: 'x' } as const
    const unseen = { version: 0 } as const
    assert.ok(!holds(secretModel, [writing, [1, 2, read, seen], [3, 4, read, unseen]]))
    assert.ok(holds(secretModel, [writing, [1, 2, read, unseen], [3, 4, read, seen]]))
    assert.ok(holds(secretModel, [writing, [1, 4, read, seen], [2, 5, read, unseen]]))
  })

  it('refuses two winners of one check-and-set', () => {
    assert.ok(
      !holds(secretModel, [
        [0, 5, write('x', 0), { version: 1 }],
        [1, 6, write('y', 0), { version: 1 }],
      ]),
    )
  })

  it('refuses a value that nobody wrote', () => {
    assert.ok(!holds(secretModel, [[0, 1, read, { version: 1, value: 'x' }]]))
  })

  it('lets a write without an answer happen at once, later or never, but not come and go', () => {
    const lost = [0, undefined, write('x')] as const
    const unseen = { version: 0 } as const
    const seen = { version: 1, value: 'x' } as const
    assert.ok(holds(secretModel, [lost, [1, 2, read, seen]]))
    assert.ok(holds(secretModel, [lost, [1, 2, read, unseen]]))
    assert.ok(holds(secretModel, [lost, [1, 2, read, unseen], [3, 4, read, seen]]))
    assert.ok(!holds(secretModel, [lost, [1, 2, read, seen], [3, 4, read, unseen]]))
    // Not before it was sent.
    assert.ok(
      !holds(secretModel, [
        [0, 1, read, seen],
        [2, undefined, write('x')],
      ]),
    )
  })

  it('refuses a name that two hold', () => {
    const takes = (entity: number) => ({ do: 'rename', entity, name: 'c' }) as const
    const taken = { renamed: true } as const
    assert.ok(
      !holds(names, [
        [0, 5, takes(0), taken],
        [1, 6, takes(1), taken],
      ]),
    )
    assert.ok(
      holds(names, [
        [0, 5, takes(0), taken],
        [1, 6, takes(1), { renamed: false }],
      ]),
    )
    assert.ok(
      !holds(names, [
        [0, 1, takes(0), taken],
        [2, 3, { do: 'name-of', entity: 0 }, { name: 'c' }],
        [4, 5, { do: 'holder-of', name: 'c' }, { entity: null }],
      ]),
    )
    assert.ok(
      !holds(names, [
        [0, 1, takes(0), taken],
        [2, 3, { do: 'holder-of', name: 'a' }, { entity: 0 }],
      ]),
    )
    // Refused, though nobody had it.
    assert.ok(!holds(names, [[0, 1, takes(0), { renamed: false }]]))
  })

  it('refuses a membership that only one side shows, or half a change', () => {
    assert.ok(
      !holds(membersModel, [
        [0, 1, add(0), done],
        [2, 3, { do: 'members' }, { members: [0] }],
        [4, 5, { do: 'is-member', entity: 0 }, { member: false }],
      ]),
    )
    assert.ok(
      !holds(membersModel, [
        [0, undefined, add(0, 1)],
        [1, 2, { do: 'members' }, { members: [0] }],
      ]),
    )
    assert.ok(
      !holds(membersModel, [
        [0, 1, add(0, 1), done],
        [2, 3, remove(0), done],
        [4, 5, { do: 'members' }, { members: [0, 1] }],
      ]),
    )
  })

  it('refuses a token that is accepted after its end', () => {
    const alive = { alive: true } as const
    const made = [0, 1, { do: 'create' }, { made: true }] as const
    assert.ok(
      !holds(tokenModel, [made, [2, 3, { do: 'revoke' }, done], [4, 5, { do: 'use' }, alive]]),
    )
    assert.ok(
      holds(tokenModel, [made, [2, 6, { do: 'revoke' }, done], [4, 5, { do: 'use' }, alive]]),
    )
    assert.ok(!holds(tokenModel, [made, [2, 3, { do: 'use' }, { alive: false }]]))
  })

  it('refuses a login that shows what was before a change, or gets in after the door was closed', () => {
    const login = { do: 'login' } as const
    const show = (value: string) => ({ do: 'show', value }) as const
    assert.ok(
      !holds(doorModel, [
        [0, 1, show('x'), done],
        [2, 3, show('y'), done],
        [4, 5, login, { shown: 'x' }],
      ]),
    )
    assert.ok(
      !holds(doorModel, [
        [0, 1, show('x'), done],
        [2, 3, { do: 'close' }, done],
        [4, 5, login, { shown: 'x' }],
      ]),
    )
    assert.ok(
      !holds(doorModel, [
        [0, 1, { do: 'close' }, done],
        [2, 3, { do: 'open' }, done],
        [4, 5, login, { shown: null }],
      ]),
    )
    assert.ok(
      holds(doorModel, [
        [0, 2, show('x'), done],
        [1, 3, { do: 'close' }, done],
        [1, 4, login, { shown: 'x' }],
        [1, 4, login, { shown: null }],
      ]),
    )
  })

  it('leaves out policies that may never have been given, but none that somebody saw', () => {
    const login = { do: 'login' } as const
    const show = (value: string) => ({ do: 'show', value }) as const
    const history = historyOf<DoorIn, DoorOut>([
      [0, 1, show('x'), done],
      [2, undefined, show('seen')],
      [2, undefined, show('unseen')],
      [2, undefined, { do: 'close' }],
      [3, 4, login, { shown: 'seen' }],
    ])
    assert.deepEqual(
      shownHistory(history),
      history.filter((_, at) => at !== 2),
    )
  })

  it('refuses who still may after an acknowledged change, wherever they ask, and who may not before it', () => {
    const use = (token = 0) => ({ do: 'use', token, how: 'read' }) as const
    const may = { allowed: true } as const
    const mayNot = { allowed: false } as const
    const changes = ['disable', 'remove', 'forbid'] as const
    for (const change of changes.map((what) => ({ do: what }) as const)) {
      assert.ok(
        !holds(accessModel, [
          [0, 1, change, done],
          [2, 3, use(), may],
        ]),
      )
      assert.ok(
        holds(accessModel, [
          [0, 2, change, done],
          [1, 3, use(), may],
        ]),
      )
      assert.ok(
        !holds(accessModel, [
          [0, 1, use(), mayNot],
          [2, 3, change, done],
        ]),
      )
      // One place that has seen it is the proof for all.
      assert.ok(
        !holds(accessModel, [
          [0, 9, change, done],
          [1, 2, use(), mayNot],
          [3, 4, use(), may],
        ]),
      )
    }
    const revoke = { do: 'revoke', token: 1 } as const
    assert.ok(
      !holds(accessModel, [
        [0, 1, revoke, done],
        [2, 3, use(1), may],
      ]),
    )
    assert.ok(
      holds(accessModel, [
        [0, 1, revoke, done],
        [2, 3, use(2), may],
      ]),
    )
    const given = [
      [0, 1, { do: 'remove' }, done],
      [2, 3, { do: 'disable' }, done],
      [4, 5, { do: 'add' }, done],
    ] as const
    assert.ok(holds(accessModel, [...given, [6, 7, use(), mayNot]]))
    assert.ok(!holds(accessModel, [...given, [6, 7, use(), may]]))
    const enabled = [6, 7, { do: 'enable' }, done] as const
    assert.ok(holds(accessModel, [...given, enabled, [8, 9, use(), may]]))
    assert.ok(!holds(accessModel, [...given, enabled, [8, 9, use(), mayNot]]))
  })

  it('refuses a person that became two', () => {
    const login = { do: 'login' } as const
    const model = loginModel(['e', 'f'])
    assert.ok(
      !holds(model, [
        [0, 5, login, { entity: 'e' }],
        [1, 6, login, { entity: 'f' }],
      ]),
    )
    assert.ok(
      !holds(model, [
        [0, 1, login, { entity: 'e' }],
        [2, 3, { do: 'find' }, { entity: null }],
      ]),
    )
    assert.ok(
      holds(model, [
        [0, 5, login, { entity: 'e' }],
        [1, 6, login, { entity: 'e' }],
      ]),
    )
  })

  it('says so when it cannot decide', () => {
    const told = Array.from({ length: 12 }, (_, at): Told<SecretIn, SecretOut> => [
      0,
      9,
      write(`${at}`),
      { version: 1 },
    ])
    assert.equal(checkLinearizable(secretModel, historyOf(told), 50).kind, 'undecided')
  })

  it('keeps a change for later that would change nothing now', () => {
    assert.ok(
      holds(membersModel, [
        [0, 9, remove(0), done],
        [1, 2, add(0), done],
        [3, 4, { do: 'members' }, { members: [0] }],
        [10, 11, { do: 'members' }, { members: [] }],
      ]),
    )
  })

  it('accepts whatever happened in some order between call and end', () => {
    fc.assert(
      fc.property(fc.array(timed(secretInputs), { maxLength: 40 }), (requests) => {
        const history = observed(secretModel, requests)
        assert.equal(checkLinearizable(secretModel, history).kind, 'linearizable')
      }),
    )
    fc.assert(
      fc.property(fc.array(timed(memberInputs), { maxLength: 40 }), (requests) => {
        const history = observed(membersModel, requests)
        assert.equal(checkLinearizable(membersModel, history).kind, 'linearizable')
      }),
    )
  })

  it('agrees with trying all orders', () => {
    agrees(secretModel, secretInputs, (output) =>
      'version' in output ? { ...output, version: 1 } : output,
    )
    agrees(membersModel, memberInputs, (output) =>
      'members' in output ? { members: [0] } : output,
    )
  })
})

type SecretIn = Parameters<typeof secretModel.apply>[1]
type SecretOut = ReturnType<typeof secretModel.apply>[1]
type MembersIn = Parameters<typeof membersModel.apply>[1]

/** Compares the verdicts on short histories, some of whose answers are spoilt. */
const agrees = <State, In, Out>(
  model: Model<State, In, Out>,
  inputs: fc.Arbitrary<In>,
  spoil: (output: Out) => Out,
): void => {
  let refused = 0
  fc.assert(
    fc.property(
      fc.array(timed(inputs), { maxLength: 6 }),
      fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
      (requests, spoilt) => {
        const history = observed(model, requests).map((operation, index) =>
          spoilt[index] === 0 && operation.output !== undefined
            ? { ...operation, output: spoil(operation.output) }
            : operation,
        )
        const expected = someOrder(model, history)
        if (!expected) refused++
        assert.equal(checkLinearizable(model, history).kind === 'linearizable', expected)
      },
    ),
    { numRuns: 2_000 },
  )
  assert.ok(refused > 50, `${refused} histories were refused`)
}

interface Timed<In> {
  readonly input: In
  readonly call: number
  /** When it happens, after the call. */
  readonly after: number
  /** When its answer comes, after that; never if undefined. */
  readonly rest: number | undefined
  readonly happens: boolean
}

const secretInputs: fc.Arbitrary<SecretIn> = fc.oneof(
  fc.constant(read),
  fc.constantFrom('x', 'y').map((value) => write(value)),
  fc.tuple(fc.constantFrom('x', 'y'), fc.nat(3)).map(([value, cas]) => write(value, cas)),
)

const memberInputs: fc.Arbitrary<MembersIn> = fc.oneof(
  fc.constant({ do: 'members' } as const),
  fc.record({ do: fc.constant('is-member' as const), entity: fc.nat(1) }),
  fc.record({
    do: fc.constantFrom('add', 'remove', 'set'),
    entities: fc.constantFrom([0], [1], [0, 1]),
  }),
)

const timed = <In>(inputs: fc.Arbitrary<In>): fc.Arbitrary<Timed<In>> =>
  fc.record({
    input: inputs,
    call: fc.double({ min: 0, max: 20, noNaN: true }),
    after: fc.double({ min: 0, max: 6, noNaN: true }),
    rest: fc.option(fc.double({ min: 0, max: 6, noNaN: true }), { nil: undefined, freq: 5 }),
    happens: fc.boolean(),
  })

/** What clients see of something that does one thing after the other. */
const observed = <State, In, Out>(
  model: Model<State, In, Out>,
  requests: readonly Timed<In>[],
): readonly Operation<In, Out>[] => {
  let state = model.initial
  return requests
    .toSorted((a, b) => a.call + a.after - (b.call + b.after))
    .map(({ input, call, after, rest, happens }) => {
      if (rest === undefined && !happens) return { input, call, end: Infinity, output: undefined }
      const [next, output] = model.apply(state, input)
      state = next
      return rest === undefined
        ? { input, call, end: Infinity, output: undefined }
        : { input, call, end: call + after + rest, output }
    })
}

/** The obvious way. */
const someOrder = <State, In, Out>(
  model: Model<State, In, Out>,
  left: readonly Operation<In, Out>[],
  state: State = model.initial,
): boolean => {
  if (left.every(({ output }) => output === undefined)) return true
  return left.some((next) => {
    const others = left.filter((each) => each !== next)
    if (others.some(({ end }) => end < next.call)) return false
    const [after, output] = model.apply(state, next.input)
    const fits = next.output === undefined || JSON.stringify(next.output) === JSON.stringify(output)
    return fits && someOrder(model, others, after)
  })
}
