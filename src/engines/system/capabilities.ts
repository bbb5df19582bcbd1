import type { Call } from '../../engine/call.ts'
import type { InputOf } from '../../engine/field.ts'
import { field } from '../../engine/field.ts'
import type { LiveToken } from '../../engine/ports/tokens.ts'
import { invalid, wrapped } from '../../engine/refusal.ts'
import type { DataResult } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import { limits } from '../../limits.ts'
import type { SystemOptions } from './options.ts'

const pathFields = {
  paths: field.commaList({ default: [], description: 'The paths asked about' }),
  path: field.commaList({ default: [], description: 'Older name of `paths`' }),
}

const pathsOf = ({ input }: Pick<Call<InputOf<typeof pathFields>>, 'input'>): readonly string[] => {
  const paths = input.paths.length > 0 ? input.paths : input.path
  if (paths.length === 0) throw invalid('paths must be supplied')
  if (paths.length > limits.capabilityPaths) {
    throw invalid(`${paths.length} paths were asked about: send at most ${limits.capabilityPaths}`)
  }
  return paths
}

const checkPaths = (paths: readonly string[]): void => {
  if (paths.includes('')) throw wrapped('invalid', 'missing path')
}

const tell = (paths: readonly string[], words: readonly (readonly string[])[]): DataResult => {
  const told = new Map(paths.map((path, index) => [path, words[index]!]))
  if (paths.length === 1) told.set('capabilities', words[0]!)
  return data(Object.fromEntries(told))
}

const ofToken = async (
  call: Call<unknown>,
  { ports }: SystemOptions,
  token: LiveToken,
  paths: readonly string[],
): Promise<DataResult> => {
  checkPaths(paths)
  return tell(paths, await ports().access.ofToken(call.namespace, token, paths))
}

/** `sys/capabilities`, `-self` and `-accessor`: what a token may do on paths. */
export const capabilityRoutes = (options: SystemOptions) => [
  route({
    path: 'capabilities',
    summary: 'Tell what a token may do',
    fields: { ...pathFields, token: field.string({ default: '', description: 'The token' }) },
    copyDataToTop: true,
    verbs: {
      update: async (call) => {
        const paths = pathsOf(call)
        const { token: text } = call.input
        if (text === '') throw wrapped('failed', 'no token found')
        const found = await options.ports().tokens.find(call.records, call, text)
        if (found === undefined) throw wrapped('invalid', 'invalid token')
        return ofToken(call, options, found, paths)
      },
    },
  }),
  route({
    path: 'capabilities-self',
    summary: 'Tell what the calling token may do',
    fields: { ...pathFields, token: field.any({ description: 'Not used' }) },
    copyDataToTop: true,
    verbs: {
      update: async (call) => {
        const paths = pathsOf(call)
        checkPaths(paths)
        return tell(paths, await options.ports().access.ofCaller(call, paths))
      },
    },
  }),
  route({
    path: 'capabilities-accessor',
    summary: 'Tell what the token of an accessor may do',
    fields: { ...pathFields, accessor: field.string({ default: '', description: 'The accessor' }) },
    copyDataToTop: true,
    verbs: {
      update: async (call) => {
        const { accessor } = call.input
        if (accessor === '') throw invalid('missing accessor')
        const paths = pathsOf(call)
        const found = await options.ports().tokens.findByAccessor(call.records, call, accessor)
        if (found === undefined) throw wrapped('invalid', 'invalid accessor')
        return ofToken(call, options, found, paths)
      },
    },
  }),
]
