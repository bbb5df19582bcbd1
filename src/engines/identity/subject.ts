import type { Namespace } from '../../engine/call.ts'
import type { Subject, SubjectAlias } from '../../engine/identity-port.ts'
import type { Names, Reader } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import { linkOn } from './alias-links.ts'
import { aliasRef, entityRef, mergedRef } from './entity-record.ts'
import { membershipsRef } from './group-record.ts'
import { groupsUntil } from './memberships.ts'
import type { EntityRecord } from './records.ts'

/** The entity of a token: that of its id, or the one that absorbed it in a merge; undefined when it is deleted. */
export const findSubject = async (
  reader: Reader,
  namespace: number,
  entityId: string,
): Promise<EntityRecord | undefined> => {
  if (idBytes(entityId) === undefined) return undefined
  const entity = await reader.get(entityRef(namespace, entityId))
  if (entity !== undefined) return entity
  const survivor = await reader.get(mergedRef(namespace, entityId))
  return survivor === undefined ? undefined : reader.get(entityRef(namespace, survivor.id))
}

/** Who an entity id is now, with the groups it is in (identity.md 7.4, 7.6); undefined when deleted. */
export const subject = async (
  reader: Reader,
  _names: Names,
  namespace: Namespace,
  entityId: string,
  now: number,
): Promise<Subject | undefined> => {
  if (idBytes(entityId) === undefined) return undefined
  // Both in one call of the store: every request of the entity's tokens may come here.
  await reader.getMany<unknown>([
    entityRef(namespace.number, entityId),
    membershipsRef(namespace.number, entityId),
  ])
  const entity = await findSubject(reader, namespace.number, entityId)
  if (entity === undefined) return undefined
  const { groups, until } = await groupsUntil(reader, namespace.number, entity.id, now)
  return {
    id: entity.id,
    name: entity.name,
    metadata: entity.metadata ?? {},
    disabled: entity.disabled,
    policies: entity.policies,
    groups: groups.map(({ id, name, metadata, policies, direct }) => ({
      id,
      name,
      metadata: metadata ?? {},
      policies: policies ?? [],
      direct,
    })),
    ...(until === undefined ? {} : { until }),
  }
}

/** The alias of an entity on a mount, the first where a merge left two; undefined when there is none. */
export const aliasOf = async (
  reader: Reader,
  names: Names,
  namespace: Namespace,
  entityId: string,
  accessor: string,
): Promise<SubjectAlias | undefined> => {
  const entity = await findSubject(reader, namespace.number, entityId)
  const link = entity && (await linkOn(reader, { names, namespace }, entity, accessor))
  if (link === undefined) return undefined
  const alias = await reader.get(aliasRef(namespace.number, link.id))
  if (alias === undefined) return undefined
  return {
    id: alias.id,
    name: alias.name,
    metadata: alias.metadata ?? {},
    customMetadata: alias.customMetadata ?? {},
  }
}
