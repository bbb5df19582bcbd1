import type { MountRecord } from '../engine/ports/mounts.ts'
import type { Route } from '../engine/route.ts'
import type { UnsealedParts } from './server-parts.ts'
import { trimSlashes } from '../std/trim-slashes.ts'

/** A mount where one can sign in with a name and a password. */
export interface PasswordMethod {
  /** `userpass/`, as people know it. */
  readonly path: string
  readonly description: string
  /** Whether it wants to be seen by people who have not signed in. */
  readonly visible: boolean
  /** Where a login of this name goes and what it takes along. */
  readonly login: (
    username: string,
    password: string,
  ) => { readonly path: string; readonly data: Readonly<Record<string, string>> }
}

/** A segment of a route that stands for the user's name, in whichever form. */
const USERNAME = /(?<=^|\/)[:+*]\w*username\??(?=\/|$)/

const isLogin = (route: Route): boolean =>
  route.public === true &&
  (route.verbs.update !== undefined || route.verbs.create !== undefined) &&
  /^login(?:\/|$)/.test(route.path) &&
  Object.hasOwn(route.fields, 'username') &&
  Object.hasOwn(route.fields, 'password')

const methodOf = (mount: MountRecord, route: Route): PasswordMethod => ({
  path: mount.path.replace(/^auth\//, ''),
  description: mount.description,
  visible: mount.tuning.listingVisibility === 'unauth',
  login: (username, password) =>
    USERNAME.test(route.path)
      ? {
          path: `${mount.path}${route.path.replace(USERNAME, () => username)}`,
          data: { password },
        }
      : { path: `${mount.path}${route.path}`, data: { username, password } },
})

/** Every mount whose method has a login that takes a name and a password, whatever the method is. */
export const passwordMethods = async (
  server: Pick<UnsealedParts, 'mounts' | 'routesOf'>,
): Promise<readonly PasswordMethod[]> =>
  (await server.mounts())
    .filter((mount) => mount.class === 'auth')
    .flatMap((mount) => {
      const route = server.routesOf(mount).find(isLogin)
      return route === undefined ? [] : [methodOf(mount, route)]
    })

/** The method of a mount as somebody wrote its path: `userpass`, `userpass/`, `/auth/userpass/`. */
export const findMethod = (
  methods: readonly PasswordMethod[],
  written: string,
): PasswordMethod | undefined => {
  const path = `${trimSlashes(written.trim())}/`
  return methods.find((method) => method.path === path || `auth/${method.path}` === path)
}
