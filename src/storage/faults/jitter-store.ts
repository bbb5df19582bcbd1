import type { Store } from '../store.ts'

/** The store with every call held up, before and after it happens, by as many microtasks as `next` says. */
export const withJitter = (store: Store, next: () => number): Store => {
  const late = async <T>(run: () => Promise<T>): Promise<T> => {
    for (let left = next(); left > 0; left--) await Promise.resolve()
    const result = await run()
    for (let left = next(); left > 0; left--) await Promise.resolve()
    return result
  }
  return {
    read: (keys, deadline) => late(() => store.read(keys, deadline)),
    versions: (keys, deadline) => late(() => store.versions(keys, deadline)),
    list: (range, deadline) => late(() => store.list(range, deadline)),
    commit: (commit, deadline) => late(() => store.commit(commit, deadline)),
    snapshot: (signal) => store.snapshot(signal),
    epoch: () => store.epoch(),
    close: () => store.close(),
  }
}

/** Whole numbers below `bound`, the same for the same seed. */
export const pseudoRandom = (seed: number, bound: number): (() => number) => {
  // Small seeds must not give small first numbers.
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % bound
  }
}
