import type { Secret } from '../../client/secret.ts'
import type { Call, Command } from '../command.ts'
import { asking, say, trimPath } from '../command.ts'
import { parseData } from '../data-arguments.ts'
import { lookupMiss } from '../empty-answer.ts'
import { localFailure, remoteFailure } from '../failure.ts'
import type { Flag } from '../flags.ts'
import { printNotices, printSecret } from '../print-secret.ts'

const force: Flag = {
  name: 'force',
  alias: 'f',
  kind: 'boolean',
  help: 'Write without any data.',
}

/** Prints what a write answered; without content a line says that it succeeded (tables only). */
export const showWritten = (call: Call, secret: Secret | undefined, success: string): number => {
  const content =
    secret?.data !== undefined || secret?.auth !== undefined || secret?.wrapInfo !== undefined
  if (secret !== undefined && content) return printSecret(call, secret)
  if (call.format !== 'table') return 0
  if (secret !== undefined) printNotices(call, secret)
  say(call.io, success)
  return 0
}

const command = (verb: 'write' | 'patch', help: string): Command => ({
  usage: '[flags] PATH [K=V...]',
  help,
  flags: [force],
  args: { min: 1 },
  run: async (call) => {
    const path = trimPath(call.args[0] ?? '')
    const data = await parseData(call.args.slice(1), call.io)
    if (call.args.length === 1 && !call.flags.boolean('force')) {
      throw localFailure('Must supply data or use -force')
    }
    const client = await call.client()
    const failed = verb === 'write' ? 'Error writing data to' : 'Error patching'
    const secret = await asking(`${failed} ${path}`, () => client[verb](path, data))
    const missed = secret === undefined ? lookupMiss(path) : undefined
    if (missed !== undefined) throw remoteFailure(`No such ${missed}`)
    return showWritten(call, secret, `Success! Data written to: ${path}`)
  },
})

/** `signet write`. */
export const write: Command = command(
  'write',
  'Writes data to a path of the API. A value may be @file or - for standard input; a lone @file or - is a JSON object.',
)

/** `signet patch`. */
export const patchPath: Command = command(
  'patch',
  'Changes the given fields of what is at a path of the API, and leaves the others.',
)
