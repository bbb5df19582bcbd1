import type { Store } from '../store.ts'

/** The store with some of its calls replaced, for tests of what is above it. */
export const storeWith = (store: Store, own: Partial<Store>): Store => ({
  read: (keys, deadline) => store.read(keys, deadline),
  versions: (keys, deadline) => store.versions(keys, deadline),
  list: (range, deadline) => store.list(range, deadline),
  commit: (commit, deadline) => store.commit(commit, deadline),
  snapshot: (signal) => store.snapshot(signal),
  epoch: () => store.epoch(),
  close: () => store.close(),
  ...own,
})
