import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { deleteVerb, readVerb } from './alias-routes.ts'
import { batchDelete, deleteEntity, deleteEntityById } from './entity-delete.ts'
import { listEntities, listEntityNames } from './entity-list.ts'
import { mergeEntities } from './entity-merge.ts'
import type { EntityReads } from './entity-read.ts'
import { entityByName, hintEntityId, readEntity, readEntityById } from './entity-read.ts'
import { writeEntity } from './entity-write.ts'
import { entityNameRef } from './entity-record.ts'
import { pageById, pageByName, pageFields } from './list-page.ts'
import { metadataField, sentMetadata } from './metadata-field.ts'

const metadata = metadataField('entity')

const entityFields = {
  id: field.string({ default: '', description: 'Id of the entity; set: update this entity only' }),
  name: field.string({ default: '', description: 'Name of the entity; generated when missing' }),
  metadata,
  policies: field.commaList({ description: 'Policies of the entity; replaces the list' }),
  disabled: field.bool({ description: 'Disabled: no login, and its tokens are refused' }),
}

const batchFields = {
  entity_ids: field.commaList({ default: [], description: 'Ids of the entities to delete' }),
}

const mergeFields = {
  to_entity_id: field.string({ default: '', description: 'Id of the entity that stays' }),
  from_entity_ids: field.commaList({
    default: [],
    description: 'Ids of the entities that become part of it',
  }),
  conflicting_alias_ids_to_keep: field.commaList({
    default: [],
    description: 'Of two aliases on one mount, the ids of those to keep',
  }),
  force: field.bool({
    default: false,
    description: 'Merge even when both hold a secret for the same MFA method',
  }),
}

const personaFields = {
  id: entityFields.id,
  entity_id: field.string({ default: '', description: 'Not used' }),
  mount_accessor: field.string({ default: '', description: 'Not used' }),
  name: entityFields.name,
  metadata,
}

const write = (call: Call<InputOf<typeof entityFields>>) =>
  writeEntity(call, {
    id: call.input.id,
    name: call.input.name,
    metadata: sentMetadata(call),
    policies: call.input.policies,
    disabled: call.input.disabled,
  })

/** The routes of entities and `lookup/entity` (identity.md 1, 4). */
export const entityRoutes = (reads: EntityReads): readonly Route[] => [
  route({
    path: 'entity',
    summary: 'Create or update an entity',
    fields: entityFields,
    verbs: { update: write },
  }),
  route({
    path: 'entity/id',
    summary: 'List entities by id',
    fields: pageFields,
    verbs: { list: (call) => listEntities(call, reads.mounts, pageById(call)) },
  }),
  route({
    path: 'entity/id/:id',
    summary: 'Read, update or delete an entity by id',
    fields: entityFields,
    verbs: {
      read: async (call) => {
        const found = await readEntityById(call, reads, call.input.id)
        if (found === undefined) await hintEntityId(call, call.input.id)
        return found
      },
      update: write,
      delete: async (call) => {
        await deleteEntityById(call, call.input.id)
        await hintEntityId(call, call.input.id)
        return undefined
      },
    },
  }),
  route({
    path: 'entity/name',
    summary: 'List entities by name',
    fields: pageFields,
    verbs: {
      list: async (call) => {
        const { names, namespace } = call
        const page = await pageByName(call, (name) => entityNameRef(names, namespace.number, name))
        return listEntityNames(call, page)
      },
    },
  }),
  route({
    path: 'entity/name/*name',
    summary: 'Read, create, update or delete an entity by name',
    fields: entityFields,
    verbs: {
      read: (call) => readEntity(call, reads, entityByName(call, call.input.name)),
      update: write,
      delete: async (call) => {
        await deleteEntity(call, entityByName(call, call.input.name))
        return undefined
      },
    },
  }),
  route({
    path: 'entity/batch-delete',
    summary: 'Delete several entities at once',
    fields: batchFields,
    verbs: {
      update: async (call) => {
        await batchDelete(call, call.input.entity_ids)
        return undefined
      },
    },
  }),
  route({
    path: 'entity/merge',
    summary: 'Merge entities into one',
    fields: mergeFields,
    verbs: {
      update: async (call) => {
        await mergeEntities(call, reads.mounts, {
          toId: call.input.to_entity_id,
          fromIds: call.input.from_entity_ids,
          keepAliasIds: call.input.conflicting_alias_ids_to_keep,
          force: call.input.force,
        })
        return undefined
      },
    },
  }),
]

/** The oldest paths: reads and deletes are of aliases, writes make and change entities (identity.md 1.9, recorded). */
export const personaRoutes = (mounts: MountDirectory): readonly Route[] => {
  const writePersona = (call: Call<InputOf<typeof personaFields>>) =>
    writeEntity(call, {
      id: call.input.id,
      name: call.input.name,
      metadata: sentMetadata(call),
      policies: undefined,
      disabled: undefined,
    })
  return [
    route({
      path: 'persona',
      summary: 'Create or update an entity (use entity)',
      fields: personaFields,
      verbs: { update: writePersona },
    }),
    route({
      path: 'persona/id/:id',
      summary: 'Read or delete an alias, or update an entity, by id (use entity-alias and entity)',
      fields: personaFields,
      verbs: { read: readVerb(mounts), update: writePersona, delete: deleteVerb },
    }),
  ]
}
