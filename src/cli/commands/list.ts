import type { Secret } from '../../client/secret.ts'
import { texts } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say, trimPath } from '../command.ts'
import { emptyHint } from '../empty-answer.ts'
import { remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { printList } from '../print-secret.ts'

const pageFlags: readonly Flag[] = [
  { name: 'after', kind: 'text', help: 'Begin after this key.' },
  { name: 'limit', kind: 'integer', help: 'At most this many keys.' },
]

/** The parameters of a list that its flags ask for. */
export const pageQuery = (call: Call): Record<string, string> => {
  const after = call.flags.text('after')
  const limit = call.flags.text('limit')
  return {
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** Prints a list, or says that nothing is there; the exit code. */
export const showList = (call: Call, path: string, secret: Secret | undefined): number => {
  if (secret === undefined || (secret.wrapInfo === undefined && !hasKeys(secret))) {
    if (call.format !== 'table') {
      say(call.io, '{}')
      return 2
    }
    throw remoteFailure(`No value found at ${path}${emptyHint(trimPath(path))}`)
  }
  return printList(call, secret)
}

const hasKeys = (secret: Secret): boolean => texts(secret.data?.['keys']).length > 0

const command = (verb: 'list' | 'scan', help: string): Command => ({
  usage: '[flags] PATH',
  help,
  flags: pageFlags,
  args: { min: 1, max: 1 },
  run: async (call) => {
    const path = trimPath(call.args[0] ?? '')
    const client = await call.client()
    const what = verb === 'list' ? 'listing' : 'scanning'
    const secret = await asking(`Error ${what} ${path}`, () => client[verb](path, pageQuery(call)))
    return showList(call, path, secret)
  },
})

/** `signet list`. */
export const list: Command = command('list', 'Lists what is below a path of the API.')

/** `signet scan`. */
export const scan: Command = command(
  'scan',
  'Lists everything below a path of the API, however deep.',
)
