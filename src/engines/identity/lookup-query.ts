import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'

/** The fields of `lookup/entity` and `lookup/group`. */
export const lookupFields = (what: 'entity' | 'group') => ({
  id: field.string({ default: '', description: `Id of the ${what}` }),
  name: field.string({ default: '', description: `Name of the ${what}` }),
  alias_id: field.string({ default: '', description: `Id of the alias of the ${what}` }),
  alias_name: field.string({
    default: '',
    description: 'Name of the alias; with alias_mount_accessor',
  }),
  alias_mount_accessor: field.string({
    default: '',
    description: 'Accessor of the mount of the alias; with alias_name',
  }),
})

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
