import type { RecordRange, Ref, Tx } from '../../engine/records.ts'
import { idBytes, idText } from '../../engine/records.ts'
import { membershipsDue } from './records.ts'

/** What is in the group. */
export type MemberKind = 'entity' | 'group'

const KINDS: readonly MemberKind[] = ['entity', 'group']

const TIME_BYTES = 6
const ID_BYTES = 16

const timePart = (time: number): Uint8Array => {
  const bytes = Buffer.alloc(TIME_BYTES)
  bytes.writeUIntBE(Math.max(0, Math.min(Math.floor(time), 2 ** 48 - 1)), 0, TIME_BYTES)
  return bytes
}

/** The membership that an entry of the index is about. */
export interface DueMembership {
  readonly time: number
  readonly kind: MemberKind
  readonly groupId: string
  readonly memberId: string
}

/** Where the entry is that tells when to look at a membership. */
export const dueRef = (
  namespace: number,
  { time, kind, groupId, memberId }: DueMembership,
): Ref<{ readonly due: true }> =>
  membershipsDue.at(
    namespace,
    timePart(time),
    Uint8Array.of(KINDS.indexOf(kind)),
    idBytes(groupId)!,
    idBytes(memberId)!,
  )

/** Reads the tail of an entry's key. */
export const dueOf = (tail: Uint8Array): DueMembership => ({
  time: Buffer.from(tail).readUIntBE(0, TIME_BYTES),
  kind: KINDS[tail[TIME_BYTES]!]!,
  groupId: idText(tail.subarray(TIME_BYTES + 1, TIME_BYTES + 1 + ID_BYTES)),
  memberId: idText(tail.subarray(TIME_BYTES + 1 + ID_BYTES)),
})

/** Puts the entry for a membership that ends; nothing for one that does not. */
export const putDue = (
  tx: Tx,
  namespace: number,
  membership: Omit<DueMembership, 'time'>,
  until: number | undefined,
): void => {
  if (until === undefined) return
  tx.put(dueRef(namespace, { ...membership, time: until }), { due: true })
}

/** The entries of memberships that have ended at `now`. */
export const dueAt = (namespace: number, now: number): RecordRange<{ readonly due: true }> => ({
  ...membershipsDue.under(namespace),
  to: membershipsDue.under(namespace, timePart(now + 1)).from,
})
