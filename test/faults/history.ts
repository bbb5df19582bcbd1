/** One request as its client saw it. Times are of one monotonic clock, ms. */
export interface Operation<In, Out> {
  readonly input: In
  /** What was answered; undefined when no answer came: then it may have happened, at any time from `call` on, or never. */
  readonly output: Out | undefined
  /** Before it was sent. */
  readonly call: number
  /** After the answer came; Infinity without one. */
  readonly end: number
}

/** What a thing is to do: each operation happens at one instant between call and answer. */
export interface Model<State, In, Out> {
  readonly initial: State
  /** The state after an operation, and what it must have answered. Does not change the state given. */
  apply(state: State, input: In): readonly [State, Out]
  /** Whether an operation changes nothing in any state. */
  reads(input: In): boolean
  /** The same text for the same state, another for another. */
  key(state: State): string
}
