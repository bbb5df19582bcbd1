/** A command ends with this text on stderr and this exit code (spec/cli.md 3). */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

/** A local problem: bad flags or arguments, a missing field, a file that cannot be read. Exit 1. */
export function localFailure(message: string): CommandFailure {
  return new CommandFailure(1, message)
}

/** The server refused, could not be reached, or has nothing there. Exit 2. */
export function remoteFailure(message: string, cause?: unknown): CommandFailure {
  return new CommandFailure(2, message, cause)
}
