import { ApiError, TransportError } from '../client/api-error.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { Flag, FlagValues } from './flags.ts'
import { remoteFailure } from './failure.ts'
import type { Format } from './globals.ts'
import type { CommandIo } from './io.ts'
import { trimSlashes } from '../std/trim-slashes.ts'

/** One call of a command: its words, parsed, and what it may touch. */
export type Call = {
  readonly flags: FlagValues
  readonly args: readonly string[]
  readonly format: Format
  readonly io: CommandIo
  /** The client that flags, environment and token helper describe; made once. */
  readonly client: () => Promise<ApiClient>
}

/** A command of the command line. Its name and one-line synopsis stand in the table (`command-table.ts`). */
export type Command = {
  /** After the command's name: `[flags] PATH [K=V...]`. */
  readonly usage: string
  /** What `-h` says before the flags: whole sentences. */
  readonly help: string
  readonly flags: readonly Flag[]
  /** How many arguments it takes; without `max` any number from `min` on. */
  readonly args: { readonly min: number; readonly max?: number }
  /** Whether `-format=raw` means something. */
  readonly raw?: boolean
  /** Whether its flags may also follow its arguments: true for commands that Vault does not have. */
  readonly flagsAnywhere?: boolean
  readonly run: (call: Call) => Promise<number>
}

/** Runs a request; a refusal or a lost connection ends the command with `what: …` and exit code 2. */
export const asking = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ApiError || error instanceof TransportError) {
      throw remoteFailure(`${what}: ${error.message}`, error)
    }
    throw error
  }
}

/** A path as the reference's client takes it: without slashes and spaces around it. */
export const trimPath = (path: string): string => trimSlashes(path.trim())

/** A mount path as answers have it: with one slash at its end. */
export const mountPath = (path: string): string => `${trimPath(path)}/`

/** Writes a line to standard output. */
export const say = (io: CommandIo, text: string): void => io.stdout.write(`${text}\n`)

/** Writes a line to standard error. */
export const warn = (io: CommandIo, text: string): void => io.stderr.write(`${text}\n`)

/** All words of a repeatable flag, whose values may hold several separated by commas. */
export const commaWords = (call: Call, flag: string): string[] =>
  call.flags
    .list(flag)
    .flatMap((each) => each.split(','))
    .filter((each) => each !== '')
