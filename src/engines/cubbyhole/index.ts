import type { Call } from '../../engine/call.ts'
import type { Engine } from '../../engine/engine.ts'
import { field } from '../../engine/field.ts'
import type { TreePlace } from '../../engine/name-tree.ts'
import type { Ref } from '../../engine/records.ts'
import { failed, invalid } from '../../engine/refusal.ts'
import type { ListPage, Result } from '../../engine/result.ts'
import { data, listPages } from '../../engine/result.ts'
import { route } from '../../engine/route.ts'
import type { JsonObject } from '../../std/json.ts'
import {
  checkContentSize,
  contentAt,
  deleteContent,
  getContent,
  listContents,
  putContent,
  spotToWrite,
} from './contents.ts'

export { cubbyholePort } from './contents.ts'

type CubbyholeCall = Call<{ readonly path: string }>

const WRAPPED_PATH = 'response'
/** The policy that only response-wrapping tokens have. */
const WRAPPING_POLICY = 'response-wrapping'
const WRAPPED_WARNING =
  "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap responses, as it provides " +
  'additional security checks and other benefits.'

/** What a token that ends with its request keeps, nobody can ask for: it is taken, and there is nothing. */
const isPassing = ({ caller }: CubbyholeCall): boolean => caller?.passing === true

/** Where the caller's cubbyhole is; undefined for a token that has none: its key is empty. */
const placeOf = ({ caller, namespace, names }: CubbyholeCall): TreePlace | undefined =>
  caller === undefined || caller.tokenKey.length === 0
    ? undefined
    : { namespace: namespace.number, root: caller.tokenKey, names }

/** As `placeOf`; throws the recorded 400 for a token without cubbyhole. */
const ownPlace = (call: CubbyholeCall): TreePlace => {
  const place = placeOf(call)
  if (place === undefined) {
    throw invalid("cubbyhole operations are only supported by 'service' type tokens")
  }
  return place
}

/** The root is no place for content: recorded as a 500, in the words of the reference. */
const requirePath = ({ input }: CubbyholeCall): void => {
  if (input.path === '') throw failed('missing path')
}

const existing = (call: CubbyholeCall): Ref<JsonObject> | undefined => {
  const place = placeOf(call)
  return place === undefined ? undefined : contentAt(place, call.input.path)?.ref
}

const isWrapping = ({ caller }: CubbyholeCall): boolean =>
  caller?.policies.length === 1 && caller.policies[0] === WRAPPING_POLICY

const read = async (call: CubbyholeCall): Promise<Result> => {
  if (isPassing(call)) return undefined
  const place = ownPlace(call)
  requirePath(call)
  const found = await getContent(call.records, place, call.input.path)
  if (found === undefined) return undefined
  if (call.input.path === WRAPPED_PATH && isWrapping(call)) call.warn(WRAPPED_WARNING)
  return data(found)
}

const write = async (call: CubbyholeCall): Promise<Result> => {
  const place = isPassing(call) ? undefined : ownPlace(call)
  requirePath(call)
  if (Object.keys(call.free).length === 0) throw failed('missing data fields')
  if (place === undefined) {
    call.hint(
      'passing-token',
      'nothing was kept: the cubbyhole ends with the token, and that with this request',
    )
    return undefined
  }
  const spot = spotToWrite(place, call.input.path)
  checkContentSize(call.free)
  await call.records.transact((tx) => putContent(tx, spot, call.free))
  return undefined
}

const remove = async (call: CubbyholeCall): Promise<Result> => {
  if (isPassing(call)) return undefined
  const place = ownPlace(call)
  requirePath(call)
  const spot = contentAt(place, call.input.path)
  if (spot !== undefined) {
    await call.records.transact((tx) => deleteContent(tx, call.records, spot))
  }
  return undefined
}

const listed = async function* (call: CubbyholeCall): AsyncIterable<ListPage> {
  if (isPassing(call)) return
  for await (const keys of listContents(call.records, ownPlace(call), call.input.path))
    yield { keys }
}

/** A private place for each service token: nobody else sees it, and it ends with the token (spec/secrets.md 1). */
export const cubbyhole = (): Engine => ({
  type: 'cubbyhole',
  class: 'secret',
  summary: 'Private secrets of each token',
  routes: [
    route({
      path: '*path?',
      summary: 'Read, write, delete and list what the token keeps',
      fields: { path: field.string({ default: '', description: 'Path in the cubbyhole' }) },
      free: true,
      exists: existing,
      verbs: {
        read,
        update: write,
        delete: remove,
        list: (call) => listPages(listed(call)),
      },
    }),
  ],
})
