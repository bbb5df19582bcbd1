import { trimSlashes } from '../../std/trim-slashes.ts'

/** A mount path in its stored form: no slash in front, one at the end. */
export const mountPath = (given: string): string => `${trimSlashes(given)}/`

/** Whether two mount paths cannot stand side by side: they are equal, or one begins the other. */
export const overlap = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a)

/** The path as `sys/auth` and errors show it: without `auth/`. */
export const shownPath = (mount: {
  readonly class: 'auth' | 'secret'
  readonly path: string
}): string => (mount.class === 'auth' ? mount.path.slice('auth/'.length) : mount.path)
