import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { enableFields, enableMount, isProtected } from './mount-enable.ts'
import { mountPath, shownPath } from './mount-path.ts'
import { readTuning, tuneFields, tuneMount } from './mount-tune.ts'
import { mountObject } from './mount-view.ts'
import type { SystemOptions } from './options.ts'

const path = field.string({ default: '', description: 'The mount' })

const AUTH = { class: 'auth', noun: 'auth method', under: 'auth/' } as const
const SECRET = { class: 'secret', noun: 'secrets engine', under: '' } as const

const disable = async (
  call: Call<{ readonly path: string }>,
  kind: typeof AUTH | typeof SECRET,
  options: SystemOptions,
): Promise<undefined> => {
  const { mounts } = options.ports()
  const wanted = `${kind.under}${mountPath(call.input.path)}`
  const found = (await mounts.all(call.namespace)).find((record) => record.path === wanted)
  if (found === undefined || found.class !== kind.class) return undefined
  if (isProtected(found)) {
    throw invalid(
      kind.class === 'auth'
        ? 'token credential backend cannot be disabled'
        : `cannot unmount "${found.path}"`,
    )
  }
  await mounts.remove(call.records, call.namespace, found.accessor)
  return undefined
}

const routesOf = (kind: typeof AUTH | typeof SECRET, base: string, options: SystemOptions) => [
  route({
    path: base,
    summary: `List the ${kind.noun}s`,
    fields: {},
    copyDataToTop: true,
    verbs: {
      read: async (call) => {
        const all = await options.ports().mounts.all(call.namespace)
        return data(
          Object.fromEntries(
            all
              .filter((record) => record.class === kind.class)
              .map((record) => [shownPath(record), mountObject(record, options.facts)]),
          ),
        )
      },
    },
  }),
  route({
    path: `${base}/*path/tune`,
    summary: `Tune an ${kind.noun}`.replace('an s', 'a s'),
    fields: tuneFields,
    sudo: kind.class === 'auth',
    copyDataToTop: true,
    verbs: {
      read: (call) => readTuning(call, `${kind.under}${mountPath(call.input.path)}`, options),
      update: (call) => tuneMount(call, `${kind.under}${mountPath(call.input.path)}`, options),
    },
  }),
  route({
    path: `${base}/*path`,
    summary: `Enable, read or disable an ${kind.noun}`.replace('an s', 'a s'),
    fields: { ...enableFields, path },
    sudo: kind.class === 'auth',
    copyDataToTop: true,
    verbs: {
      read: async (call) => {
        const shown = mountPath(call.input.path)
        const found = await options.ports().mounts.covering(call.namespace, `${kind.under}${shown}`)
        // `sys/mounts/auth/…` shows auth methods, as tuning there tunes them: Terraform's provider asks so.
        const isOfKind = found?.class === kind.class || shown.startsWith(AUTH.under)
        if (found === undefined || !isOfKind) {
          const engine = kind.class === 'auth' ? 'auth' : 'secret'
          throw invalid(
            `No ${engine} engine at ${shown}`.replace('secret engine', 'secret engine mount'),
          )
        }
        return data(mountObject(found, options.facts))
      },
      update: (call) => enableMount(call, kind.class, options),
      delete: (call) => disable(call, kind, options),
    },
  }),
]

/** `sys/mounts`: the secrets engines. */
export const mountRoutes = (options: SystemOptions) => routesOf(SECRET, 'mounts', options)

/** `sys/auth`: the auth methods. */
export const authRoutes = (options: SystemOptions) => routesOf(AUTH, 'auth', options)
