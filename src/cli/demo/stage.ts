import type { ApiClient } from '../../client/api-client.ts'
import { ApiError } from '../../client/api-error.ts'
import type { LiteralObject } from '../../client/literal-json.ts'
import type { Secret } from '../../client/secret.ts'
import { say } from '../command.ts'
import type { CommandIo } from '../io.ts'

/** A step's promise that did not hold. */
export class BrokenPromise extends Error {}

const GREY = '\u001B[90m'
const GREEN = '\u001B[32m'
const PLAIN = '\u001B[0m'
const TITLE_WIDTH = 28

/** Where the demo plays: what it prints, and what it does to the server while it prints it. */
export class Stage {
  readonly root: ApiClient
  readonly #io: CommandIo
  readonly #colour: boolean
  readonly #stepwise: boolean
  #number = 0

  constructor(io: CommandIo, root: ApiClient, stepwise: boolean) {
    this.#io = io
    this.root = root
    this.#stepwise = stepwise
    this.#colour = io.stdout.isTTY && (io.env['NO_COLOR'] ?? '') === ''
  }

  /** Begins a step. */
  async step(title: string, text: string): Promise<void> {
    this.#number += 1
    if (this.#stepwise && this.#number > 1) await this.#io.promptHidden('Enter goes on … ')
    say(this.#io, `${`${this.#number} ${title}`.padEnd(TITLE_WIDTH)} ${text}`)
  }

  /** A further line of a step. */
  line(text: string): void {
    say(this.#io, `   ${text}`)
  }

  /** A line of a step whose promise holds. */
  kept(text: string): void {
    this.line(`${text} ${this.#colour ? `${GREEN}✓${PLAIN}` : '✓'}`)
  }

  /** What was just done, for a shell. */
  command(text: string): void {
    say(this.#io, this.#colour ? `     ${GREY}${text}${PLAIN}` : `     ${text}`)
  }

  /** Ends the demo with exit code 1 unless the promise holds. */
  expect(holds: boolean, promise: string): void {
    if (!holds) throw new BrokenPromise(`step ${this.#number}: ${promise}`)
  }

  /** Writes as root, and shows how vault does it. */
  async write(path: string, body: LiteralObject, shown: string): Promise<Secret | undefined> {
    const secret = await this.root.write(path, body)
    this.command(shown)
    return secret
  }
}

/** The status that a read answers: 200, 403 or 404 and so on. */
export const statusOf = async (client: ApiClient, path: string): Promise<number> => {
  try {
    return (await client.bytes({ method: 'GET', path })).status
  } catch (error) {
    if (error instanceof ApiError) return error.status
    throw error
  }
}
