import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import type { Route } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import { deleteAlias } from './alias-delete.ts'
import { listAliases, readAlias } from './alias-read.ts'
import type { AliasWrite } from './alias-write.ts'
import { writeAlias } from './alias-write.ts'
import { pageById, pageFields } from './list-page.ts'

const legacyFields = {
  id: field.string({ default: '', description: 'Id of the alias; set: update this alias only' }),
  name: field.string({ default: '', description: 'Name the auth method gives to the login' }),
  mount_accessor: field.string({ default: '', description: 'Accessor of the auth mount' }),
  canonical_id: field.string({
    default: '',
    description: 'Id of the entity; a new entity when missing',
  }),
  entity_id: field.string({
    default: '',
    deprecated: true,
    description: 'Old name of canonical_id; read when that is missing',
  }),
}

const fields = {
  ...legacyFields,
  custom_metadata: field.keyValues({
    description: 'Metadata that operators keep on the alias; replaces the map',
  }),
}

const aliasWrite = ({ input }: Call<InputOf<typeof legacyFields>>): AliasWrite => ({
  id: input.id,
  name: input.name,
  mountAccessor: input.mount_accessor,
  canonicalId: input.canonical_id === '' ? input.entity_id : input.canonical_id,
  customMetadata: undefined,
})

/** The routes of entity aliases (identity.md 2). */
export const aliasRoutes = (mounts: MountDirectory): readonly Route[] => {
  const write = (call: Call<InputOf<typeof fields>>) =>
    writeAlias(call, mounts, { ...aliasWrite(call), customMetadata: call.input.custom_metadata })
  return [
    route({
      path: 'entity-alias',
      summary: 'Create or update an alias of an entity',
      fields,
      verbs: { update: write },
    }),
    listRoute('entity-alias/id', mounts),
    route({
      path: 'entity-alias/id/:id',
      summary: 'Read, update or delete an alias of an entity by id',
      fields,
      verbs: { read: readVerb(mounts), update: write, delete: deleteVerb },
    }),
  ]
}

/** The older paths of entity aliases (identity.md 1.9). Writes to `persona` make entities: see entity-routes.ts. */
export const legacyAliasRoutes = (mounts: MountDirectory): readonly Route[] => {
  const write = (call: Call<InputOf<typeof legacyFields>>) =>
    writeAlias(call, mounts, aliasWrite(call))
  return [
    route({
      path: 'alias',
      summary: 'Create or update an alias of an entity (use entity-alias)',
      fields: legacyFields,
      verbs: { update: write },
    }),
    listRoute('alias/id', mounts),
    route({
      path: 'alias/id/:id',
      summary: 'Read, update or delete an alias by id (use entity-alias/id)',
      fields: legacyFields,
      verbs: { read: readVerb(mounts), update: write, delete: deleteVerb },
    }),
    listRoute('persona/id', mounts),
  ]
}

/** Lists entity aliases under one of their paths. */
const listRoute = (path: string, mounts: MountDirectory): Route =>
  route({
    path,
    summary: 'List aliases of entities by id',
    fields: pageFields,
    verbs: { list: (call) => listAliases(call, mounts, pageById(call)) },
  })

type IdCall = Call<{ readonly id: string }>

/** Reads the alias of the id in the path. */
export const readVerb = (mounts: MountDirectory) => (call: IdCall) =>
  readAlias(call, mounts, call.input.id)

/** Deletes the alias of the id in the path. */
export const deleteVerb = async (call: IdCall): Promise<undefined> => {
  await deleteAlias(call, call.input.id)
  return undefined
}
