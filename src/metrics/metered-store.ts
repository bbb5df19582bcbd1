import type { Commit, Store } from '../storage/store.ts'
import { Unavailable, Unknown } from '../storage/store.ts'
import type { ProcessMeters } from './process-meters.ts'

/** What a commit means beyond its writes, as the core's key layout tells. */
export interface CommitMeaning {
  /** Whether a write of this key makes a token. */
  readonly createsToken: (key: Uint8Array) => boolean
  /** Whether a write of this key ends one. */
  readonly revokesToken: (key: Uint8Array) => boolean
}

/** The store, counted and timed. */
export const meteredStore = (
  store: Store,
  meters: ProcessMeters,
  { createsToken, revokesToken }: CommitMeaning,
): Store => {
  const count = ({ writes }: Commit): void => {
    for (const { key, value } of writes) {
      if (value === undefined) continue
      if (createsToken(key)) meters.tokensCreated.add()
      else if (revokesToken(key)) meters.tokensRevoked.add()
    }
  }
  return {
    read: (keys, deadline) => {
      meters.reads.add('read')
      return store.read(keys, deadline)
    },
    versions: (keys, deadline) => {
      meters.reads.add('versions')
      return store.versions(keys, deadline)
    },
    list: (range, deadline) => {
      meters.reads.add('list')
      return store.list(range, deadline)
    },
    commit: async (commit, deadline) => {
      // Nothing is written: a validation, which is a read.
      if (commit.writes.length === 0) {
        meters.reads.add('validate')
        return store.commit(commit, deadline)
      }
      const began = performance.now()
      const took = (outcome: string): void =>
        meters.commits.observe((performance.now() - began) / 1_000, outcome)
      try {
        const outcome = await store.commit(commit, deadline)
        took(outcome.kind)
        if (outcome.kind === 'committed') count(commit)
        return outcome
      } catch (error) {
        if (error instanceof Unavailable) took('unavailable')
        else if (error instanceof Unknown) took('unknown')
        throw error
      }
    },
    snapshot: (signal) => store.snapshot(signal),
    epoch: () => store.epoch(),
    close: () => store.close(),
  }
}
