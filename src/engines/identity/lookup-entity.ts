import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import type { EntityReads } from './entity-read.ts'
import {
  entityByAliasId,
  entityByAliasName,
  entityByName,
  hintEntityId,
  readEntity,
  readEntityById,
} from './entity-read.ts'
import { lookupFields, lookupQuery } from './lookup-query.ts'

/** `lookup/entity`: an entity by one of its identifiers; 204 when there is none (identity.md 4). */
export const lookupEntityRoute = (reads: EntityReads): Route =>
  route({
    path: 'lookup/entity',
    summary: 'Find an entity by id, name or alias',
    fields: lookupFields('entity'),
    verbs: {
      update: async (call) => {
        const { input } = call
        switch (lookupQuery(input, (key) => call.has(key))) {
          case undefined:
            return undefined
          case 'id': {
            const found = await readEntityById(call, reads, input.id)
            if (found === undefined) await hintEntityId(call, input.id)
            return found
          }
          case 'name':
            return readEntity(call, reads, entityByName(call, input.name))
          case 'alias_id':
            return readEntity(call, reads, entityByAliasId(call, input.alias_id))
          case 'alias':
            return readEntity(
              call,
              reads,
              entityByAliasName(call, input.alias_mount_accessor, input.alias_name),
            )
        }
      },
    },
  })
