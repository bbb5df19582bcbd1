/**
 * Where audit entries go. A new type is a file in devices/ and a line in devices/index.ts. Methods reject with an
 * Error that says why in words for an operator.
 */
export interface AuditDevice {
  /** Gets ready, or says why it cannot; a device that could not tries again at each write. */
  open(): Promise<void>
  /** Takes one line, newline included. Resolves once it is in the device's hands; after a rejection it may be torn. */
  write(line: string): Promise<void>
  /** Begins anew at the same place (SIGHUP, after a rotation of the log). */
  reopen(): Promise<void>
  /** Writes what waits and lets go. */
  close(): Promise<void>
}

/** What devices need of the machine. */
export interface DeviceHost {
  readonly openAppend: OpenAppend
  readonly stdout: NodeJS.WritableStream
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A file opened for appending. */
export interface AppendFile {
  /** Whether what is there already ends in the middle of a line. */
  readonly torn: boolean
  /** Appends the bytes from `offset` on; resolves to how many went, at least one. */
  write(bytes: Uint8Array, offset: number): Promise<number>
  close(): Promise<void>
}

/** Opens, or makes with its folders. `mode` is enforced on a file that exists, unless it is 0. */
export type OpenAppend = (path: string, mode: number) => Promise<AppendFile>
