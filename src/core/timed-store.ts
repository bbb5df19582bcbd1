import type { Store } from '../storage/store.ts'
import type { CarriedClock } from '../storage/clock.ts'

/** The store, telling `time` of each clock reading it gives. */
export const withTime = (store: Store, time: CarriedClock): Store => {
  const learn = <T extends { readonly now: number }>(answer: T): T => {
    time.learn(answer.now)
    return answer
  }
  return {
    read: async (keys, deadline) => learn(await store.read(keys, deadline)),
    versions: async (keys, deadline) => learn(await store.versions(keys, deadline)),
    list: async (range, deadline) => learn(await store.list(range, deadline)),
    commit: async (commit, deadline) => {
      const outcome = await store.commit(commit, deadline)
      if (outcome.kind === 'committed') time.learn(outcome.now)
      return outcome
    },
    snapshot: (signal) => store.snapshot(signal),
    epoch: () => store.epoch(),
    close: () => store.close(),
  }
}
