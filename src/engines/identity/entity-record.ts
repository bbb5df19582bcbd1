import type { Call } from '../../engine/call.ts'
import type { Names, Reader, Ref, Tx } from '../../engine/records.ts'
import { idBytes, placesById } from '../../engine/records.ts'
import { invalid } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { goLower } from '../../std/go-lower.ts'
import { isEmptyMetadata } from './metadata.ts'
import type { AliasLink, EntityRecord, Further } from './records.ts'
import { aliasActivity, aliasNames, aliases, entities, entityNames, mergedIds } from './records.ts'

/** What a write of entities or aliases uses of the request. */
export type WriteCall = Pick<
  Call,
  'names' | 'namespace' | 'now' | 'records' | 'newId' | 'randomBytes' | 'hint'
>

/** What a read of entities or aliases uses of the request. */
export type ReadCall = Pick<Call, 'names' | 'namespace' | 'records'>

/** A name's or alias name's owner, as unique records say it. */
export interface Owner {
  readonly id: string
}

/** Where the entity of a stored id is. */
export const entityRef = placesById(entities)

/** Where the owner of an entity name stands; names compare without case (identity.md 8.4). */
export const entityNameRef = (names: Names, namespace: number, name: string): Ref<Owner> =>
  entityNames.at(namespace, names.hash('entity-name', goLower(name)))

/** Where a merged id says where it went. */
export const mergedRef = placesById(mergedIds)

/** Where the alias of a stored id is. */
export const aliasRef = placesById(aliases)

/** Where the owner of (mount, alias name) stands. */
export const aliasNameRef = (
  names: Names,
  namespace: number,
  accessor: string,
  name: string,
): Ref<{ readonly id: string; readonly entityId: string }> =>
  aliasNames.at(
    namespace,
    names.hash('accessor', accessor),
    names.hash('alias-name', goLower(name)),
  )

/** Where the last login of an alias is. */
export const activityRef = placesById(aliasActivity)

/** The entity of an id as a client sent it; undefined when there is none. */
export const findEntity = (
  reader: Reader,
  namespace: number,
  id: string,
): Promise<EntityRecord | undefined> =>
  idBytes(id) === undefined ? Promise.resolve(undefined) : reader.get(entityRef(namespace, id))

/** The entity of a name, compared without case. */
export const findEntityByName = async (
  reader: Reader,
  names: Names,
  namespace: number,
  name: string,
): Promise<EntityRecord | undefined> => {
  const owner = await reader.get(entityNameRef(names, namespace, name))
  return owner === undefined ? undefined : reader.get(entityRef(namespace, owner.id))
}

/** The aliases in the entity's own list that resolve; what a merge dropped is left out. */
export const liveLinks = (entity: EntityRecord): readonly AliasLink[] =>
  entity.aliases.filter(({ dropped }) => dropped !== true)

/** Links that a merge dropped: they go with the next write of the entity. */
export const droppedLinks = (entity: EntityRecord): readonly AliasLink[] => [
  ...entity.aliases.filter(({ dropped }) => dropped === true),
  ...(entity.further?.dropped ?? []),
]

/** What is left of further links without those that a merge dropped. */
export const liveFurther = (further: Further | undefined): Further | undefined => {
  if (further?.dropped === undefined) return further
  const { set, count, next } = further
  return count === 0 ? undefined : { set, count, next }
}

/** How many aliases of an entity resolve. */
export const countAliases = (entity: EntityRecord): number =>
  liveLinks(entity).length + (entity.further?.count ?? 0)

/** Why an entity gets no more of them. */
export const TOO_MANY_ALIASES = `the entity has too many aliases: at most ${limits.aliasesPerEntity} are possible`

/** Deletes what is stored of an alias, its name aside: that may be another's by now. */
export const dropRecords = (tx: Tx, namespace: number, aliasId: string): void => {
  tx.delete(aliasRef(namespace, aliasId))
  tx.delete(activityRef(namespace, aliasId))
}

/** A name for an entity that was given none: `entity_1a2b3c4d.root` (settled.md 4). The look that found it free is checked. */
export const freeEntityName = async (
  tx: Tx,
  names: Names,
  namespace: Call['namespace'],
  randomBytes: (length: number) => Buffer,
): Promise<string> => {
  for (;;) {
    const name = `entity_${randomBytes(4).toString('hex')}.${namespace.id}`
    if ((await tx.get(entityNameRef(names, namespace.number, name))) === undefined) return name
  }
}

/** Puts a new entity and its name, which the caller found free. */
export const putNewEntity = (
  tx: Tx,
  names: Names,
  namespace: number,
  entity: Pick<EntityRecord, 'id' | 'name' | 'creationTime'> & Partial<EntityRecord>,
): EntityRecord => {
  const record: EntityRecord = {
    metadata: null,
    policies: [],
    disabled: false,
    mergedEntityIds: [],
    aliases: [],
    lastUpdateTime: entity.creationTime,
    revision: 0,
    aliasRevision: 0,
    ...entity,
  }
  tx.put(entityRef(namespace, record.id), record)
  tx.put(entityNameRef(names, namespace, record.name), { id: record.id })
  return record
}

/**
 * Puts an entity after a change. `withAliases`: the reference writes the aliases with it, after which empty custom metadata
 * reads as null (see `AliasRecord.emptyAt`); empty metadata that this write did not set reads as null, too. Aliases that a
 * merge dropped go for good. Throws a Refusal above `limits.aliasesPerEntity`.
 */
export const rewriteEntity = (
  tx: Tx,
  namespace: number,
  entity: EntityRecord,
  changes: Partial<EntityRecord>,
  withAliases: boolean,
): EntityRecord => {
  for (const { id } of droppedLinks(entity)) dropRecords(tx, namespace, id)
  const revision = entity.revision + 1
  const record: EntityRecord = {
    ...entity,
    metadata: isEmptyMetadata(entity.metadata) ? null : entity.metadata,
    aliases: liveLinks(entity),
    further: liveFurther(entity.further),
    ...changes,
    revision,
    aliasRevision: withAliases ? revision : entity.aliasRevision,
  }
  if (countAliases(record) > limits.aliasesPerEntity) throw invalid(TOO_MANY_ALIASES)
  tx.put(entityRef(namespace, record.id), record)
  return record
}
