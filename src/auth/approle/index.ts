import type { Engine, RenewRequest } from '../../engine/engine.ts'
import type { Fields } from '../../engine/field.ts'
import type { Tx } from '../../engine/records.ts'
import { failed, Refusal } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import type { Handler } from '../../engine/route.ts'
import { route } from '../../engine/route.ts'
import type { Lockout } from '../shared/lockout.ts'
import { pageFields, sortedNames } from '../../engine/sorted-names.ts'
import { dropMount, allRoles, roleRef } from './approle-records.ts'
import { logIn, loginFields, neededRoleId } from './log-in.ts'
import { deleteRole, readRole, roleFields, roleOfId, writeRole } from './role.ts'
import { rolePartRoutes } from './role-parts.ts'
import {
  accessorFields,
  customFields,
  destroyAccessor,
  destroySecretId,
  generateSecretId,
  listSecretIds,
  lookUpAccessor,
  lookUpSecretId,
  registerCustomSecretId,
  secretIdFields,
  secretIdsFields,
} from './secret-id.ts'
import { tidySecretIds } from './sweep.ts'

/** What the method needs of the server. */
export interface ApproleDeps {
  readonly lockout: Lockout
}

/** Log in as a machine, with a role id and a secret id (spec/auth.md 6.2). */
export const approle = ({ lockout }: ApproleDeps): Engine => ({
  type: 'approle',
  class: 'auth',
  summary: 'Log in with a role id and a secret id',
  lockout: true,
  loginRole: async (place, { role_id: roleId }) =>
    typeof roleId === 'string'
      ? (await roleOfId(place, place.records, roleId.trim()))?.name
      : undefined,
  drop: dropMount,
  routes: [
    route({
      path: 'login',
      summary: 'Log in',
      public: true,
      fields: loginFields,
      verbs: { update: (call) => logIn(call, lockout), read: refuseVerb, delete: refuseVerb },
    }),
    route({
      path: 'role',
      summary: 'List the roles',
      fields: pageFields,
      verbs: {
        list: (call) => sortedNames(call.records, allRoles(call), ({ name }) => name, call.input),
      },
    }),
    route({
      path: 'role/:role_name',
      summary: 'Read, create, update or delete a role',
      fields: roleFields,
      exists: (call) => roleRef(call, call.input.role_name),
      verbs: { read: readRole, create: writeRole, update: writeRole, delete: deleteRole },
    }),
    ...rolePartRoutes,
    route({
      path: 'role/:role_name/secret-id',
      summary: 'Make a secret id, list the accessors of all',
      fields: secretIdsFields,
      verbs: { update: generateSecretId, list: listSecretIds },
    }),
    route({
      path: 'role/:role_name/custom-secret-id',
      summary: 'Register a secret id of your own',
      fields: customFields,
      verbs: { update: registerCustomSecretId },
    }),
    route({
      path: 'role/:role_name/secret-id/lookup',
      summary: 'Show a secret id',
      fields: secretIdFields,
      verbs: { update: lookUpSecretId },
    }),
    route({
      path: 'role/:role_name/secret-id/destroy',
      summary: 'Remove a secret id',
      fields: secretIdFields,
      verbs: { update: destroySecretId, delete: destroySecretId },
    }),
    route({
      path: 'role/:role_name/secret-id-accessor/lookup',
      summary: 'Show the secret id of an accessor',
      fields: accessorFields,
      verbs: { update: lookUpAccessor },
    }),
    route({
      path: 'role/:role_name/secret-id-accessor/destroy',
      summary: 'Remove the secret id of an accessor',
      fields: accessorFields,
      verbs: { update: destroyAccessor, delete: destroyAccessor },
    }),
    route({
      path: 'tidy/secret-id',
      summary: 'Remove what is left of expired secret ids and deleted roles',
      fields: {},
      verbs: { update: tidyOnce() },
    }),
  ],
  renew,
})

/** Recorded: without a role id every request to the login path is answered as if it were a login. */
const refuseVerb: Handler<typeof loginFields> = (call) => {
  neededRoleId(call)
  throw new Refusal('unsupported', 'unsupported operation')
}

/** One tidy at a time for each mount in this process; a second at once would only do the same work again. */
const tidyOnce = (): Handler<Fields> => {
  const running = new Set<string>()
  return async (call) => {
    const { uuid } = call.mount
    if (running.has(uuid)) {
      call.warn('Tidy operation already in progress.')
      return data(null)
    }
    running.add(uuid)
    try {
      await tidySecretIds(call)
    } finally {
      running.delete(uuid)
    }
    call.warn(
      "Tidy operation successfully started. Any information from the operation will be printed to OpenBao's server logs.",
    )
    return data(null, { status: 202 })
  }
}

/** A token is renewed with the lifetimes its role has now. */
const renew = async (request: RenewRequest, tx: Tx) => {
  const name = request.internal['role_name'] ?? ''
  const role = await tx.get(roleRef(request, name))
  if (role === undefined) throw failed(`role "${name}" does not exist during renewal`)
  const { ttl, maxTtl, period } = role.token.parameters
  return { ttl, maxTtl, period }
}
