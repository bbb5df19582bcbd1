import { LocalShares } from '../seal/share-keeper.ts'
import type { Serving } from './serving.ts'
import { makeServing } from './serving.ts'

/** What a process has that gathers its unseal keys itself: `makeServing` with everything but the keeper of shares. */
export type LocalParts = Omit<Parameters<typeof makeServing>[0], 'keeper'> & {
  /** How long the keeper waits for the store, in ms. */
  readonly waitMs: number
}

/** A process without a supervisor: it gathers the shares, opens the seal and forgets the key by itself. */
export const makeLocalServing = ({ waitMs, ...parts }: LocalParts): Serving => {
  const keeper = new LocalShares({
    store: parts.store,
    waitMs,
    isUnsealed: () => serving.lifecycle.core !== undefined,
    onKey: (combined) => serving.lifecycle.unseal(combined),
    onSeal: () => serving.lifecycle.close(),
  })
  const serving: Serving = makeServing({ ...parts, keeper })
  return serving
}
