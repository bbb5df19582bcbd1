/** A stream that results or messages are written to. */
export type Output = {
  readonly isTTY: boolean
  write(text: string): void
}

/** What a command may touch of the world around it; tests give their own. */
export type CommandIo = {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's home directory: the token helper's file lies there. */
  readonly home: string
  /** The checkout that the launcher belongs to: `.signet/dev/env` is looked for there. */
  readonly checkout: string
  /** All of standard input, to its end. */
  readonly readStdin: () => Promise<string>
  /** Asks for a line without showing it; undefined when standard input is no terminal. */
  readonly promptHidden: (question: string) => Promise<string | undefined>
}
