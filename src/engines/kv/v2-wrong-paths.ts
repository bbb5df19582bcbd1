import type { Call } from '../../engine/call.ts'
import type { Result } from '../../engine/result.ts'
import { data } from '../../engine/result.ts'
import type { Verb } from '../../engine/route.ts'

type NoticeCall = Pick<Call, 'verb' | 'warn'>

/** What the command line calls an operation. */
const COMMAND: Readonly<Record<Verb, string>> = {
  read: 'get',
  create: 'put',
  update: 'put',
  patch: 'patch',
  delete: 'delete',
  list: 'list',
  scan: 'scan',
}

const notFound = (call: NoticeCall, warning: string): Result => {
  call.warn(warning)
  return data(null, { status: 404 })
}

/** The answer to a path that a version 2 mount does not serve (recorded: kv/v2-wrong-paths). */
export const wrongPath = (call: NoticeCall): Result =>
  notFound(
    call,
    'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. ' +
      `If using the OpenBao CLI, use 'bao kv ${COMMAND[call.verb]}' for this operation.`,
  )

/** The answer to `metadata`, `data`, `delete` … without a path. */
export const bareWord = (call: NoticeCall): Result =>
  notFound(call, 'Non-listing operations on the root of a K/V v2 mount are not supported.')
