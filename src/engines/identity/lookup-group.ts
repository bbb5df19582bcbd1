import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { lookupFields, lookupQuery } from './lookup-query.ts'
import { byAliasId, byAliasName, byId, byName, hintGroupId, readGroup } from './group-read.ts'

/** `lookup/group`: a group by one of its identifiers; 204 when there is none. */
export const lookupGroupRoute = (mounts: MountDirectory): Route =>
  route({
    path: 'lookup/group',
    summary: 'Find a group by id, name or alias',
    fields: lookupFields('group'),
    verbs: {
      update: async (call) => {
        const { input } = call
        switch (lookupQuery(input, (key) => call.has(key))) {
          case undefined:
            return undefined
          case 'id': {
            const found = await readGroup(call, mounts, byId(call, input.id))
            if (found === undefined) await hintGroupId(call, input.id)
            return found
          }
          case 'name':
            return readGroup(call, mounts, byName(call, input.name))
          case 'alias_id':
            return readGroup(call, mounts, byAliasId(call, input.alias_id))
          case 'alias':
            return readGroup(
              call,
              mounts,
              byAliasName(call, input.alias_mount_accessor, input.alias_name),
            )
        }
      },
    },
  })
