import type { Call } from '../../engine/call.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'

const restoring =
  ({ snapshots }: SystemOptions, force: boolean) =>
  async (call: Call): Promise<Result> => {
    const done = await snapshots.restore(call.bodyStream!, force)
    if (done.problem !== undefined) {
      call.warn(`the data is in place, but the server cannot serve from it yet: ${done.problem}`)
    }
    const restored = {
      created: done.created,
      version: done.version,
      storage_type: done.storageType,
      cluster_name: done.clusterName,
      cluster_id: done.clusterId,
      seal_nonce: done.sealNonce,
      entries: done.entries,
      bytes: done.bytes,
      checksum: done.checksum,
      kept_as: done.keptAs ?? '',
      sealed: done.sealed,
    }
    return data(restored)
  }

const common = { fields: {}, sudo: true, neverWrapped: true, streamedBody: true } as const

/** `sys/storage/snapshot`: a backup while serving, and putting one in the place of the data while serving. */
export const snapshotRoutes = (options: SystemOptions) => [
  route({
    ...common,
    path: 'storage/snapshot',
    summary: 'Everything the server stores, sealed as on disk, as one file; needs sudo',
    verbs: {
      read: async () => {
        const { body, summary } = await options.snapshots.take()
        return {
          kind: 'stream',
          contentType: 'application/octet-stream',
          headers: { 'Content-Disposition': 'attachment; filename="signet.snapshot"' },
          body,
          summary,
        }
      },
      update: restoring(options, false),
    },
  }),
  route({
    ...common,
    path: 'storage/snapshot-force',
    summary: 'Restores a snapshot, also one that other unseal keys open; needs sudo',
    verbs: { update: restoring(options, true) },
  }),
]
