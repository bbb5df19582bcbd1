import type { RootDatabase } from 'lmdb'

/** What lmdb-js keeps of an operation: who is told of its end, and the operation after it. */
interface Operation {
  readonly flag: number
  meta: unknown
  next: Operation | null
}

/** Set once lmdb-js has seen that an operation was carried out, and moved on from it. */
const DONE = 0x1000000

/**
 * Takes apart the list in which lmdb-js strings together all operations there ever were, behind what it is done with. Left whole, an
 * old part of it that nobody holds any more still holds all that came later, with all that waited for it, until the next collection
 * of old objects: a third of what a login makes would live that long (measured).
 */
export const letGoOfWritten = (root: RootDatabase<Uint8Array, Uint8Array>): void => {
  let first: Operation | undefined
  const committed = ({ next }: { readonly next: Operation }): void => {
    let at = first
    while (at !== undefined && at !== next && (at.flag & DONE) !== 0) {
      const following: Operation | null = at.next
      at.meta = null
      at.next = null
      at = following ?? undefined
    }
    // Told before those of this commit hear of it: they are taken apart the next time.
    first = next
  }
  root.on('aftercommit', committed as never)
}
