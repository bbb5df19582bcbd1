import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'

/** `sys/storage/snapshot`: a backup while serving. Restoring is done to a server that does not run (docs/backup.md). */
export const snapshotRoute = ({ snapshots }: SystemOptions) =>
  route({
    path: 'storage/snapshot',
    summary: 'Everything the server stores, sealed as on disk, as one file; needs sudo',
    fields: {},
    sudo: true,
    neverWrapped: true,
    verbs: {
      read: async () => {
        const { body, summary } = await snapshots.take()
        return {
          kind: 'stream',
          contentType: 'application/octet-stream',
          headers: { 'Content-Disposition': 'attachment; filename="signet.snapshot"' },
          body,
          summary,
        }
      },
    },
  })
