import type { Engine, RenewRequest } from '../../engine/engine.ts'
import type { Tx } from '../../engine/records.ts'
import { failed } from '../../engine/refusal.ts'
import type { Renewal } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { Route } from '../../engine/route.ts'
import { pageFields } from '../../engine/sorted-names.ts'
import { goLower } from '../../std/go-lower.ts'
import { configFields } from './config-fields.ts'
import { readConfig } from './config-read.ts'
import { writeConfig } from './config-write.ts'
import type { KeySources } from './key-sources.ts'
import { keySources } from './key-sources.ts'
import { loginFields, loginWithJwt } from './login.ts'
import type { Outbound } from './outbound.ts'
import { outbound as realOutbound } from './outbound.ts'
import { configRef, dropMount, roleRef } from './records.ts'
import { roleFields } from './role-fields.ts'
import { deleteRole, listRoles, readRole } from './role-read.ts'
import { writeRole } from './role-write.ts'

const routes = (outbound: Outbound, sources: KeySources): readonly Route[] => [
  route({
    path: 'config',
    summary: 'Where the keys of tokens come from',
    fields: configFields,
    verbs: {
      read: (call) => readConfig(call, outbound),
      update: (call) => writeConfig(call, outbound),
    },
  }),
  route({
    path: 'role',
    summary: 'Names of the roles',
    fields: pageFields,
    verbs: { list: listRoles },
  }),
  route({
    path: 'role/:name',
    summary: 'A role: which tokens log in, as whom, and what tokens of ours they get',
    fields: roleFields,
    exists: (call) => roleRef(call, call.input.name),
    verbs: { read: readRole, create: writeRole, update: writeRole, delete: deleteRole },
  }),
  route({
    path: 'login',
    summary: 'Logs in with a signed token',
    fields: loginFields,
    public: true,
    verbs: { update: (call) => loginWithJwt(call, sources) },
  }),
]

const loginRole: Engine['loginRole'] = async (place, { role }) => {
  if (typeof role === 'string' && role !== '') return goLower(role)
  const name = (await place.records.get(configRef(place)))?.defaultRole
  return name === '' ? undefined : name
}

/** A renewed token gets its role's present lifetimes; the groups claimed at the login are applied again by the core. */
const renew = async (request: RenewRequest, tx: Tx): Promise<Renewal> => {
  const name = request.internal['role'] ?? ''
  const role = await tx.get(roleRef(request, name))
  if (role === undefined) throw failed(`role ${name} does not exist during renewal`)
  const { ttl, maxTtl, period } = role.token.parameters
  return { ttl, maxTtl, period }
}

/** The auth method for signed tokens under both of its names; `outbound` is the way to the providers. */
export const jwtEngines = (outbound: Outbound = realOutbound): readonly Engine[] => {
  const shared = {
    class: 'auth',
    summary: 'Logs in with tokens that an identity provider signed',
    routes: routes(outbound, keySources(outbound)),
    renew,
    loginRole,
    drop: dropMount,
  } as const
  return [
    { type: 'jwt', ...shared },
    { type: 'oidc', ...shared },
  ]
}
