import type { Inspected } from './restore.ts'

/** The data of a snapshot, made beside the present and verified; nothing has changed yet. */
export interface Prepared {
  /**
   * Puts it in the place of the present data, as a whole, durably; gives where the old data lies, if it was kept. Throws an Error when
   * nothing has changed, Unknown when that is not certain.
   */
  exchange(): Promise<string | undefined>
  /** Gives up what it holds, if it was not put in place. */
  drop(): Promise<void>
}

/** How the data of a snapshot is made and put in place by a process that serves. */
export interface RestoreSite {
  /** Makes a folder of its own for a restore, where there is room. */
  folder(): Promise<string>
  /** `folder`: for what it makes. */
  prepare(file: string, folder: string, inspected: Inspected): Promise<Prepared>
  /** No request may use the store while the data is exchanged; else the store, or somebody else, sees to that. */
  readonly mustRest: boolean
}

/** Where in its folder a restore makes the data of LMDB. */
export const MADE = 'data'
