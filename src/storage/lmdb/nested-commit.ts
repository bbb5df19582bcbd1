import type { Database } from 'lmdb'
import type { Commit } from '../store.ts'

/**
 * Puts a commit into LMDB's next write transaction: its checks nest, the writes stand inside the innermost, and the
 * native thread evaluates them all, so no JavaScript runs in the cross-process write lock (architecture.md C1).
 * True when it was committed and flushed, false when a check failed and nothing was written.
 *
 * Only if EVERY promise is true did all checks hold: the outer one is true as soon as its own check held.
 * And nothing may follow an inner block inside its outer one: lmdb-js would take a failed condition for a passed one there.
 */
export const commitNested = async (
  database: Database<Uint8Array, Uint8Array>,
  commit: Commit,
  alsoWrite: () => void,
): Promise<boolean> => {
  const { checks, writes, id } = commit
  const held: Promise<boolean>[] = []
  const nest = (depth: number): void => {
    const check = checks[depth]
    if (check === undefined) {
      for (const { key, value } of writes) {
        // These promises say less than those of the checks: a removal of an absent key counts as failed.
        void (value === undefined ? database.remove(key) : database.put(key, value, id))
      }
      alsoWrite()
      return
    }
    const within = () => nest(depth + 1)
    held.push(
      check.version === 0
        ? database.ifNoExists(check.key, within)
        : database.ifVersion(check.key, check.version, within),
    )
  }
  if (checks.length === 0) held.push(database.batch(() => nest(0)))
  else nest(0)
  return (await Promise.all(held)).every(Boolean)
}
