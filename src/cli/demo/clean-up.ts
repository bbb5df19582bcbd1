import type { ApiClient } from '../../client/api-client.ts'
import { texts } from '../../client/secret.ts'

const PREFIX = 'demo-'

/** Removes everything that a demo made, also what one that was stopped left behind. */
export const cleanUp = async (root: ApiClient): Promise<void> => {
  await removeNamed(root, 'identity/group/name')
  await removeNamed(root, 'identity/entity/name')
  await removeNamed(root, 'sys/policies/acl')
  for (const kind of ['sys/auth', 'sys/mounts']) {
    const mounts = (await root.read(kind))?.data ?? {}
    for (const path of Object.keys(mounts)) {
      if (path.startsWith(PREFIX)) await root.delete(`${kind}/${path.replace(/\/$/, '')}`)
    }
  }
}

/** What of a demo is still there; empty after `cleanUp`. */
export const leftOvers = async (root: ApiClient): Promise<string[]> => {
  const named = await Promise.all(
    ['identity/group/name', 'identity/entity/name', 'sys/policies/acl'].map((path) =>
      demoNames(root, path),
    ),
  )
  const mounts = await Promise.all(
    ['sys/auth', 'sys/mounts'].map(async (kind) =>
      Object.keys((await root.read(kind))?.data ?? {}),
    ),
  )
  return [...named.flat(), ...mounts.flat().filter((path) => path.startsWith(PREFIX))]
}

const demoNames = async (root: ApiClient, path: string): Promise<string[]> =>
  texts((await root.list(path))?.data?.['keys']).filter((name) => name.startsWith(PREFIX))

const removeNamed = async (root: ApiClient, path: string): Promise<void> => {
  for (const name of await demoNames(root, path)) await root.delete(`${path}/${name}`)
}
