import type { Tx } from '../../../engine/records.ts'
import { goLower } from '../../../std/go-lower.ts'
import {
  entityNameRef,
  entityRef,
  findEntity,
  freeEntityName,
  mergedRef,
  putNewEntity,
  rewriteEntity,
} from '../entity-record.ts'
import { checkMetadata, sameMetadata } from '../metadata.ts'
import type { EntityRecord } from '../records.ts'
import { policyNames, sortedOnce } from '../string-set.ts'
import { writtenTime } from '../written-time.ts'
import type { EntityLine } from './line.ts'
import type { Outcome } from './outcome.ts'
import { created, differing, refused, unchanged, updated } from './outcome.ts'
import type { LineScope } from './scope.ts'

/** Takes an entity in. Throws Refusals for what no entity can have; nothing is put before. */
export const importEntity = async (
  tx: Tx,
  scope: LineScope,
  line: EntityLine,
): Promise<Outcome> => {
  const { names, namespace } = scope.call
  const policies = line.policies === undefined ? undefined : policyNames(line.policies ?? [])
  if (policies?.includes('root') === true) return refused('policies cannot contain root')
  if (line.metadata) checkMetadata(line.metadata, 'entity')
  const byId = line.id === undefined ? undefined : await findEntity(tx, namespace.number, line.id)
  const owner =
    line.name === undefined
      ? undefined
      : await tx.get(entityNameRef(names, namespace.number, line.name))
  if (byId !== undefined && owner !== undefined && owner.id !== byId.id) {
    return differing(
      scope.conflict,
      `the name ${JSON.stringify(line.name)} belongs to the entity ${owner.id}`,
    )
  }
  const survivor =
    line.id === undefined || byId !== undefined
      ? undefined
      : await tx.get(mergedRef(namespace.number, line.id))
  const knownId = owner?.id ?? survivor?.id
  const known =
    byId ?? (knownId === undefined ? undefined : await tx.get(entityRef(namespace.number, knownId)))
  const gone = await notMergeable(tx, scope, line, known?.id ?? line.id)
  if (gone !== undefined) return refused(`merged_entity_ids: ${gone} is an entity of its own here`)
  return known === undefined
    ? create(tx, scope, line, policies ?? [])
    : change(tx, scope, line, known, policies)
}

/** The first of the merged ids that a living entity has, which is not the one that it went into. */
const notMergeable = async (
  tx: Tx,
  { call: { namespace } }: LineScope,
  line: EntityLine,
  into: string | undefined,
): Promise<string | undefined> => {
  const merged = line.merged_entity_ids ?? []
  if (merged.length === 0) return undefined
  const found = await tx.getMany(merged.map((one) => entityRef(namespace.number, one)))
  return merged.find((one, index) => found[index] !== undefined || one === into)
}

const create = async (
  tx: Tx,
  { call, newId }: LineScope,
  line: EntityLine,
  policies: readonly string[],
): Promise<Outcome> => {
  const { names, namespace } = call
  const id = line.id ?? newId
  const name =
    line.name ?? (await freeEntityName(tx, names, namespace, (length) => call.randomBytes(length)))
  const creationTime = line.creation_time ?? writtenTime(call.now)
  const mergedEntityIds = line.merged_entity_ids ?? []
  putNewEntity(tx, names, namespace.number, {
    id,
    name,
    policies,
    metadata: line.metadata ?? null,
    disabled: line.disabled ?? false,
    mergedEntityIds,
    creationTime,
    lastUpdateTime: line.last_update_time ?? creationTime,
  })
  for (const merged of mergedEntityIds) tx.put(mergedRef(namespace.number, merged), { id })
  return created
}

const change = async (
  tx: Tx,
  scope: LineScope,
  line: EntityLine,
  known: EntityRecord,
  policies: readonly string[] | undefined,
): Promise<Outcome> => {
  const { names, namespace, now } = scope.call
  const mergedIds = [
    ...(line.merged_entity_ids ?? []),
    // The people of both servers become one: the id of the file goes on meaning them.
    ...(line.id === undefined || line.id === known.id ? [] : [line.id]),
  ].filter((one) => !known.mergedEntityIds.includes(one))
  const differs = [
    ...(line.id === undefined || line.id === known.id || known.mergedEntityIds.includes(line.id)
      ? []
      : [`the id (${known.id} here)`]),
    ...(line.name === undefined || line.name === known.name ? [] : ['name']),
    ...(policies === undefined || same(policies, known.policies) ? [] : ['policies']),
    ...(line.metadata === undefined || sameMetadata(line.metadata, known.metadata)
      ? []
      : ['metadata']),
    ...(line.disabled === undefined || line.disabled === known.disabled ? [] : ['disabled']),
    ...(mergedIds.length === 0 ? [] : ['merged_entity_ids']),
  ]
  if (differs.length === 0) return unchanged
  if (scope.conflict !== 'merge') {
    return differing(
      scope.conflict,
      `the entity ${known.id} (${known.name}) is here and differs in ${differs.join(', ')}`,
    )
  }
  const metadata =
    line.metadata === undefined ? known.metadata : { ...known.metadata, ...line.metadata }
  if (metadata !== null) checkMetadata(metadata, 'entity')
  const name = line.id === known.id ? (line.name ?? known.name) : known.name
  const union =
    policies === undefined ? known.policies : sortedOnce([...known.policies, ...policies])
  const disabled = line.disabled ?? known.disabled
  if (
    name === known.name &&
    mergedIds.length === 0 &&
    disabled === known.disabled &&
    same(union, known.policies) &&
    sameMetadata(metadata, known.metadata)
  ) {
    return unchanged
  }
  if (goLower(name) !== goLower(known.name)) {
    tx.delete(entityNameRef(names, namespace.number, known.name))
    tx.put(entityNameRef(names, namespace.number, name), { id: known.id })
  }
  for (const merged of mergedIds) tx.put(mergedRef(namespace.number, merged), { id: known.id })
  const changes = {
    name,
    policies: union,
    metadata,
    disabled,
    mergedEntityIds: [...known.mergedEntityIds, ...mergedIds],
    lastUpdateTime: writtenTime(now),
  }
  rewriteEntity(tx, namespace.number, known, changes, true)
  return updated
}

/** Whether two sorted lists are the same. */
export const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index])
