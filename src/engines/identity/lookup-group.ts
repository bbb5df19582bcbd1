import { field } from '../../engine/field.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import { invalid } from '../../engine/refusal.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { byAliasId, byAliasName, byId, byName, hintGroupId, readGroup } from './group-read.ts'

const QUERY = ['id', 'name', 'alias_id', 'alias_name', 'alias_mount_accessor'] as const
type Query = (typeof QUERY)[number]

/**
 * Which of the lookup queries is asked, judged by the presence of the keys (identity.md 4); undefined = nothing can be
 * found (an empty value). Throws the recorded Refusals.
 */
export const lookupQuery = (
  input: Readonly<Record<Query, string>>,
  has: (key: Query) => boolean,
): 'id' | 'name' | 'alias_id' | 'alias' | undefined => {
  const sent = QUERY.filter(has)
  const [only] = sent
  if (only === undefined) throw invalid('query parameter not supplied')
  if (sent.length === 1) {
    if (input[only] === '') return undefined
    if (only === 'alias_name' || only === 'alias_mount_accessor') {
      throw invalid("both 'alias_name' and 'alias_mount_accessor' needs to be set")
    }
    return only
  }
  const alias = sent.length === 2 && has('alias_name') && has('alias_mount_accessor')
  if (!alias || input.alias_name === '' || input.alias_mount_accessor === '') {
    throw invalid('query parameter conflict; please supply distinct set of query parameters')
  }
  return 'alias'
}

/** `lookup/group`: a group by one of its identifiers; 204 when there is none. */
export const lookupGroupRoute = (mounts: MountDirectory): Route =>
  route({
    path: 'lookup/group',
    summary: 'Find a group by id, name or alias',
    fields: {
      id: field.string({ default: '', description: 'Id of the group' }),
      name: field.string({ default: '', description: 'Name of the group' }),
      alias_id: field.string({ default: '', description: 'Id of the alias of the group' }),
      alias_name: field.string({
        default: '',
        description: 'Name of the alias; with alias_mount_accessor',
      }),
      alias_mount_accessor: field.string({
        default: '',
        description: 'Accessor of the mount of the alias; with alias_name',
      }),
    },
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
