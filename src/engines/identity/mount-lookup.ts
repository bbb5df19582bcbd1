import type { Mount } from '../../engine/call.ts'
import type { MountDirectory } from '../../engine/identity-port.ts'
import { Refusal } from '../../engine/refusal.ts'
import { limits } from '../../limits.ts'
import { nextTurn } from '../../std/next-turn.ts'
import { pathHint } from './hints.ts'

/** The mount of an accessor as a client sent it. Throws the recorded Refusal, with a hint for those who sent a path. */
export const mountOf = async (mounts: MountDirectory, accessor: string): Promise<Mount> => {
  const mount = await mounts.byAccessor(accessor)
  if (mount !== undefined) return mount
  const path = accessor.endsWith('/') ? accessor : `${accessor}/`
  const meant = (await mounts.byPath(path)) ?? (await mounts.byPath(`auth/${path}`))
  throw new Refusal('invalid', `invalid mount accessor "${accessor}"`, {
    hints: pathHint(accessor, meant?.accessor),
  })
}

/** The mounts of accessors that are there, for many: asked at once, so that one look at the store confirms them. */
export const mountsOf = async (
  mounts: MountDirectory,
  accessors: readonly string[],
): Promise<ReadonlyMap<string, Mount>> => {
  const found = new Map<string, Mount>()
  for (let at = 0; at < accessors.length; at += limits.storeReadKeys) {
    if (at > 0) await nextTurn()
    const part = accessors.slice(at, at + limits.storeReadKeys)
    for (const mount of await Promise.all(part.map((accessor) => mounts.byAccessor(accessor)))) {
      if (mount !== undefined) found.set(mount.accessor, mount)
    }
  }
  return found
}

/** What answers say of the mount of an alias; nothing of one that is gone. */
export interface MountFields {
  readonly mount_path?: string
  readonly mount_type?: string
}

/** The same of a mount that was found. */
export const fieldsOfMount = (mount: Mount | undefined): MountFields =>
  mount === undefined ? {} : { mount_path: mount.path, mount_type: mount.type }

/** Where a mount is now; nothing for one that is gone. */
export const mountFields = async (mounts: MountDirectory, accessor: string): Promise<MountFields> =>
  fieldsOfMount(await mounts.byAccessor(accessor))
