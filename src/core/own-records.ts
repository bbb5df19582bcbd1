import type { Records } from '../engine/records.ts'
import { limits } from '../limits.ts'
import type { Check, RecordsOptions } from './records.ts'
import { StaleAuthority, createRecords } from './records.ts'

/** What the server's own commits need. */
export interface OwnRecordsOptions extends Omit<RecordsOptions, 'authority'> {
  /** The keyring's stamp as this process knows it: part of every commit (architecture.md F6). */
  readonly keyringCheck: () => Check
  /** Takes in a keyring that another process rotated. */
  readonly keyringMoved: () => Promise<void>
}

/**
 * Records for what the server commits by itself: background work, a use spent, an answer wrapped. They rest on no caller, so there is
 * nothing to decide anew when another process rotated the keyring: the commit is made again under the new one.
 */
export const ownRecords = ({
  keyringCheck,
  keyringMoved,
  ...options
}: OwnRecordsOptions): Records => {
  const records = createRecords({
    ...options,
    shared: true,
    authority: () => [keyringCheck()],
  })
  return {
    ...records,
    transact: async (run) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await records.transact(run)
        } catch (error) {
          if (!(error instanceof StaleAuthority) || attempt >= limits.decisionAttempts) throw error
          await keyringMoved()
        }
      }
    },
  }
}
