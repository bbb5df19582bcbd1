/** Backups as `sys/` gives them out. */
export interface SnapshotPort {
  /**
   * All that the server stores as of now, sealed as on disk, as one file. `summary` once it is whole: entries, bytes, checksum.
   * What the body throws means that there is none: it was not whole, or could not be taken.
   */
  take(): Promise<{
    readonly body: AsyncIterable<Uint8Array>
    readonly summary: () => Readonly<Record<string, string | number>>
  }>
}
