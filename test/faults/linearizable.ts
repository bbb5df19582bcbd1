import type { Model, Operation } from './history.ts'

/** `undecided`: the search grew too large; no proof either way. */
export type Verdict<In, Out> =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'undecided' }
  | {
      readonly kind: 'violation'
      /** As many operations as could be put in order, in that order. */
      readonly prefix: readonly Operation<In, Out>[]
      /** Those that cannot follow. */
      readonly rest: readonly Operation<In, Out>[]
    }

/** Search steps for one history; those of a run take a few hundred. */
const MOST_STEPS = 1_000_000

/**
 * Whether there is an order of the operations in which each comes between its call and its end and answers what the model
 * says; those without an answer may be left out. Wing's and Gong's search, with states met before remembered.
 */
export const checkLinearizable = <State, In, Out>(
  model: Model<State, In, Out>,
  history: readonly Operation<In, Out>[],
  mostSteps = MOST_STEPS,
): Verdict<In, Out> => {
  const search = new Search(model, history, mostSteps)
  return search.run()
}

interface Frame<State> {
  readonly state: State
  /** Candidates not tried yet. */
  readonly left: number[]
  /** Operations that were taken to come here. */
  readonly taken: readonly number[]
}

class Search<State, In, Out> {
  readonly #model: Model<State, In, Out>
  readonly #operations: readonly Operation<In, Out>[]
  readonly #answers: readonly (string | undefined)[]
  readonly #done: boolean[]
  readonly #met = new Set<string>()
  readonly #order: number[] = []
  readonly #mostSteps: number
  #deepest: readonly number[] = []
  #steps = 0

  constructor(
    model: Model<State, In, Out>,
    history: readonly Operation<In, Out>[],
    mostSteps: number,
  ) {
    this.#model = model
    this.#operations = history.toSorted((a, b) => a.call - b.call)
    this.#answers = this.#operations.map(({ output }) =>
      output === undefined ? undefined : JSON.stringify(output),
    )
    this.#done = this.#operations.map(() => false)
    this.#mostSteps = mostSteps
  }

  run(): Verdict<In, Out> {
    const stack: Frame<State>[] = [this.#enter(this.#model.initial, [])]
    while (!this.#complete()) {
      const frame = stack.at(-1)
      if (frame === undefined) return this.#violation()
      const next = frame.left.pop()
      if (next === undefined) {
        stack.pop()
        for (const index of frame.taken) this.#undo(index)
        continue
      }
      if (++this.#steps > this.#mostSteps) return { kind: 'undecided' }
      const state = this.#after(frame.state, next)
      if (state === undefined) continue
      this.#take(next)
      const entered = this.#enter(state, [next])
      const met = `${this.#model.key(entered.state)} ${this.#doneText()}`
      if (this.#met.has(met)) {
        for (const index of entered.taken) this.#undo(index)
        continue
      }
      this.#met.add(met)
      if (this.#order.length > this.#deepest.length) this.#deepest = [...this.#order]
      stack.push(entered)
    }
    return { kind: 'linearizable' }
  }

  /**
   * What can come next in a state. Reads that answered as they must are taken at once: whatever order there is, there is one
   * with them here. (Not so for a change that happens to change nothing: it may be needed later.)
   */
  #enter(state: State, before: readonly number[]): Frame<State> {
    const taken = [...before]
    for (;;) {
      const left = this.#candidates()
      const read = left.find(
        (index) =>
          this.#answered(index) &&
          this.#model.reads(this.#operations[index]!.input) &&
          this.#after(state, index) !== undefined,
      )
      if (read === undefined) return { state, left, taken }
      this.#take(read)
      taken.push(read)
    }
  }

  /** Those that no other operation left must precede. */
  #candidates(): number[] {
    let bound = Infinity
    for (const [index, { end }] of this.#operations.entries()) {
      if (!this.#done[index] && end < bound) bound = end
    }
    const found: number[] = []
    for (const [index, { call }] of this.#operations.entries()) {
      if (call > bound) break
      if (!this.#done[index]) found.push(index)
    }
    // The last is tried first: what has an answer before what has none, so that lost requests stay out while they can.
    return found.toSorted((a, b) => Number(this.#answered(a)) - Number(this.#answered(b)) || b - a)
  }

  #answered(index: number): boolean {
    return this.#answers[index] !== undefined
  }

  /** The state after an operation; undefined when it would have answered something else. */
  #after(state: State, index: number): State | undefined {
    const [after, output] = this.#model.apply(state, this.#operations[index]!.input)
    const answer = this.#answers[index]
    return answer === undefined || answer === JSON.stringify(output) ? after : undefined
  }

  #take(index: number): void {
    this.#done[index] = true
    this.#order.push(index)
  }

  #undo(index: number): void {
    this.#done[index] = false
    this.#order.splice(this.#order.lastIndexOf(index), 1)
  }

  #complete(): boolean {
    return this.#done.every((done, index) => done || !this.#answered(index))
  }

  #doneText(): string {
    return this.#done.map(Number).join('')
  }

  #violation(): Verdict<In, Out> {
    const placed = new Set(this.#deepest)
    return {
      kind: 'violation',
      prefix: this.#deepest.map((index) => this.#operations[index]!),
      rest: this.#operations.filter((_, index) => !placed.has(index)),
    }
  }
}
