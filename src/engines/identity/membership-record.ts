import type { Reader, Tx } from '../../engine/records.ts'
import { membershipsRef } from './group-record.ts'
import { isLive } from './membership-end.ts'
import type { EntityMemberships } from './records.ts'

/** One direct membership: the group, how often the entity is listed (G1), when it joined and when it ends (ms). */
export type Membership = EntityMemberships['groups'][number]

/**
 * The groups that list an entity, in join order. Groups deleted since may still be named (`groupsOf` leaves them out), and
 * memberships that have ended.
 */
export const directMemberships = async (
  reader: Reader,
  namespace: number,
  entityId: string,
): Promise<readonly Membership[]> =>
  (await reader.get(membershipsRef(namespace, entityId)))?.groups ?? []

/** Those of them that count at `now` (ms). */
export const liveMemberships = async (
  reader: Reader,
  namespace: number,
  entityId: string,
  now: number,
): Promise<readonly Membership[]> =>
  (await directMemberships(reader, namespace, entityId)).filter((one) => isLive(one, now))

/** Puts the memberships of an entity; none is no record. */
export const putMemberships = (
  tx: Tx,
  namespace: number,
  entityId: string,
  groups: readonly Membership[],
): void => {
  const ref = membershipsRef(namespace, entityId)
  if (groups.length === 0) tx.delete(ref)
  else tx.put(ref, { groups })
}
