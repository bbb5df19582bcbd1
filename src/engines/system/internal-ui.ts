import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import type { MountRecord } from '../../engine/ports/mounts.ts'
import { denied, failed, Refusal } from '../../engine/refusal.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { mountPath, shownPath } from './mount-path.ts'
import { mountObject } from './mount-view.ts'
import type { SystemOptions } from './options.ts'

const path = field.string({ default: '', description: 'A path in the mount' })

/** What anybody sees of a mount that wants to be seen. */
const briefly = ({ type, description, options }: MountRecord) => ({ type, description, options })

const visibleMounts = async (call: Pick<Call, 'namespace' | 'caller'>, options: SystemOptions) => {
  const { mounts, access } = options.ports()
  const { caller } = call
  const seen = (record: MountRecord): boolean =>
    record.tuning.listingVisibility === 'unauth' ||
    (caller !== undefined && access.touches(caller, record.path))
  const all = (await mounts.all(call.namespace)).filter(seen)
  const of = (mountClass: MountRecord['class']) =>
    Object.fromEntries(
      all
        .filter((record) => record.class === mountClass)
        .map((record) => [
          shownPath(record),
          caller === undefined ? briefly(record) : mountObject(record, options.facts),
        ]),
    )
  return data({ secret: of('secret'), auth: of('auth') })
}

const oneMount = async (
  call: Pick<Call<{ readonly path: string }>, 'namespace' | 'caller' | 'input'>,
  { ports, facts }: SystemOptions,
) => {
  const { mounts, access } = ports()
  if (call.input.path === '') throw unsupportedPath()
  if (call.caller === undefined) throw denied()
  const found = await mounts.covering(call.namespace, call.input.path.replace(/^\/+/, ''))
  if (found === undefined || !access.touches(call.caller, found.path)) {
    throw denied(
      `preflight capability check returned 403, please ensure client's policies grant access to path "${mountPath(call.input.path)}"`,
    )
  }
  return data({ ...mountObject(found, facts), path: shownPath(found) })
}

const unsupportedPath = (): Refusal => new Refusal('missing', 'unsupported path')

/** `sys/internal/ui/`: what clients ask before they know what they may do. */
export const internalUiRoutes = (options: SystemOptions) => [
  route({
    path: 'internal/ui/mounts',
    summary: 'List the mounts that the caller may know of',
    fields: {},
    public: true,
    refusesBadToken: true,
    verbs: { read: (call) => visibleMounts(call, options) },
  }),
  route({
    path: 'internal/ui/mounts/*path?',
    summary: 'Tell which mount serves a path',
    fields: { path },
    public: true,
    refusesBadToken: true,
    verbs: {
      read: (call) => oneMount(call, options),
      list: () => {
        throw unsupportedPath()
      },
    },
  }),
  route({
    path: 'internal/ui/namespaces',
    summary: 'List the namespaces that the caller may enter',
    fields: {},
    public: true,
    refusesBadToken: true,
    verbs: {
      read: (call) => {
        if (call.caller === undefined) throw failed('client token empty')
        return data({})
      },
    },
  }),
  route({
    path: 'internal/ui/resultant-acl',
    summary: 'Tell what the policies of the caller allow',
    fields: {},
    verbs: {
      read: async (call) => {
        const rules = await options.ports().access.resultant(call)
        return rules === undefined ? undefined : data(rules)
      },
    },
  }),
]
