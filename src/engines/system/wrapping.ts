import type { Call } from '../../engine/call.ts'
import { field } from '../../engine/field.ts'
import { invalid } from '../../engine/refusal.ts'
import { data, raw } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { SystemOptions } from './options.ts'
import { timeText } from './time-text.ts'

// The core has checked by then that it is a text.
const token = field.any({ description: 'The wrapping token; the calling one when missing' })

const given = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

type GivenCall = Call<{ readonly token: unknown }>

const lookup = async (call: GivenCall, { ports }: SystemOptions) => {
  const info = await ports().wrapping.lookup(call, given(call.input.token))
  return data({
    creation_ttl: info.ttlSeconds,
    creation_time: timeText(info.creationTime),
    creation_path: info.creationPath,
  })
}

/** `sys/wrapping/`: wraps data, and looks at, takes out or re-wraps what lies behind a wrapping token. */
export const wrappingRoutes = (options: SystemOptions) => [
  route({
    path: 'wrapping/wrap',
    summary: 'Wrap the body of the request; needs X-Vault-Wrap-TTL',
    fields: {},
    free: true,
    copyDataToTop: true,
    verbs: {
      update: (call) => {
        if (call.wrapTtlSeconds === undefined || call.wrapTtlSeconds <= 0) {
          throw invalid('endpoint requires response wrapping to be used')
        }
        return data(call.free)
      },
    },
  }),
  route({
    path: 'wrapping/unwrap',
    summary: 'Take out what lies behind a wrapping token',
    fields: { token },
    wrappingToken: true,
    neverWrapped: true,
    verbs: {
      update: async (call) => {
        const { body, status, contentType } = await options
          .ports()
          .wrapping.unwrap(call, given(call.input.token))
        return body === '' ? undefined : raw(status, body, contentType)
      },
    },
  }),
  route({
    path: 'wrapping/lookup',
    summary: 'Tell what a wrapping token says of itself',
    fields: { token },
    wrappingToken: true,
    public: true,
    verbs: {
      read: (call) => lookup(call, options),
      update: (call) => lookup(call, options),
    },
  }),
  route({
    path: 'wrapping/rewrap',
    summary: 'Put what lies behind a wrapping token behind a new one',
    fields: { token },
    wrappingToken: true,
    verbs: {
      update: (call) => options.ports().wrapping.rewrap(call, given(call.input.token)),
    },
  }),
]
