import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { MountRecord } from '../../engine/ports/mounts.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { isProtected, PROTECTED_PREFIXES } from './mount-enable.ts'
import { mountPath, overlap } from './mount-path.ts'
import type { SystemOptions } from './options.ts'
import { trimSlashes } from '../../std/trim-slashes.ts'

const fields = {
  from: field.string({ default: '', description: 'Where the mount is; auth methods as `auth/x`' }),
  to: field.string({ default: '', description: 'Where it shall be' }),
}

const checkPaths = (from: string, to: string): void => {
  if (from === '' || to === '') {
    throw invalid("both 'from' and 'to' path must be specified as a string")
  }
  for (const [name, path] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (path.trimEnd() !== path) {
      throw invalid(`'${name}' path cannot contain trailing whitespace`)
    }
    // oxlint-disable-next-line no-control-regex -- these are the point
    if (/[\u0000-\u001f\u007f]/.test(path)) {
      throw invalid('path cannot contain non-printable characters')
    }
  }
}

const checkDestination = (given: string): void => {
  const path = trimSlashes(given)
  const parts = path.split('/')
  if (path === '' || parts.includes('..') || parts.includes('.')) {
    throw invalid(`invalid destination mount path "${given}"`)
  }
  if (parts.includes('')) {
    const clean = parts.filter((part) => part !== '').join('/')
    throw invalid(
      `invalid destination mount: path '${path}' does not match cleaned path '${clean}'`,
    )
  }
}

const move = (
  mount: MountRecord,
  present: readonly MountRecord[],
  to: string,
  { id, at }: { readonly id: string; readonly at: number },
): MountRecord => {
  const taken = present.find((record) => overlap(record.path, to))
  if (taken !== undefined) throw invalid(`path already in use at "${taken.path}"`)
  return { ...mount, path: to, moved: { id, from: mount.path, to, at } }
}

/** Moves a mount in one commit; tokens that it issued before are dead from then on. */
const remount = async (
  call: Call<{ readonly from: string; readonly to: string }>,
  { ports }: SystemOptions,
) => {
  const { input } = call
  checkPaths(input.from, input.to)
  checkDestination(input.to)
  const [from, to] = [mountPath(input.from), mountPath(input.to)]
  const isAuth = from.startsWith('auth/')
  if (isAuth && !to.startsWith('auth/')) {
    throw invalid(`cannot remount auth mount to non-auth mount "${to}"`)
  }
  if (isProtected({ path: from })) throw invalid(`cannot remount "${from}"`)
  const reserved = isAuth ? ['auth/token/'] : PROTECTED_PREFIXES
  if (reserved.some((prefix) => to.startsWith(prefix)) || to === 'auth/') {
    throw invalid(`cannot remount to destination ${to}`)
  }
  const { mounts } = ports()
  const id = call.newId()
  const noMount = () => invalid(`no matching mount at "${from}"`)
  const found = (await mounts.all(call.namespace)).find(({ path }) => path === from)
  if (found === undefined) throw noMount()
  const moved = await mounts.change(
    call.records,
    call.namespace,
    found.accessor,
    (mount, present) => {
      // It may have been moved since it was found.
      if (mount.path !== from) throw noMount()
      return move(mount, present, to, { id, at: call.now })
    },
  )
  if (moved === undefined) throw noMount()
  call.warn(
    "Mount move has been queued. Progress will be reported in OpenBao's server log, tagged with the returned migration_id",
  )
  return data({ migration_id: id })
}

/** `sys/remount`: moves a mount to another path. */
export const remountRoutes = (options: SystemOptions) => [
  route({
    path: 'remount',
    summary: 'Move a mount to another path; needs sudo',
    fields,
    sudo: true,
    copyDataToTop: true,
    verbs: { update: (call) => remount(call, options) },
  }),
  route({
    path: 'remount/status/:migration_id',
    summary: 'Tell how a move went: the last one of each mount is remembered',
    fields: { migration_id: field.string({ default: '', description: 'What the move answered' }) },
    verbs: {
      read: async (call) => {
        const { migration_id: id } = call.input
        const all = await options.ports().mounts.all(call.namespace)
        const moved = all.find((record) => record.moved?.id === id)?.moved
        if (moved === undefined) return undefined
        return data({
          migration_id: id,
          migration_info: { source_mount: moved.from, target_mount: moved.to, status: 'success' },
        })
      },
    },
  }),
]
