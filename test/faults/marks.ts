import type { Model, Operation } from './history.ts'

/** What is done to everything at once: a snapshot is taken, or restored. */
export interface Mark {
  readonly do: 'snapshot' | 'restore'
  readonly of: number
}
export interface Marked {
  readonly marked: true
}
export const MARKED: Marked = { marked: true }

/** A snapshot or restore as its client saw it. */
export type MarkOperation = Operation<Mark, Marked>

/** What a thing is now, and what it was at the instant of each snapshot. */
export interface Restorable<State> {
  readonly now: State
  readonly kept: ReadonlyMap<number, State>
}

const isMark = (input: object): input is Mark => 'of' in input

/**
 * The same thing in a server into which snapshots are restored: a snapshot is of one instant between its call and its end, and so is
 * what a restore brings back, at one instant as well. All keys of a model go back together.
 */
export const withRestores = <State, In extends object, Out>(
  model: Model<State, In, Out>,
): Model<Restorable<State>, In | Mark, Out | Marked> => ({
  initial: { now: model.initial, kept: new Map() },
  apply: (state, input) => {
    if (!isMark(input)) {
      const [now, output] = model.apply(state.now, input)
      return [{ ...state, now }, output]
    }
    const { now, kept } = state
    if (input.do === 'snapshot') return [{ now, kept: new Map([...kept, [input.of, now]]) }, MARKED]
    const then = kept.get(input.of)
    if (then === undefined) throw new Error('a snapshot was restored before it was taken')
    return [{ now: then, kept }, MARKED]
  },
  reads: (input) => !isMark(input) && model.reads(input),
  key: ({ now, kept }) =>
    [model.key(now), ...[...kept].map(([of, then]) => `${of}: ${model.key(then)}`)].join(' | '),
})

/**
 * What matters to a thing that was used from `first` on, and was looked at last at `last`: no restore that was over before, none that
 * began later, and no snapshot that nobody tried to restore.
 */
export const usedMarks = (
  marks: readonly MarkOperation[],
  { first, last }: { readonly first: number; readonly last: number },
): readonly MarkOperation[] => {
  const restores = marks.filter(
    ({ input, call, end }) => input.do === 'restore' && end > first && call < last,
  )
  const restored = new Set(restores.map(({ input }) => input.of))
  return [
    ...marks.filter(({ input }) => input.do === 'snapshot' && restored.has(input.of)),
    ...restores,
  ]
}
