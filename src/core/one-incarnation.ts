import type { Answer, Key, Store, Version } from '../storage/store.ts'
import { DataReplaced } from './data-replaced.ts'

/**
 * The store as long as it holds the data of one incarnation: each answer is of that data, or is DataReplaced, so that no request is
 * answered partly from the data of before a restore and partly from that of after it. The stamp is asked for with what is asked for
 * anyway, in the same snapshot. Commits have checks that every restore moves.
 *
 * A store that can tell that nothing changed (`epoch`) is replaced beneath its users while none of them is at work, and left as it is.
 */
export const ofOneIncarnation = (store: Store, stamp: Key, incarnation: Version): Store => {
  if (store.epoch() === undefined) return guarded(store, stamp, incarnation)
  return store
}

const guarded = (store: Store, stamp: Key, incarnation: Version): Store => {
  const ensure = (version: Version | undefined): void => {
    if (version !== incarnation) throw new DataReplaced()
  }
  const without = <T>({ now, items }: Answer<T>): Answer<T> => ({ now, items: items.slice(0, -1) })
  return {
    read: async (keys, deadline) => {
      const answer = await store.read([...keys, stamp], deadline)
      ensure(answer.items.at(-1)!.version)
      return without(answer)
    },
    versions: async (keys, deadline) => {
      const answer = await store.versions([...keys, stamp], deadline)
      ensure(answer.items.at(-1))
      return without(answer)
    },
    list: async (range, deadline) => {
      const page = await store.list({ ...range, witness: stamp }, deadline)
      ensure(page.witness)
      return page
    },
    commit: (commit, deadline) => store.commit(commit, deadline),
    snapshot: (signal) => store.snapshot(signal),
    epoch: () => store.epoch(),
    close: () => store.close(),
  }
}
