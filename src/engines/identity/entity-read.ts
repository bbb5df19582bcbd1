import type { Call, Mount, Namespace } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Tx } from '../../engine/records.ts'
import { idBytes } from '../../engine/records.ts'
import type { Hint } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { SharedAnswers } from '../../engine/shared-answers.ts'
import type { Version } from '../../engine/records.ts'
import { Breather } from '../../std/breather.ts'
import { findAlias, findAliasByName } from './alias-find.ts'
import { everyLink } from './alias-links.ts'
import type { ShownAlias } from './alias-read-many.ts'
import { manyAliases } from './alias-read-many.ts'
import type { ReadCall } from './entity-record.ts'
import { aliasRef, entityNameRef, findEntity, findEntityByName } from './entity-record.ts'
import { nameHint } from './hints.ts'
import { groupsUntil } from './memberships.ts'
import { fieldsOfMount } from './mount-lookup.ts'
import type { AliasRecord, EntityRecord } from './records.ts'

/** Finds an entity inside a transaction; undefined when there is none. */
export type EntityFinder = (tx: Tx) => Promise<EntityRecord | undefined>

/** The entity of exactly this id; merged ids are gone. */
export const entityById =
  ({ namespace }: ReadCall, id: string): EntityFinder =>
  (tx) =>
    findEntity(tx, namespace.number, id)

/** The entity of a name, compared without case. */
export const entityByName =
  ({ names, namespace }: ReadCall, name: string): EntityFinder =>
  (tx) =>
    findEntityByName(tx, names, namespace.number, name)

/** The entity that owns an alias. */
export const entityByAliasId =
  (call: ReadCall, id: string): EntityFinder =>
  async (tx) =>
    (await findAlias(tx, call, id))?.owner

/** The entity that owns the alias of a name on a mount. */
export const entityByAliasName =
  (call: ReadCall, accessor: string, name: string): EntityFinder =>
  async (tx) =>
    (await findAliasByName(tx, call, accessor, name))?.owner

/** What reads of entities need. */
export interface EntityReads {
  readonly mounts: MountDirectory
  readonly answers: SharedAnswers
}

/**
 * The answer of an entity read (identity.md 1.4), all of one instant; undefined when there is none. Of an entity with further
 * links that holds for everything but what each alias says, which is read after (see `manyAliases`).
 */
export const readEntity = async (
  call: ReadCall & Pick<Call, 'now'>,
  reads: EntityReads,
  find: EntityFinder,
): Promise<Result> => {
  const shown = await readAt(call, reads, find, call.records.epoch())
  return shown && data(shown)
}

/** The same of an entity whose id is known: nothing is read while nothing was committed since it was read last. */
export const readEntityById = async (
  call: ReadCall & Pick<Call, 'now'>,
  reads: EntityReads,
  id: string,
): Promise<Result> => {
  const epoch = call.records.epoch()
  const shown =
    reads.answers.current(answerKey(call, id), epoch, call.now) ??
    (await readAt(call, reads, entityById(call, id), epoch))
  return shown && data(shown)
}

const answerKey = ({ namespace }: ReadCall, id: string): string => `${namespace.number} ${id}`

