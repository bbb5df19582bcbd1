import type { Call } from '../../engine/call.ts'
import type { Engine, RenewRequest } from '../../engine/engine.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { Tx } from '../../engine/records.ts'
import { failed, invalid, Refusal } from '../../engine/refusal.ts'
import type { Login } from '../../engine/result.ts'
import { data, login } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { Lockout } from '../shared/lockout.ts'
import type { Passwords } from '../shared/password.ts'
import { checkedHash } from '../shared/password.ts'
import { samePolicies } from '../shared/policies.ts'
import { pageFields, sortedNames } from '../../engine/sorted-names.ts'
import {
  checkBoundCidrs,
  readTokenFields,
  shownTokenFields,
  tokenFields,
  twinFields,
  unsetTokenSettings,
} from '../shared/token-fields.ts'
import type { User } from './user-record.ts'
import { dropMount, allUsers, userRef } from './user-record.ts'

/*
 * The template of an auth method: what it keeps (user-record.ts), its routes as data, the handlers below them, and what a
 * renewal asks. To add a method, copy this folder and add one line to src/builtin.ts.
 */

const username = field.lowerString({ default: '', description: 'Name of the user' })

const passwordFields = {
  username,
  password: field.string({ default: '', description: 'Password of the user' }),
  password_hash: field.string({ default: '', description: 'Its bcrypt hash instead' }),
}

const policiesFields = {
  username,
  token_policies: tokenFields.token_policies,
  ...twinFields('policies'),
}

const userFields = {
  ...passwordFields,
  ...tokenFields,
  ...twinFields('policies', 'ttl', 'max_ttl', 'bound_cidrs'),
}

const loginFields = { username, password: passwordFields.password }

/** What the method needs of the server. */
export interface UserpassDeps {
  readonly passwords: Passwords
  readonly lockout: Lockout
}

/** Log in with a name and a password kept here (spec/auth.md 6.1). */
export const userpass = (deps: UserpassDeps): Engine => ({
  type: 'userpass',
  class: 'auth',
  summary: 'Log in with a user name and a password',
  lockout: true,
  drop: dropMount,
  routes: [
    route({
      path: 'users',
      summary: 'List the users',
      fields: pageFields,
      verbs: {
        list: ({ records, namespace, mount, input }) =>
          sortedNames(records, allUsers(namespace, mount), ({ name }) => name, input),
      },
    }),
    route({
      path: 'users/:username',
      summary: 'Read, create, update or delete a user',
      fields: userFields,
      exists: (call) => userRef(call, call.input.username),
      verbs: {
        read: readUser,
        create: (call) => writeUser(call, deps),
        update: (call) => writeUser(call, deps),
        delete: (call) => deleteUser(call, deps),
      },
    }),
    route({
      path: 'users/:username/password',
      summary: 'Change the password of a user',
      fields: passwordFields,
      verbs: { update: (call) => writePassword(call, deps) },
    }),
    route({
      path: 'users/:username/policies',
      summary: 'Replace the policies of a user',
      fields: policiesFields,
      verbs: { update: writePolicies },
    }),
    route({
      path: 'login/:username',
      summary: 'Log in',
      public: true,
      fields: loginFields,
      verbs: { update: (call) => logIn(call, deps) },
    }),
  ],
  renew,
})

const readUser = async (call: Call<InputOf<typeof userFields>>) => {
  const user = await call.records.get(userRef(call, call.input.username))
  return user && data(shownTokenFields(user.token))
}

/** Creates a user or changes what was sent. The hash is made before the transaction, which may run more than once. */
const writeUser = async (call: Call<InputOf<typeof userFields>>, { passwords }: UserpassDeps) => {
  const name = call.input.username
  const sent = call.has('password') || call.has('password_hash')
  const newHash = sent ? await hashOf(call.input, passwords) : undefined
  await call.records.transact(async (tx) => {
    const user = await tx.get(userRef(call, name))
    const { settings } = readTokenFields(call.input, user?.token ?? unsetTokenSettings)
    const passwordHash = newHash ?? user?.passwordHash
    if (passwordHash === undefined) throw noPassword()
    tx.put(userRef(call, name), { name, passwordHash, token: settings })
  })
  return undefined
}

const deleteUser = async (call: Call<InputOf<typeof userFields>>, { lockout }: UserpassDeps) => {
  const name = call.input.username
  await call.records.transact(async (tx) => {
    if ((await tx.get(userRef(call, name))) === undefined) return
    tx.delete(userRef(call, name))
    lockout.forget(call, tx, name)
  })
  return undefined
}

const writePassword = async (
  call: Call<InputOf<typeof passwordFields>>,
  { passwords }: UserpassDeps,
) => {
  const ref = userRef(call, call.input.username)
  knownUser(await call.records.get(ref))
  const passwordHash = await hashOf(call.input, passwords)
  await call.records.transact(async (tx) => {
    tx.put(ref, { ...knownUser(await tx.get(ref)), passwordHash })
  })
  return undefined
}

const writePolicies = async (call: Call<InputOf<typeof policiesFields>>) => {
  const ref = userRef(call, call.input.username)
  await call.records.transact(async (tx) => {
    const user = knownUser(await tx.get(ref))
    tx.put(ref, { ...user, token: readTokenFields(call.input, user.token).settings })
  })
  return undefined
}

/**
 * Logs in. Checking the password takes a tenth of a second, so it comes before the transaction; the transaction reads the
 * user again and refuses if the password is another by then (architecture.md A8, B5).
 */
const logIn = async (
  call: Call<InputOf<typeof loginFields>>,
  { passwords, lockout }: UserpassDeps,
) => {
  const { username: name, password } = call.input
  if (password === '') throw new Refusal('failed', 'missing password')
  await lockout.check(call, name)
  const checked = await call.records.get(userRef(call, name))
  if (!(await passwords.verifyOrDummy(checked?.passwordHash, password))) {
    await lockout.failed(call, name, checked !== undefined)
    throw wrongPassword()
  }
  return login(async (tx): Promise<Login> => {
    const user = await tx.get(userRef(call, name))
    if (user === undefined || user.passwordHash !== checked?.passwordHash) throw wrongPassword()
    checkBoundCidrs(user.token.parameters, call.remoteAddress)
    await lockout.succeeded(call, tx, name)
    return {
      token: user.token.parameters,
      displayName: name,
      metadata: { username: name },
      alias: { name },
      internal: { username: name },
    }
  })
}

/** A token is renewed with the lifetimes its user has now; not (204) without the user, nor when its policies are others. */
const renew = async (request: RenewRequest, tx: Tx) => {
  const user = await tx.get(userRef(request, request.internal['username'] ?? ''))
  if (user === undefined) return undefined
  const { policies, ttl, maxTtl, period } = user.token.parameters
  if (!samePolicies(policies, request.tokenPolicies)) {
    throw failed('policies have changed, not renewing')
  }
  return { ttl, maxTtl, period }
}

const hashOf = async (
  { password, password_hash: hash }: InputOf<typeof passwordFields>,
  passwords: Passwords,
): Promise<string> => {
  if (password === '' && hash === '') throw noPassword()
  if (password !== '' && hash !== '') {
    throw invalid('only one of password or password_hash may be provided')
  }
  return hash === '' ? passwords.hash(password) : checkedHash(hash)
}

const knownUser = (user: User | undefined): User => {
  if (user === undefined) throw failed('username does not exist')
  return user
}

const noPassword = () => invalid('must provide either password or password_hash')
const wrongPassword = () => invalid('invalid username or password')
