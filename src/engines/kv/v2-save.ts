import type { Tx } from '../../engine/records.ts'
import type { PlaceCall, Secret, VersionedSecret } from './records.ts'
import { secretNames, versionRef } from './records.ts'
import { storedAsFloats } from './float-numbers.ts'
import type { Place } from './v2-find.ts'
import { timesOf, versionsToRemove } from './versioned-secret.ts'

/**
 * Puts a secret that was changed, with all that goes with it: its name when it is new, the data of a secret that version 1
 * wrote, and the removal of data of purged versions.
 */
export const saveSecret = (
  tx: Tx,
  call: PlaceCall,
  place: Place,
  before: Secret | undefined,
  after: VersionedSecret,
): void => {
  if (before === undefined) secretNames.plant(tx, place.leaf)
  if (before?.kind === 'plain' && timesOf(after, 1)?.[2] === 0) {
    tx.put(versionRef(call, after.id, 1), { data: storedAsFloats(before.data) })
  }
  const removed = versionsToRemove(after)
  for (const version of removed) tx.delete(versionRef(call, after.id, version))
  tx.put(place.ref, removed.length === 0 ? after : { ...after, removed: removed.at(-1)! })
}
