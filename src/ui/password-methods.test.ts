import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { field } from '../engine/field.ts'
import type { MountRecord } from '../engine/ports/mounts.ts'
import type { Fields } from '../engine/field.ts'
import type { Route } from '../engine/route.ts'
import { route } from '../engine/route.ts'
import { findMethod, passwordMethods } from './password-methods.ts'

const username = field.string()
const password = field.string()

const loginRoute = (path: string, fields: Fields, isPublic = true): Route =>
  route({ path, summary: '', fields, public: isPublic, verbs: { update: () => undefined } })

const methodsOf = (mounts: Readonly<Record<string, readonly Route[]>>) =>
  passwordMethods({
    mounts: async () =>
      Object.keys(mounts).map((path) => {
        const mount: Partial<MountRecord> = {
          class: path.startsWith('auth/') ? 'auth' : 'secret',
          path,
          description: '',
          tuning: { listingVisibility: '' } as MountRecord['tuning'],
        }
        return mount as MountRecord
      }),
    routesOf: ({ path }) => mounts[path]!,
  })

describe('methods with a password', () => {
  it('are those whose login takes a name and a password, in whichever form', async () => {
    const both = { username, password }
    const methods = await methodsOf({
      'auth/one/': [loginRoute('login/:username', both)],
      'auth/deep/ldap/': [loginRoute('login/*username', both)],
      'auth/radius/': [loginRoute('login/:urlusername', { ...both, urlusername: username })],
      'auth/plain/': [loginRoute('users/:username', both), loginRoute('login', both)],
      'auth/jwt/': [loginRoute('login', { role: username, jwt: password })],
      'auth/closed/': [loginRoute('login/:username', both, false)],
      'secret/': [loginRoute('login/:username', both)],
    })
    assert.deepEqual(
      methods.map(({ path, login }) => [path, login('a/$&b', 'pw')]),
      [
        ['one/', { path: 'auth/one/login/a/$&b', data: { password: 'pw' } }],
        ['deep/ldap/', { path: 'auth/deep/ldap/login/a/$&b', data: { password: 'pw' } }],
        ['radius/', { path: 'auth/radius/login/a/$&b', data: { password: 'pw' } }],
        ['plain/', { path: 'auth/plain/login', data: { username: 'a/$&b', password: 'pw' } }],
      ],
    )
    for (const written of ['deep/ldap', '/deep/ldap/', ' auth/deep/ldap', 'deep/ldap/'])
      assert.equal(findMethod(methods, written)?.path, 'deep/ldap/', written)
    for (const written of ['', '/', 'deep', 'auth/', 'jwt', '../one'])
      assert.equal(findMethod(methods, written), undefined, written)
  })
})
