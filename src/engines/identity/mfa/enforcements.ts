import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import type { MountDirectory } from '../../../engine/identity-port.ts'
import type { Reader, Tx } from '../../../engine/records.ts'
import { invalid } from '../../../engine/refusal.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { limits } from '../../../limits.ts'
import { findEntity } from '../entity-record.ts'
import { groupRef } from '../group-record.ts'
import type { Enforcement } from './records.ts'
import type { Place } from './refs.ts'
import { enforcementsRef, findMethod } from './refs.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the enforcement' }),
  mfa_method_ids: field.stringList({ description: 'Methods of which any one satisfies it' }),
  auth_method_accessors: field.stringList({
    description: 'Accessors of auth mounts whose logins it binds',
  }),
  auth_method_types: field.stringList({
    description: 'Types of auth mounts whose logins it binds',
  }),
  identity_group_ids: field.stringList({ description: 'Groups whose members it binds' }),
  identity_entity_ids: field.stringList({ description: 'Entities that it binds' }),
}

type EnforcementCall = Call<InputOf<typeof fields>>

const TARGETS = [
  'auth_method_accessors',
  'auth_method_types',
  'identity_group_ids',
  'identity_entity_ids',
] as const

/** All enforcements of the namespace, in the order they were made. */
export const allEnforcements = async (
  reader: Reader,
  place: Place,
): Promise<readonly Enforcement[]> => (await reader.get(enforcementsRef(place)))?.list ?? []

/** Puts the enforcements. Throws a Refusal when they are more than every login should read. */
const putAll = (tx: Tx, place: Place, list: readonly Enforcement[]): void => {
  const ref = enforcementsRef(place)
  if (list.length === 0) {
    tx.delete(ref)
    return
  }
  if (ref.kind.encode({ list }).length > limits.mfaEnforcementBytes) {
    throw invalid(
      `the login enforcements would take more than ${limits.mfaEnforcementBytes} bytes together: bind groups instead of single entities`,
    )
  }
  tx.put(ref, { list })
}

const shown = (
  { namespace }: Pick<Call, 'namespace'>,
  enforcement: Enforcement,
): Readonly<Record<string, unknown>> => ({
  id: enforcement.id,
  name: enforcement.name,
  namespace_id: namespace.id,
  namespace_path: namespace.path,
  mfa_method_ids: enforcement.methodIds,
  auth_method_accessors: enforcement.mountAccessors,
  auth_method_types: enforcement.mountTypes,
  identity_group_ids: enforcement.groupIds,
  identity_entity_ids: enforcement.entityIds,
})

/** Throws the recorded Refusal for mounts that are not there. They are looked up in the mount table, not in the transaction. */
const checkMounts = async (mounts: MountDirectory, { input }: EnforcementCall): Promise<void> => {
  for (const accessor of input.auth_method_accessors ?? []) {
    const mount = await mounts.byAccessor(accessor)
    if (mount === undefined || !mount.path.startsWith('auth/')) {
      throw invalid('one of the auth method accessors provided is invalid')
    }
  }
  for (const type of input.auth_method_types ?? []) {
    if (!(await mounts.hasAuthType(type))) {
      throw invalid('one of the auth method types provided is invalid')
    }
  }
}

const checkIdentities = async (tx: Tx, { input, namespace }: EnforcementCall): Promise<void> => {
  for (const id of input.identity_group_ids ?? []) {
    const ref = groupRef(namespace.number, id)
    if (ref === undefined || (await tx.get(ref)) === undefined) {
      throw invalid("one of the provided group ids doesn't exist")
    }
  }
  for (const id of input.identity_entity_ids ?? []) {
    if ((await findEntity(tx, namespace.number, id)) === undefined) {
      throw invalid("one of the provided entity ids doesn't exist")
    }
  }
}

/** Makes an enforcement, or changes what was sent of it (identity.md 6.3). Throws the recorded Refusals in their order. */
const writeEnforcement = async (
  mounts: MountDirectory,
  call: EnforcementCall,
): Promise<undefined> => {
  const { input, has } = call
  const methodIds = input.mfa_method_ids ?? []
  if (methodIds.length === 0) throw invalid('missing method ids')
  const newId = call.newId()
  const named = [
    ...methodIds,
    ...(input.identity_group_ids ?? []),
    ...(input.identity_entity_ids ?? []),
  ]
  if (named.length > limits.mfaEnforcementIds) {
    throw invalid(
      `one request names ${named.length} methods, groups and entities; at most ${limits.mfaEnforcementIds} are possible: bind groups instead of single entities`,
    )
  }
  await call.records.transact(async (tx) => {
    for (const id of methodIds) {
      if ((await findMethod(tx, call, id)) === undefined) {
        throw invalid("one of the provided method ids doesn't exist")
      }
    }
    await checkMounts(mounts, call)
    await checkIdentities(tx, call)
    if (!TARGETS.some((name) => has(name))) {
      throw invalid(
        'One of auth_method_accessors, auth_method_types, identity_group_ids, identity_entity_ids must be specified',
      )
    }
    const list = await allEnforcements(tx, call)
    const present = list.find(({ name }) => name === input.name)
    const written: Enforcement = {
      id: present?.id ?? newId,
      name: input.name,
      methodIds,
      mountAccessors: input.auth_method_accessors ?? present?.mountAccessors ?? [],
      mountTypes: input.auth_method_types ?? present?.mountTypes ?? [],
      groupIds: input.identity_group_ids ?? present?.groupIds ?? [],
      entityIds: input.identity_entity_ids ?? present?.entityIds ?? [],
    }
    putAll(
      tx,
      call,
      present === undefined
        ? [...list, written]
        : list.map((one) => (one === present ? written : one)),
    )
  })
  return undefined
}

const deleteEnforcement = async (call: EnforcementCall): Promise<undefined> => {
  await call.records.transact(async (tx) => {
    const list = await allEnforcements(tx, call)
    const others = list.filter(({ name }) => name !== call.input.name)
    if (others.length < list.length) putAll(tx, call, others)
  })
  return undefined
}

/** The routes of login enforcements. */
export const enforcementRoutes = (mounts: MountDirectory): readonly Route[] => [
  route({
    path: 'mfa/login-enforcement',
    summary: 'List the login enforcements',
    fields: {},
    verbs: {
      list: async (call) => {
        const list = await allEnforcements(call.records, call)
        return listOf(
          list.map(({ name }) => name),
          Object.fromEntries(list.map((one) => [one.name, shown(call, one)])),
        )
      },
    },
  }),
  route({
    path: 'mfa/login-enforcement/:name',
    summary: 'Make, read, change or delete a login enforcement: which logins need a second factor',
    fields,
    verbs: {
      read: async (call) => {
        const list = await allEnforcements(call.records, call)
        const found = list.find(({ name }) => name === call.input.name)
        return found === undefined ? undefined : data(shown(call, found))
      },
      update: (call) => writeEnforcement(mounts, call),
      delete: deleteEnforcement,
    },
  }),
]
