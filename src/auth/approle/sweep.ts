import type { Call } from '../../engine/call.ts'
import type { Scanned } from '../../engine/records.ts'
import { idText } from '../../engine/records.ts'
import type { AccessorEntry } from './approle-records.ts'
import {
  accessorRef,
  allAccessors,
  allDeadGenerations,
  deadGenerationRef,
  isLive,
  roleAccessors,
  secretIdRef,
} from './approle-records.ts'

export type SweepCall = Pick<Call, 'records' | 'namespace' | 'mount' | 'names' | 'now'>

/** Secret ids swept in one commit: two records each, and one for the role. */
const PAGE = 90

/** What a request sweeps beside its own work; the rest waits for the next one or for tidy. */
const PAGES_WITH_A_REQUEST = 20

/**
 * Removes the records of secret ids whose role is gone. They are dead already: this gives back room only, so it can stop
 * anywhere and be run twice.
 */
export const sweepDeadRoles = async (
  call: SweepCall,
  pages: number = PAGES_WITH_A_REQUEST,
): Promise<void> => {
  let left = pages
  for await (const dead of call.records.scan(allDeadGenerations(call))) {
    for (const { value } of dead) {
      left = await sweepGeneration(call, value.generation, left)
      if (left <= 0) return
    }
  }
}

/** Gives back how many pages are left; the mark goes with the last page. */
const sweepGeneration = async (
  call: SweepCall,
  generation: string,
  pages: number,
): Promise<number> => {
  let left = pages
  for await (const page of call.records.scan(roleAccessors(call, generation), { pageSize: PAGE })) {
    if (left <= 0) return left
    await call.records.transact(async (tx) => {
      for (const { value } of page) {
        tx.delete(secretIdRef(call, generation, value.hash))
        tx.delete(accessorRef(call, generation, value.accessor)!)
      }
    })
    left--
  }
  await call.records.transact(async (tx) => tx.delete(deadGenerationRef(call, generation)))
  return left
}

/** Removes all that is dead on the mount: secret ids of deleted roles and expired ones. */
export const tidySecretIds = async (call: SweepCall): Promise<void> => {
  await sweepDeadRoles(call, Infinity)
  for await (const page of call.records.scan(allAccessors(call), { pageSize: PAGE })) {
    const expired = page.filter(({ value }) => !isLive(value, call.now))
    if (expired.length > 0) await removeExpired(call, expired)
  }
}

const removeExpired = async (
  call: SweepCall,
  expired: readonly Scanned<AccessorEntry>[],
): Promise<void> => {
  const entries = expired.map(({ tail, value }) => {
    const generation = idText(tail.subarray(0, 16))
    return {
      accessor: value.accessor,
      accessorRef: accessorRef(call, generation, value.accessor)!,
      secretIdRef: secretIdRef(call, generation, value.hash),
    }
  })
  await call.records.transact(async (tx) => {
    const secretIds = await tx.getMany(entries.map((entry) => entry.secretIdRef))
    for (const [index, entry] of entries.entries()) {
      tx.delete(entry.accessorRef)
      // A custom secret id may have been registered anew since, under another accessor.
      if (secretIds[index]?.accessor === entry.accessor) tx.delete(entry.secretIdRef)
    }
  })
}
