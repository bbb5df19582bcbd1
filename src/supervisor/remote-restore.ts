import { basename } from 'node:path'
import type { RestoreSite } from '../process/prepared.ts'
import type { SharedFolder } from '../process/storage.ts'
import { folderIn } from '../process/storage.ts'
import { Unknown } from '../storage/store.ts'
import type { KeyChannel } from './key-channel.ts'

/** What the supervisor answers to `restore`. */
export type Exchanged =
  | { readonly kind: 'exchanged'; readonly keptAs: string }
  /** Nothing has changed. */
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * How a worker restores beside others: it makes the data, and the supervisor puts it in place, while none of them has the old data
 * open.
 */
export const siteBeside = (
  { path }: Pick<SharedFolder, 'path'>,
  channel: () => KeyChannel,
): RestoreSite => ({
  mustRest: false,
  folder: () => folderIn(path),
  prepare: async (file, folder, inspected) => {
    const { makeLmdbData } = await import('../process/lmdb-data.ts')
    await makeLmdbData(file, folder, inspected)
    return {
      exchange: async () => {
        const answer = await channel().ask('restore', Buffer.from(basename(folder)))
        // It may have been at it when it ended.
        if (answer === undefined || answer.length === 0) {
          throw new Unknown('the supervisor did not say whether the data was put in place')
        }
        const exchanged = JSON.parse(answer.toString()) as Exchanged
        if (exchanged.kind === 'failed') throw new Error(exchanged.reason)
        return exchanged.keptAs
      },
      drop: async () => {},
    }
  },
})
