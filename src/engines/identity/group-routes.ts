import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import type { GroupAliasWrite } from './group-alias.ts'
import { deleteGroupAlias, readGroupAlias, writeGroupAlias } from './group-alias.ts'
import { deleteGroup, deleteGroupById } from './group-delete.ts'
import { listGroupAliases, listGroupNames, listGroups } from './group-list.ts'
import { byId, byName, hintGroupId, readGroup } from './group-read.ts'
import type { GroupWrite } from './group-write.ts'
import { writeGroup } from './group-write.ts'
import { groupNameRef } from './group-record.ts'
import { pageById, pageByName, pageFields } from './list-page.ts'
import { lookupGroupRoute } from './lookup-group.ts'
import { metadataField, sentMetadata } from './metadata-field.ts'

const groupFields = {
  id: field.string({ default: '', description: 'Id of the group; set: update this group only' }),
  name: field.string({ default: '', description: 'Name of the group; generated when missing' }),
  type: field.string({
    default: '',
    description: 'internal (the default) or external; cannot be changed',
  }),
  metadata: metadataField('group'),
  policies: field.commaList({ description: 'Policies of the group; replaces the list' }),
  member_entity_ids: field.commaList({
    description: 'Ids of the entities in the group; replaces the list; internal groups only',
  }),
  member_group_ids: field.commaList({
    description: 'Ids of the groups inside the group; replaces the set; internal groups only',
  }),
}

const aliasFields = {
  id: field.string({ default: '', description: 'Id of the group alias; set: update it' }),
  name: field.string({ default: '', description: 'Name the auth method gives to the group' }),
  mount_accessor: field.string({ default: '', description: 'Accessor of the auth mount' }),
  canonical_id: field.string({
    default: '',
    description: 'Id of the external group; a new group when missing',
  }),
}

type GroupCall = Call<InputOf<typeof groupFields>>
type AliasCall = Call<InputOf<typeof aliasFields>>

const groupWrite = (call: GroupCall, target: Pick<GroupWrite, 'id' | 'name'>): GroupWrite => ({
  ...target,
  type: call.has('type') ? call.input.type : undefined,
  metadata: sentMetadata(call),
  policies: call.input.policies,
  memberEntityIds: call.input.member_entity_ids,
  memberGroupIds: call.input.member_group_ids,
})

const writeById = (call: GroupCall) => {
  if (call.input.id === '') throw invalid('empty group ID')
  return writeGroup(call, groupWrite(call, { id: call.input.id, name: call.input.name }))
}

const writeByName = (call: GroupCall) => {
  if (call.input.name === '') throw invalid('empty group name')
  return writeGroup(call, groupWrite(call, { id: undefined, name: call.input.name }))
}

const aliasWrite = (call: AliasCall, id: string | undefined): GroupAliasWrite => ({
  id,
  name: call.input.name,
  mountAccessor: call.input.mount_accessor,
  canonicalId: call.input.canonical_id,
})

const writeAliasById = (call: AliasCall, mounts: MountDirectory) => {
  if (call.input.id === '') throw invalid('empty group alias ID')
  return writeGroupAlias(call, mounts, aliasWrite(call, call.input.id))
}

/** The routes of groups, group aliases and `lookup/group` (identity.md 3, 4). */
export const groupRoutes = (deps: { readonly mounts: MountDirectory }): readonly Route[] => {
  const { mounts } = deps
  return [
    route({
      path: 'group',
      summary: 'Create or update a group',
      fields: groupFields,
      verbs: {
        update: (call) => {
          if (call.has('id')) return writeById(call)
          if (call.has('name')) return writeByName(call)
          return writeGroup(call, groupWrite(call, { id: undefined, name: '' }))
        },
      },
    }),
    route({
      path: 'group/id',
      summary: 'List groups by id',
      fields: pageFields,
      verbs: { list: (call) => listGroups(call, mounts, pageById(call)) },
    }),
    route({
      path: 'group/id/:id',
      summary: 'Read, update or delete a group by id',
      fields: groupFields,
      verbs: {
        read: async (call) => {
          const found = await readGroup(call, mounts, byId(call, call.input.id))
          if (found === undefined) await hintGroupId(call, call.input.id)
          return found
        },
        update: writeById,
        delete: async (call) => {
          await deleteGroupById(call, call.input.id)
          return undefined
        },
      },
    }),
    route({
      path: 'group/name',
      summary: 'List groups by name',
      fields: pageFields,
      verbs: {
        list: async (call) => {
          const { names, namespace } = call
          const page = await pageByName(call, (name) => groupNameRef(names, namespace.number, name))
          return listGroupNames(call, page)
        },
      },
    }),
    route({
      path: 'group/name/*name',
      summary: 'Read, create, update or delete a group by name',
      fields: groupFields,
      verbs: {
        read: (call) => readGroup(call, mounts, byName(call, call.input.name)),
        update: writeByName,
        delete: async (call) => {
          await deleteGroup(call, byName(call, call.input.name))
          return undefined
        },
      },
    }),
    route({
      path: 'group-alias',
      summary: 'Create or update an alias of an external group',
      fields: aliasFields,
      verbs: {
        update: (call) =>
          call.has('id')
            ? writeAliasById(call, mounts)
            : writeGroupAlias(call, mounts, aliasWrite(call, undefined)),
      },
    }),
    route({
      path: 'group-alias/id',
      summary: 'List group aliases by id',
      fields: pageFields,
      verbs: { list: (call) => listGroupAliases(call, mounts, pageById(call)) },
    }),
    route({
      path: 'group-alias/id/:id',
      summary: 'Read, update or delete a group alias by id',
      fields: aliasFields,
      verbs: {
        read: (call) => readGroupAlias(call, mounts, call.input.id),
        update: (call) => writeAliasById(call, mounts),
        delete: async (call) => {
          await deleteGroupAlias(call, call.input.id)
          return undefined
        },
      },
    }),
    lookupGroupRoute(mounts),
  ]
}
