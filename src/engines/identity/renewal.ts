import type { GroupRefresh } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { findSubject } from './subject.ts'
import { refreshExternalGroups } from './group-refresh.ts'

/**
 * At the renewal of a token: applies the claimed groups again (identity.md 7.3). A token without a login mount changes
 * nothing, so the renewal of a child token does not empty its entity's groups; an entity that is gone has none.
 */
export const refreshGroups = async (
  tx: Tx,
  { namespace, names, entityId, mount, groupAliases, now }: GroupRefresh,
): Promise<{ readonly matched: readonly string[] }> => {
  if (mount === undefined) return { matched: [] }
  const entity = await findSubject(tx, namespace.number, entityId)
  if (entity === undefined) return { matched: groupAliases }
  const { matched } = await refreshExternalGroups(tx, {
    namespace: namespace.number,
    names,
    entityId: entity.id,
    accessor: mount.accessor,
    claimed: groupAliases,
    now,
  })
  return { matched }
}
