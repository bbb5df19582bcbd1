import type { Reader, Tx } from '../../engine/records.ts'
import { membershipsRef } from './group-record.ts'
import type { EntityMemberships } from './records.ts'

/** One direct membership: the group, how often the entity is listed (G1), and when it joined (ms). */
export type Membership = EntityMemberships['groups'][number]

/** The groups that list an entity, in join order; groups deleted since may still be named (`groupsOf` leaves them out). */
export const directMemberships = async (
  reader: Reader,
  namespace: number,
  entityId: string,
): Promise<readonly Membership[]> =>
  (await reader.get(membershipsRef(namespace, entityId)))?.groups ?? []

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
