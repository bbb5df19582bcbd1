import type { Client } from './client.ts'
import type { Model, Operation } from './history.ts'
import type { Verdict } from './linearizable.ts'
import { checkLinearizable } from './linearizable.ts'
import type { Mark, Marked, MarkOperation, Restorable } from './marks.ts'
import { usedMarks, withRestores } from './marks.ts'

/** Something in the server that clients use at the same time, and what it did to them. */
export interface Subject {
  readonly name: string
  /** One operation, chosen by the client. */
  operate(client: Client): Promise<void>
  /** Reads all of it, until there are answers. */
  inspect(client: Client): Promise<void>
  readonly operations: number
  /** Undefined when all went as it must; else what did not. */
  fault(): string | undefined
}

/** An answer in the model's words, or what became of the request without one. */
export type Observed<Out> = { readonly output: Out } | 'nothing' | 'unknown'

/** A subject by its model: how inputs are drawn and sent is given. */
export interface ModelParts<State, In, Out> {
  readonly name: string
  readonly model: (history: readonly Operation<In, Out>[]) => Model<State, In, Out>
  readonly draw: (client: Client) => In
  /** Together they see all of it. */
  readonly reads: readonly In[]
  readonly send: (client: Client, input: In) => Promise<Observed<Out>>
  /** What is asked the moment an input was answered, all at once; nothing unless given. */
  readonly follow?: (client: Client, input: In) => readonly In[]
  /** The history without what need not have happened and was seen by nobody: that makes the search long. All of it unless given. */
  readonly told?: (history: readonly Operation<In, Out>[]) => readonly Operation<In, Out>[]
  /** What others did to it between its first and its last operation; asked when it is judged. */
  readonly beside?: (times: {
    readonly first: number
    readonly last: number
  }) => readonly Operation<In, Out>[]
}

export class ModelSubject<State, In, Out> implements Subject {
  readonly #parts: ModelParts<State, In, Out>
  readonly #history: Operation<In, Out>[] = []

  constructor(parts: ModelParts<State, In, Out>) {
    this.#parts = parts
  }

  get name(): string {
    return this.#parts.name
  }

  get operations(): number {
    return this.#history.length
  }

  async operate(client: Client): Promise<void> {
    const input = this.#parts.draw(client)
    if (!(await this.#observe(client, input))) return
    const next = this.#parts.follow?.(client, input) ?? []
    await Promise.all(next.map((each) => this.#observe(client, each)))
  }

  async inspect(client: Client): Promise<void> {
    for (const read of this.#parts.reads) {
      while (!(await this.#observe(client, read))) continue
    }
  }

  fault(): string | undefined {
    const { model, beside, told } = this.#parts
    const first = Math.min(...this.#history.map(({ call }) => call))
    // To the last answer: an operation may have waited for what began after its call, and shows it.
    const last = Math.max(...this.#history.map(({ call, end }) => (end === Infinity ? call : end)))
    const own = told?.(this.#history) ?? this.#history
    const history = [...(beside?.({ first, last }) ?? []), ...own]
    const verdict = checkLinearizable(model(history), history)
    if (verdict.kind === 'linearizable') return undefined
    return `${this.name}: ${describe(verdict)}`
  }

  /** Whether there was an answer. */
  async #observe(client: Client, input: In): Promise<boolean> {
    const call = performance.now()
    const observed = await this.#parts.send(client, input)
    if (observed === 'nothing') return false
    const known = observed !== 'unknown'
    const output = known ? observed.output : undefined
    this.#history.push({ input, output, call, end: known ? performance.now() : Infinity })
    return known
  }
}

/** The same in a server into which snapshots are restored. `model` does not depend on the history. */
export const restorable = <State, In extends object, Out>(
  { name, model, draw, reads, send }: ModelParts<State, In, Out>,
  marks: () => readonly MarkOperation[],
): Subject =>
  new ModelSubject<Restorable<State>, In | Mark, Out | Marked>({
    name,
    model: () => withRestores(model([])),
    draw,
    reads,
    // What is sent was drawn.
    send: (client, input) => send(client, input as In),
    beside: (times) => usedMarks(marks(), times),
  })

const describe = <In, Out>(verdict: Verdict<In, Out>): string => {
  if (verdict.kind !== 'violation') return verdict.kind
  const first = Math.min(...[...verdict.prefix, ...verdict.rest].map(({ call }) => call))
  const line = ({ input, output, call, end }: Operation<In, Out>): string =>
    `    ${(call - first).toFixed(1)}–${(end - first).toFixed(1)} ms ` +
    `${JSON.stringify(input)} → ${output === undefined ? 'no answer' : JSON.stringify(output)}`
  return [
    'no order of these operations explains their answers',
    `  in order (the last of ${verdict.prefix.length}):`,
    ...verdict.prefix.slice(-12).map(line),
    '  cannot follow:',
    ...verdict.rest.slice(0, 12).map(line),
  ].join('\n')
}
