import { Refusal } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import type { GroupRecord } from './records.ts'

/** All members of a group are being written, in more commits than one: whoever changes its members comes after that. */
export class GroupBusy extends Refusal {
  readonly groupId: string

  constructor(groupId: string, text: string) {
    super('unavailable', text, { headers: { 'Retry-After': '1' } })
    this.groupId = groupId
  }
}

/** To be asked of each group before a change of its members, but by the request that writes them all. Throws GroupBusy. */
export const refuseBusy = (group: GroupRecord, requestId?: string): void => {
  if (group.pending === undefined || group.pending.by === requestId) return
  throw new GroupBusy(
    group.id,
    `the members of the group ${JSON.stringify(group.name)} are being written as a whole; nothing was changed, try again`,
  )
}

/** Large writes of this process, by group. */
const running = new Map<string, Promise<void>>()

/** How often those of other processes are looked at. */
const LOOK_MS = 20

/**
 * Runs a change of members, after a large write that is in its way: one of this process tells when it is over, one of another
 * is looked at now and then. Rare and bounded: it waits at most as long as for the store, then the GroupBusy is thrown.
 */
export const whenFree = async <T>(run: () => Promise<T>): Promise<T> => {
  const deadline = performance.now() + limits.storeWaitMs
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof GroupBusy) || performance.now() >= deadline) throw error
      const here = running.get(error.groupId)
      const other = new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS))
      await (here ?? other)
    }
  }
}

/** Lets others of this process know when a large write is over. */
export const asRunning = async <T>(groupId: string, run: () => Promise<T>): Promise<T> => {
  let over!: () => void
  const turn = new Promise<void>((resolve) => (over = resolve))
  running.set(groupId, turn)
  try {
    return await run()
  } finally {
    if (running.get(groupId) === turn) running.delete(groupId)
    over()
  }
}
