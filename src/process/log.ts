/** Takes a line of the log; an error is described after it, with its stack. Never gets what a client sent. */
export type Log = (message: string, error?: unknown) => void

/** A log over something that takes lines. */
export const logTo =
  (write: (line: string) => void): Log =>
  (message, error) =>
    write(error === undefined ? message : `${message}: ${describe(error)}`)

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
