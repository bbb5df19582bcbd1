import type { Tx } from '../../engine/records.ts'
import { Refusal, invalid } from '../../engine/refusal.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { entityNameHints } from './entity-read.ts'
import type { WriteCall } from './entity-record.ts'
import {
  entityNameRef,
  entityRef,
  findEntity,
  freeEntityName,
  putNewEntity,
  rewriteEntity,
} from './entity-record.ts'
import { replacedHint } from './hints.ts'
import type { Metadata } from './metadata.ts'
import { checkMetadata } from './metadata.ts'
import type { EntityRecord } from './records.ts'
import { policyNames } from './string-set.ts'
import { writtenTime } from './written-time.ts'

/** The parts of a request that an entity write reads; '' and `undefined` = not sent. */
export interface EntityWrite {
  /** Update this entity only. */
  readonly id: string
  /** With `id` a new name, else the entity to update or create. */
  readonly name: string
  /** null: sent as null. */
  readonly metadata: Metadata | null | undefined
  readonly policies: readonly string[] | undefined
  readonly disabled: boolean | undefined
}

/**
 * Creates or updates an entity in one commit (identity.md 1.2): 200 with id and name when created, 204 otherwise. Throws the
 * recorded Refusals in their order.
 */
export const writeEntity = async (call: WriteCall, write: EntityWrite): Promise<Result> => {
  const newId = call.newId()
  const { created, replaced } = await call.records.transact((tx) => writeIn(tx, call, write, newId))
  if (replaced.length > 0) {
    const { code, text } = replacedHint(replaced)
    call.hint(code, text)
  }
  return created === undefined
    ? undefined
    : data({ id: created.id, name: created.name, aliases: null })
}

interface Outcome {
  readonly created?: EntityRecord
  /** Keys of metadata that the write dropped. */
  readonly replaced: readonly string[]
}

const writeIn = async (
  tx: Tx,
  call: WriteCall,
  write: EntityWrite,
  newId: string,
): Promise<Outcome> => {
  const { names, namespace } = call
  const chosen = write.id === '' ? undefined : await findEntity(tx, namespace.number, write.id)
  if (write.id !== '' && chosen === undefined) {
    throw new Refusal('invalid', 'entity not found from id', {
      hints: await entityNameHints(call, write.id),
    })
  }
  const owner =
    write.name === '' ? undefined : await tx.get(entityNameRef(names, namespace.number, write.name))
  const named =
    owner === undefined ? undefined : await tx.get(entityRef(namespace.number, owner.id))
  // A name whose entity is gone (it was damaged) is free.
  if (chosen !== undefined && named !== undefined && named.id !== chosen.id) {
    throw invalid('entity name is already in use')
  }
  const entity = chosen ?? named
  const policies = write.policies === undefined ? undefined : policyNames(write.policies)
  if (policies?.includes('root') === true) throw invalid('policies cannot contain root')
  if (write.metadata !== undefined && write.metadata !== null) {
    checkMetadata(write.metadata, 'entity')
  }

  const now = writtenTime(call.now)
  const changes: Partial<EntityRecord> = {
    ...(write.metadata === undefined ? {} : { metadata: write.metadata }),
    ...(policies === undefined ? {} : { policies }),
    ...(write.disabled === undefined ? {} : { disabled: write.disabled }),
  }
  if (entity === undefined) {
    const name =
      write.name === ''
        ? await freeEntityName(tx, names, namespace, (length) => call.randomBytes(length))
        : write.name
    const created = putNewEntity(tx, names, namespace.number, {
      ...changes,
      id: newId,
      name,
      creationTime: now,
    })
    return { created, replaced: [] }
  }
  const name = write.name === '' ? entity.name : write.name
  if (name !== entity.name) {
    tx.delete(entityNameRef(names, namespace.number, entity.name))
    tx.put(entityNameRef(names, namespace.number, name), { id: entity.id })
  }
  rewriteEntity(tx, namespace.number, entity, { ...changes, name, lastUpdateTime: now }, true)
  const after = write.metadata ?? {}
  const before = write.metadata === undefined ? [] : Object.keys(entity.metadata ?? {})
  return { replaced: before.filter((key) => !Object.hasOwn(after, key)) }
}