/** `epoch`: of the store, before anything was read. */
const readAt = async (
  call: ReadCall & Pick<Call, 'now'>,
  { answers, mounts }: EntityReads,
  find: EntityFinder,
  epoch: Version | undefined,
): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const { records, namespace, now } = call
  const found = await records.transact(async (tx) => {
    const entity = await find(tx)
    if (entity === undefined) return undefined
    const many = entity.further === undefined ? undefined : await everyLink(tx, call, entity)
    const few = many === undefined ? entity.aliases : []
    const aliases = await tx.getMany(few.map(({ id }) => aliasRef(namespace.number, id)))
    return { entity, many, aliases, ...(await groupsUntil(tx, namespace.number, entity.id, now)) }
  })
  if (found === undefined) return undefined
  const { entity, many, groups, until } = found
  const direct = groups.filter((group) => group.direct).map(({ id }) => id)
  const inherited = groups.filter((group) => !group.direct).map(({ id }) => id)
  if (many !== undefined) {
    const shown = await manyAliases(call, mounts, entity.id, many)
    return answerOf(namespace, entity, await embeddedMany(entity, shown), direct, inherited)
  }
  const aliases: ShownAlias[] = []
  for (const alias of found.aliases) {
    if (alias === undefined) continue
    aliases.push({ alias, mount: await mounts.byAccessor(alias.mountAccessor) })
  }
  const parts = [entity, ...aliases.flatMap(({ alias, mount }) => [alias, mount])]
  return answers.of(
    answerKey(call, entity.id),
    [...parts, direct.length, ...direct, ...inherited],
    { epoch, until },
    () => {
      const shown = aliases.map((alias) => embeddedAlias(entity, alias))
      return answerOf(namespace, entity, shown, direct, inherited)
    },
  )
}

/** In the order of the wire: an object that is sorted already is written at a quarter of the cost. */
const answerOf = (
  namespace: Namespace,
  entity: EntityRecord,
  aliases: readonly Readonly<Record<string, unknown>>[],
  direct: readonly string[],
  inherited: readonly string[],
): Readonly<Record<string, unknown>> => ({
  aliases,
  creation_time: entity.creationTime,
  direct_group_ids: direct,
  disabled: entity.disabled,
  group_ids: [...direct, ...inherited],
  id: entity.id,
  inherited_group_ids: inherited,
  last_update_time: entity.lastUpdateTime,
  merged_entity_ids: entity.mergedEntityIds.length > 0 ? entity.mergedEntityIds : null,
  metadata: entity.metadata,
  name: entity.name,
  namespace_id: namespace.id,
  policies: entity.policies,
})

const embeddedMany = async (
  entity: EntityRecord,
  aliases: readonly ShownAlias[],
): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const breather = new Breather()
  const shown: Readonly<Record<string, unknown>>[] = []
  for (const alias of aliases) {
    shown.push(embeddedAlias(entity, alias))
    await breather.due()
  }
  return shown
}

const embeddedAlias = (
  entity: EntityRecord,
  { alias, mount }: ShownAlias,
): Readonly<Record<string, unknown>> =>
  aliasFields(
    alias,
    mount,
    alias.emptyAt === undefined || alias.emptyAt === entity.revision ? alias.customMetadata : null,
  )

/**
 * What every read of an alias shows, in the order of the wire; reads of the entity and of the alias differ in when empty
 * custom metadata is null.
 */
export const aliasFields = (
  alias: AliasRecord,
  mount: Mount | undefined,
  customMetadata: AliasRecord['customMetadata'],
): Readonly<Record<string, unknown>> => ({
  canonical_id: alias.canonicalId,
  creation_time: alias.creationTime,
  custom_metadata: customMetadata,
  id: alias.id,
  last_update_time: alias.lastUpdateTime,
  local: alias.local,
  merged_from_canonical_ids: alias.mergedFromCanonicalIds,
  metadata: alias.metadata,
  mount_accessor: alias.mountAccessor,
  ...fieldsOfMount(mount),
  name: alias.name,
})

/** Tells a caller who looked for an id under a name what the id is. */
export const hintEntityId = async (
  call: ReadCall & Pick<Call, 'hint'>,
  asked: string,
): Promise<void> => {
  for (const { code, text } of await entityNameHints(call, asked)) call.hint(code, text)
}

/** Advice for those who sent a name where an entity's id is wanted; nothing when no entity has that name. */
export const entityNameHints = async (
  call: Pick<Call, 'names' | 'namespace' | 'records'>,
  asked: string,
): Promise<readonly Hint[]> => {
  if (asked === '' || idBytes(asked) !== undefined) return []
  const owner = await call.records.get(entityNameRef(call.names, call.namespace.number, asked))
  return nameHint('entity', asked, owner?.id)
}
