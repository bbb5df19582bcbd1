import type { Call } from '../../../engine/call.ts'
import type { InputOf } from '../../../engine/field.ts'
import { field } from '../../../engine/field.ts'
import { invalid } from '../../../engine/refusal.ts'
import { data, listOf } from '../../../engine/result.ts'
import type { Route } from '../../../engine/route.ts'
import { route } from '../../../engine/route.ts'
import { base62 } from '../../../std/base62.ts'
import { CLIENT_ID_LENGTH } from './drawn-lengths.ts'
import { findKey, putKey, referTo, referred } from './keys.ts'
import type { RoleRecord } from './records.ts'
import { oidcRoles } from './records.ts'
import { allByName, putObject, roleRef, sortedSet } from './refs.ts'
import { readTemplate } from './template-claims.ts'

const fields = {
  name: field.string({ default: '', description: 'Name of the role' }),
  key: field.string({ description: 'The named key that signs its tokens' }),
  template: field.string({ description: 'Further claims: a JSON template, or base64 of one' }),
  ttl: field.duration({ description: 'How long its tokens are valid; 24h if not given' }),
  client_id: field.string({ description: 'The audience of its tokens; generated if not given' }),
  allowed_audiences: field.commaList({
    description: 'Audiences that requests may ask for instead of client_id',
  }),
}

type RoleCall = Call<InputOf<typeof fields>>

const TTL_SECONDS = 86_400

/** Makes or changes a role (identity.md 5.3). Throws the recorded Refusals. */
const writeRole = async (call: RoleCall): Promise<void> => {
  const { input } = call
  const ref = roleRef(call, input.name)
  const newClientId = base62(call.randomBytes, CLIENT_ID_LENGTH.role)
  const seen = await call.records.get(ref)
  const keyName = input.key ?? seen?.key ?? ''
  if (keyName === '') throw invalid('the key parameter is required')
  const template = input.template === undefined ? undefined : readTemplate(input.template, call.now)
  await referTo(call, keyName, async (tx, key) => {
    const present = await tx.get(ref)
    // A role that was given another key meanwhile: what was sent without a key is about that one.
    if (input.key === undefined && present?.key !== keyName) {
      throw invalid('the key parameter is required')
    }
    if (key === undefined) throw invalid(`cannot find key "${keyName}"`)
    const role: RoleRecord = {
      name: input.name,
      key: keyName,
      template: template ?? present?.template ?? '',
      ttl: input.ttl ?? present?.ttl ?? TTL_SECONDS,
      clientId: (input.client_id ?? present?.clientId) || newClientId,
      allowedAudiences:
        input.allowed_audiences === undefined
          ? (present?.allowedAudiences ?? [])
          : sortedSet(input.allowed_audiences),
    }
    if (role.ttl > key.verificationTtl) {
      throw invalid(
        "a role's token ttl cannot be longer than the verification_ttl of the key it references",
      )
    }
    putObject(tx, ref, role)
    if (present !== undefined && present.key !== keyName) {
      const old = await findKey(tx, call, present.key)
      if (old !== undefined) putKey(tx, call, old, referred(old, 'roles', -1))
    }
    const change = present?.key === keyName ? 0 : 1
    return { key: referred(key, 'roles', change), result: undefined }
  })
}

const deleteRole = async (call: RoleCall): Promise<void> => {
  const ref = roleRef(call, call.input.name)
  await call.records.transact(async (tx) => {
    const role = await tx.get(ref)
    if (role === undefined) return
    tx.delete(ref)
    const key = await findKey(tx, call, role.key)
    if (key !== undefined) putKey(tx, call, key, referred(key, 'roles', -1))
  })
}

/** The routes of roles for identity tokens. */
export const roleRoutes: readonly Route[] = [
  route({
    path: 'oidc/role',
    summary: 'List the roles for identity tokens',
    fields: {},
    verbs: {
      list: async ({ records, namespace }) => {
        const roles = await allByName(records, oidcRoles.under(namespace.number))
        return listOf(roles.map(({ name }) => name))
      },
    },
  }),
  route({
    path: 'oidc/role/:name',
    summary: 'Create, read, update or delete a role for identity tokens',
    fields,
    exists: (call) => roleRef(call, call.input.name),
    verbs: {
      read: async (call) => {
        const role = await call.records.get(roleRef(call, call.input.name))
        if (role === undefined) return undefined
        return data({
          client_id: role.clientId,
          key: role.key,
          template: role.template,
          ttl: role.ttl,
          allowed_audiences: role.allowedAudiences,
        })
      },
      update: async (call) => {
        await writeRole(call)
        return undefined
      },
      delete: async (call) => {
        await deleteRole(call)
        return undefined
      },
    },
  }),
]
