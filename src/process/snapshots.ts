import type { SealStatus, ServerFacts } from '../engine/ports/seal.ts'
import type { SnapshotPort } from '../engine/ports/snapshots.ts'
import { limits } from '../limits.ts'
import { isSealConfig, readSealConfig, sealNonceOf } from '../seal/seal.ts'
import { FORMAT } from '../storage/snapshot/format.ts'
import { isOfThePlace, writeSnapshot } from '../storage/snapshot/write-snapshot.ts'
import type { Entry, Store } from '../storage/store.ts'
import { deadlineIn } from '../storage/store.ts'

/** Backups of the store beneath the barrier. */
export const makeSnapshots = (parts: {
  readonly store: Store
  readonly facts: ServerFacts
  readonly status: () => Promise<SealStatus>
  readonly restore: SnapshotPort['restore']
}): SnapshotPort => ({
  restore: parts.restore,
  take: async () => {
    const { store, facts } = parts
    const seal = await readSealConfig(store, deadlineIn(limits.storeWaitMs))
    const { clusterName, clusterId } = await parts.status()
    if (seal === undefined)
      throw new Error('a server that is not initialised has nothing to back up')
    const { pieces, summary } = writeSnapshot(
      {
        format: FORMAT,
        created: new Date().toISOString(),
        version: facts.version,
        storage: facts.storageType,
        cluster: { name: clusterName ?? '', id: clusterId ?? '' },
        seal: { type: seal.type, threshold: seal.t, shares: seal.n, nonce: seal.nonce },
      },
      ofOneSeal(store.snapshot(new AbortController().signal), seal.nonce),
      ({ key }) => !isOfThePlace(key),
    )
    return { body: pieces, summary }
  },
})

/** The entries, unless the seal is another than the header says: new unseal keys were made in that moment. */
const ofOneSeal = async function* (
  entries: AsyncIterable<Entry>,
  nonce: string,
): AsyncIterable<Entry> {
  for await (const entry of entries) {
    if (isSealConfig(entry.key) && sealNonceOf(entry.value) !== nonce) {
      throw new Error('the unseal keys changed while the snapshot was taken; take it again')
    }
    yield entry
  }
}
