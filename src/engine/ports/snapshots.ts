/** What a restore has put in the place of the data. */
export interface RestoredSnapshot {
  /** RFC 3339: the instant of which the data is. */
  readonly created: string
  /** The version of Signet that took it, and where it kept its data. */
  readonly version: string
  readonly storageType: string
  readonly clusterName: string
  readonly clusterId: string
  readonly sealNonce: string
  readonly entries: number
  readonly bytes: number
  /** `sha256:` and hexadecimal digits. */
  readonly checksum: string
  /** The file in which the old data lies, on this machine; undefined: it is gone. */
  readonly keptAs: string | undefined
  /** Why this server cannot serve from it yet; it goes on trying. */
  readonly problem: string | undefined
  /** The keys there are do not open it: the server has sealed itself. */
  readonly sealed: boolean
}

/** Backups as `sys/` gives them out and takes them. */
export interface SnapshotPort {
  /**
   * All that the server stores as of now, sealed as on disk, as one file. `summary` once it is whole: entries, bytes, checksum.
   * What the body throws means that there is none: it was not whole, or could not be taken.
   */
  take(): Promise<{
    readonly body: AsyncIterable<Uint8Array>
    readonly summary: () => Readonly<Record<string, string | number>>
  }>
  /**
   * Puts the data of a snapshot in the place of all there is, once the whole file has come and is what it should be; resolves when
   * this server answers from it. Throws a Refusal that says what is wrong, and has changed nothing then. `force`: also under another seal.
   */
  restore(file: AsyncIterable<Uint8Array>, force: boolean): Promise<RestoredSnapshot>
}
