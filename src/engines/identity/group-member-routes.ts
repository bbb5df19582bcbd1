import { field } from '../../engine/field.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { listMemberships } from './entity-membership.ts'
import { entityById, entityByName } from './entity-read.ts'
import { addFields, membersAsked, termsOf } from './group-member-input.ts'
import { listMembers, memberListFields, noMemberNamed, readMember } from './group-member-list.ts'
import { addMembers, removeMembers } from './group-member-write.ts'
import { pageFields } from './list-page.ts'

const id = field.string({ default: '', description: 'Id of the group' })
const name = field.string({ default: '', description: 'Name of the group' })
const member = field.string({ default: '', description: 'The member, by id or name' })

const changeFields = { ...addFields, ...memberListFields }

/**
 * Members of a group one by one, and the groups of an entity (docs/api-group-member.md). `update` adds, `delete` removes, `list`
 * sees, `read` sees one: a policy gives each of them by itself.
 */
export const groupMemberRoutes = (mounts: MountDirectory): readonly Route[] => [
  route({
    path: 'group-member/id/:id',
    summary: 'Add, remove and list members of a group, by its id',
    fields: { ...changeFields, id },
    verbs: {
      update: (call) => {
        const { id: groupId, cas } = call.input
        const change = { group: { id: groupId }, members: membersAsked(call), cas }
        return addMembers(call, mounts, change, termsOf(call))
      },
      delete: (call) => {
        const { id: groupId, cas } = call.input
        return removeMembers(call, mounts, {
          group: { id: groupId },
          members: membersAsked(call),
          cas,
        })
      },
      list: (call) => listMembers(call, { id: call.input.id }),
    },
  }),
  route({
    path: 'group-member/id/:id/+member',
    summary: 'See one member of a group, by the id of the group',
    fields: { id, member },
    verbs: { read: (call) => readMember(call, { id: call.input.id }, call.input.member) },
  }),
  route({
    path: 'group-member/name/*name',
    summary: 'Add, remove and list members of a group, by its name; see one of them behind it',
    fields: { ...changeFields, name },
    verbs: {
      update: (call) => {
        const { name: groupName, cas } = call.input
        const change = { group: { name: groupName }, members: membersAsked(call), cas }
        return addMembers(call, mounts, change, termsOf(call))
      },
      delete: (call) => {
        const { name: groupName, cas } = call.input
        const members = membersAsked(call)
        return removeMembers(call, mounts, { group: { name: groupName }, members, cas })
      },
      list: (call) => listMembers(call, { name: listed(call.input.name) }),
      // A member's name may hold a slash, too: then its id tells it.
      read: (call) => {
        const at = call.input.name.lastIndexOf('/')
        if (at < 0) throw noMemberNamed()
        const group = { name: call.input.name.slice(0, at) }
        return readMember(call, group, call.input.name.slice(at + 1))
      },
    },
  }),
  route({
    path: 'entity-membership/id/:id',
    summary: 'List the groups that an entity is in, by its id',
    fields: { ...pageFields, id: field.string({ default: '', description: 'Id of the entity' }) },
    verbs: {
      list: (call) =>
        listMemberships(
          call,
          entityById(call, call.input.id),
          `no entity with the id ${JSON.stringify(call.input.id)}`,
        ),
    },
  }),
  route({
    path: 'entity-membership/name/*name',
    summary: 'List the groups that an entity is in, by its name',
    fields: {
      ...pageFields,
      name: field.string({ default: '', description: 'Name of the entity' }),
    },
    verbs: {
      list: (call) => {
        const entityName = listed(call.input.name)
        return listMemberships(
          call,
          entityByName(call, entityName),
          `no entity named ${JSON.stringify(entityName)}`,
        )
      },
    },
  }),
]

/** Lists may end in a slash, which is not of the name. */
const listed = (path: string): string => path.replace(/\/$/, '')
